#include "suites/support/kernel_option.h"

#include <fstream>
#include <string>

namespace kassay {
namespace {

enum class Setting { kUnknown, kOff, kOn };

Setting SettingOf(std::string_view option) {
  std::ifstream config("/kassay/kernel.config");
  if (!config) return Setting::kUnknown;
  const std::string begin = std::string(option) + "=";
  for (std::string line; std::getline(config, line);) {
    if (line.starts_with(begin)) return Setting::kOn;
  }
  return Setting::kOff;
}

}  // namespace

bool OptionIsOff(std::string_view option) { return SettingOf(option) == Setting::kOff; }

void RequireOption(std::string_view option) {
  switch (SettingOf(option)) {
    case Setting::kOff:
      KASSAY_ABSENT(std::string(option) + " is not set");
    case Setting::kUnknown:
      RecordEvidence("option that could not be checked", option);
      break;
    case Setting::kOn:
      break;
  }
}

}  // namespace kassay
