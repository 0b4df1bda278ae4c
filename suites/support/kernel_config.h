// The configuration of the running kernel, as its vendor ships it; the image builder puts it into
// the guest. For parts of a case that need an option; what a whole case relies on stands in the
// catalogue.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace kassay {

class RunningConfig {
 public:
  RunningConfig();  // reads kGuestKernelConfig

  // Why nothing is known, for a person; empty if the configuration is there.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  // "y", "m", a number, a string without quotes; "n" for "is not set"; "gone" where the symbol is
  // not mentioned.
  [[nodiscard]] std::string Value(std::string_view symbol) const;
  [[nodiscard]] bool IsOn(std::string_view symbol) const;

 private:
  std::string problem_;
  std::map<std::string, std::string, std::less<>> values_;
};

// The configuration is known and does not set it. False too where none is known: what needs the
// option runs then, and its failure says so itself.
[[nodiscard]] bool OptionIsOff(std::string_view option);

// Leaves the case if so. Where no configuration is known, the case's evidence names the option.
void RequireOption(std::string_view option);

}  // namespace kassay
