// The posture table: every option with its state in the configuration and, where it shows, in the
// running system. The two must agree; what a vendor turned off is stated, not judged.
#include <gmock/gmock.h>

#include "harness/protocol/posture_evidence.h"
#include "suites/posture/observe.h"
#include "suites/posture/options.h"
#include "suites/support/case.h"
#include "suites/support/kernel_config.h"

namespace kassay::posture {
namespace {

class Table : public ::testing::TestWithParam<Option> {};

bool SetAtBoot(const std::string& parameter) {
  return !parameter.empty() &&
         (" " + ReadTrimmed("/proc/cmdline")).find(" " + parameter) != std::string::npos;
}

KASSAY_CASE_P(Table, ConfigurationAndSystemAgree, Cites("HRD-100")) {
  const Option& option = GetParam();
  const RunningConfig config;
  if (!config.problem().empty()) KASSAY_UNMET(config.problem());
  const std::string value = config.Value(option.symbol);
  const std::string configured = value == "gone" ? "gone" : value == "n" ? "off" : "on";
  // Under CONFIG_EXPERT the emulation that the page needs can be left out (arch/x86/Kconfig).
  if (option.symbol == "CONFIG_LEGACY_VSYSCALL_XONLY" &&
      config.Value("CONFIG_X86_VSYSCALL_EMULATION") != "y")
    KASSAY_ABSENT("CONFIG_X86_VSYSCALL_EMULATION is not set: there is no page to observe");
  const std::string seen = option.observe == nullptr
                               ? std::string(kPostureUnseen) + "only the configuration tells"
                               : option.observe();
  RecordEvidence(kPostureOption, option.symbol);
  RecordEvidence(kPostureConfigured,
                 configured == "on" && value != "y" ? "on (" + value + ")" : configured);
  RecordEvidence(kPostureRunning, seen);
  RecordEvidence(kPostureWhy, option.why);
  if (seen.starts_with(kPostureUnseen)) return;
  if (SetAtBoot(option.boot_parameter)) {
    RecordEvidence(kPostureNote,
                   option.boot_parameter + " on the kernel's command line overrides it");
    return;
  }
  EXPECT_EQ(seen, configured == "on" ? "on" : "off") << option.symbol << "=" << value;
}

INSTANTIATE_TEST_SUITE_P(Option, Table, ::testing::ValuesIn(Options()), [](const auto& tested) {
  return tested.param.symbol.substr(std::string("CONFIG_").size());
});

}  // namespace
}  // namespace kassay::posture
