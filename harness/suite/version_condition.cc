#include "harness/suite/version_condition.h"

#include <algorithm>
#include <array>
#include <sstream>

namespace kassay {

Result<KernelVersion> ParseStrictVersion(std::string_view text) {
  const bool plain = text.find_first_not_of("0123456789.") == std::string_view::npos &&
                     !text.ends_with('.') && std::count(text.begin(), text.end(), '.') <= 2;
  const auto version = ParseKernelVersion(text);
  if (plain && version && std::max({version->major, version->minor, version->patch}) < 65536)
    return version;
  return Fail("'" + std::string(text) + "' is not a kernel version like 7.0 or 7.0.13",
              ErrorKind::kUsage);
}

Result<VersionCondition::Term> VersionCondition::ParseTerm(std::string_view text) {
  // Longer operators first: "<=" also begins with "<", and everything with none.
  static const std::array<std::pair<std::string_view, Comparison>, 8> kOperators{{
      {"<=", std::less_equal<>()},
      {">=", std::greater_equal<>()},
      {"==", std::equal_to<>()},
      {"!=", std::not_equal_to<>()},
      {"<", std::less<>()},
      {">", std::greater<>()},
      {"=", std::equal_to<>()},
      {"", std::equal_to<>()},
  }};
  const auto& [symbol, holds] =
      *std::find_if(kOperators.begin(), kOperators.end(),
                    [&](const auto& row) { return text.starts_with(row.first); });
  KASSAY_TRY(const KernelVersion version, ParseStrictVersion(text.substr(symbol.size())));
  return Term{holds, version};
}

Result<VersionCondition> VersionCondition::Parse(std::string_view text) {
  VersionCondition condition;
  std::vector<Term> terms;
  std::istringstream words{std::string(text)};
  std::string word;
  while (words >> word) {
    if (word == "||") {
      if (terms.empty()) return Fail("'||' without a condition before it", ErrorKind::kUsage);
      condition.alternatives_.push_back(std::move(terms));
      terms.clear();
      continue;
    }
    KASSAY_TRY(const Term term, ParseTerm(word));
    terms.push_back(term);
  }
  if (terms.empty()) {
    return Fail(condition.alternatives_.empty() ? "an empty version condition"
                                                : "'||' without a condition after it",
                ErrorKind::kUsage);
  }
  condition.alternatives_.push_back(std::move(terms));
  return condition;
}

bool VersionCondition::Matches(const KernelVersion& version) const {
  return std::any_of(alternatives_.begin(), alternatives_.end(), [&](const auto& terms) {
    return std::all_of(terms.begin(), terms.end(),
                       [&](const Term& term) { return term.holds(version, term.version); });
  });
}

}  // namespace kassay
