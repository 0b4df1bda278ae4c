// Conditions on a kernel's upstream version, as a catalogue writes them: ">=7.0 <7.1.8 || 7.2".
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/kernel/kernel.h"

namespace kassay {

// "7", "7.0" or "7.0.13" and nothing else; each part below 65536.
[[nodiscard]] Result<KernelVersion> ParseStrictVersion(std::string_view text);

// Space-separated terms that must all hold; "||" between alternatives. A term is an operator (<,
// <=, >, >=, =, ==, !=; none means =) and a version. "7.0" as a whole series is ">=7.0 <7.1".
class VersionCondition {
 public:
  // Holds for no version.
  VersionCondition() = default;
  [[nodiscard]] static Result<VersionCondition> Parse(std::string_view text);
  [[nodiscard]] bool Matches(const KernelVersion& version) const;

 private:
  using Comparison = std::function<bool(const KernelVersion&, const KernelVersion&)>;
  struct Term {
    Comparison holds;
    KernelVersion version;
  };
  [[nodiscard]] static Result<Term> ParseTerm(std::string_view text);

  std::vector<std::vector<Term>> alternatives_;
};

}  // namespace kassay
