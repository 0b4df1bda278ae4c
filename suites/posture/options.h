// The security-relevant options that the posture table shows, each with the reason why it matters.
#pragma once

#include <string>
#include <vector>

namespace kassay::posture {

struct Option {
  std::string symbol;          // CONFIG_X
  std::string why;             // one sentence for a vendor
  std::string (*observe)();    // null where only the configuration tells
  std::string boot_parameter;  // overrides the option at boot; empty if none does
};

[[nodiscard]] const std::vector<Option>& Options();

}  // namespace kassay::posture
