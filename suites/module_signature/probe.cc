#include <unistd.h>

#include "suites/module_signature/loading.h"
#include "suites/support/kernel_config.h"

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
  const RunningConfig config;
  if (!config.problem().empty()) KASSAY_UNMET(config.problem());
  EXPECT_EQ(config.Value("CONFIG_MODULE_SIG_SHA1"), "gone");
  EXPECT_THAT(config.Value("CONFIG_MODULE_SIG_HASH"),
              testing::AnyOf("sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"));
}

}  // namespace
}  // namespace kassay::modules
