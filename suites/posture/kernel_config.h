// The configuration of the running kernel, as its vendor ships it; the image builder puts it into
// the guest.
#pragma once

#include <map>
#include <string>

namespace kassay::posture {

class RunningConfig {
 public:
  // Reads /kassay/kernel.config, else /proc/config.gz's absence is a problem.
  RunningConfig();

  // Why nothing is known, for a person; empty if the configuration is there.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  // "y", "m", a number, a string without quotes; "n" for "is not set"; "gone" where the symbol is
  // not mentioned.
  [[nodiscard]] std::string Value(const std::string& symbol) const;
  [[nodiscard]] bool IsOn(const std::string& symbol) const;

 private:
  std::string problem_;
  std::map<std::string, std::string> values_;
};

}  // namespace kassay::posture
