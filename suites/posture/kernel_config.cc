#include "suites/posture/kernel_config.h"

#include <fstream>
#include <string_view>

namespace kassay::posture {
namespace {

constexpr const char* kPath = "/kassay/kernel.config";

}  // namespace

RunningConfig::RunningConfig() {
  std::ifstream file(kPath);
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

std::string RunningConfig::Value(const std::string& symbol) const {
  const auto found = values_.find(symbol);
  return found == values_.end() ? "gone" : found->second;
}

bool RunningConfig::IsOn(const std::string& symbol) const {
  const std::string value = Value(symbol);
  return value != "n" && value != "gone";
}

}  // namespace kassay::posture
