#include "suites/support/kernel_config.h"

#include <fstream>

#include "harness/protocol/guest_layout.h"
#include "suites/support/case.h"

namespace kassay {

RunningConfig::RunningConfig() {
  std::ifstream file(kGuestKernelConfig);
  if (!file) {
    problem_ = "the kernel came without its configuration: give --config";
    return;
  }
  constexpr std::string_view kOff = " is not set";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("# CONFIG_") && line.ends_with(kOff)) {
      values_[line.substr(2, line.size() - 2 - kOff.size())] = "n";
    } else if (line.starts_with("CONFIG_")) {
      const size_t equals = line.find('=');
      std::string value = equals == std::string::npos ? "" : line.substr(equals + 1);
      if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
      values_[line.substr(0, equals)] = value;
    }
  }
  if (values_.empty()) problem_ = "the kernel's configuration is empty";
}

std::string RunningConfig::Value(std::string_view symbol) const {
  const auto found = values_.find(symbol);
  return found == values_.end() ? "gone" : found->second;
}

bool RunningConfig::IsOn(std::string_view symbol) const {
  const std::string value = Value(symbol);
  return value != "n" && value != "gone";
}

bool OptionIsOff(std::string_view option) {
  const RunningConfig config;
  return config.problem().empty() && !config.IsOn(option);
}

void RequireOption(std::string_view option) {
  if (OptionIsOff(option)) KASSAY_ABSENT(std::string(option) + " is not set");
  if (!RunningConfig().problem().empty())
    RecordEvidence("option that could not be checked", option);
}

}  // namespace kassay
