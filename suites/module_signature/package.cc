// What the vendor's package brings: are its modules signed at all?

#include "suites/module_signature/loading.h"
#include "suites/support/kernel_config.h"

namespace kassay::modules {
namespace {

// A package that was repacked, stripped or compressed after signing loses its signatures, and where
// they are not enforced nobody notices but the taint.
KASSAY_CASE(Package, ModulesAreSignedWhereTheConfigurationSaysSo, Cites("SIG-041")) {
  const RunningConfig config;
  if (!config.problem().empty()) KASSAY_UNMET(config.problem());
  const bool all = config.IsOn("CONFIG_MODULE_SIG_ALL");
  if (!all && !config.IsOn("CONFIG_MODULE_SIG_FORCE"))
    KASSAY_ABSENT("neither CONFIG_MODULE_SIG_ALL nor CONFIG_MODULE_SIG_FORCE is set");
  if (VendorsModule().empty())
    KASSAY_UNMET(std::string("no module ") + kModuleName + " in the image");
  EXPECT_TRUE(Split(VendorsModule()))
      << kModuleName << " ends without a signature, though CONFIG_MODULE_SIG_"
      << (all ? "ALL" : "FORCE") << "=y";
}

}  // namespace
}  // namespace kassay::modules
