#include <unistd.h>

#include <fstream>

#include "suites/module_signature/loading.h"

namespace kassay::modules {
namespace {

KASSAY_PROBE("module_signature") {
  constexpr const char* kParameter = "/sys/module/module/parameters/sig_enforce";
  if (access(kParameter, R_OK) != 0) return Missing(std::string(kParameter) + " is not there");
  return Present(std::string(kParameter) + " is there");
}

KASSAY_PROBE("module_signature_mldsa") {
  const MlDsaSupport support = SeenMlDsaSupport();
  if (support == MlDsaSupport::kFull) return Present("an ML-DSA-65 key can be used");
  return Missing(support == MlDsaSupport::kNamesOnly ? "an ML-DSA-65 key cannot be used: ENOENT"
                                                     : "an ML-DSA-65 certificate is ENOPKG");
}

KASSAY_CASE(Config, Sha1CannotBeChosenForNewSignatures, Cites("KCF-001", "KCF-002")) {
  std::ifstream config("/kassay/kernel.config");
  if (!config) KASSAY_UNMET("the kernel's configuration is not in the image");
  std::string hash;
  for (std::string line; std::getline(config, line);) {
    EXPECT_EQ(line.find("MODULE_SIG_SHA1"), std::string::npos) << line;
    if (line.starts_with("CONFIG_MODULE_SIG_HASH=")) hash = line.substr(23);
  }
  EXPECT_THAT(hash, testing::AnyOf("\"sha256\"", "\"sha384\"", "\"sha512\"", "\"sha3-256\"",
                                   "\"sha3-384\"", "\"sha3-512\""));
}

}  // namespace
}  // namespace kassay::modules
