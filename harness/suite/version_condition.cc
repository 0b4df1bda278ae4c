#include "harness/suite/version_condition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

namespace kassay {

Result<KernelVersion> ParseStrictVersion(std::string_view text) {
  std::array<int, 3> parts{};
  size_t part = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (; part < parts.size(); ++part) {
    const auto [after, error] = std::from_chars(at, end, parts[part]);
    if (error != std::errc() || after == at || parts[part] < 0 || parts[part] > 65535) break;
    at = after;
    if (at == end) return KernelVersion{parts[0], parts[1], parts[2]};
    if (*at++ != '.') break;
  }
  return Fail("'" + std::string(text) + "' is not a kernel version like 7.0 or 7.0.13",
              ErrorKind::kUsage);
}

bool VersionCondition::Term::Holds(const KernelVersion& seen) const {
  switch (op) {
    case Operator::kLess:
      return seen < version;
    case Operator::kLessOrEqual:
      return seen <= version;
    case Operator::kGreater:
      return seen > version;
    case Operator::kGreaterOrEqual:
      return seen >= version;
    case Operator::kEqual:
      return seen == version;
    case Operator::kNotEqual:
      return seen != version;
  }
  return false;
}

Result<VersionCondition::Term> VersionCondition::ParseTerm(std::string_view text) {
  // Longer operators first: "<=" also begins with "<".
  constexpr std::array<std::pair<std::string_view, Operator>, 7> kOperators{{
      {"<=", Operator::kLessOrEqual},
      {">=", Operator::kGreaterOrEqual},
      {"==", Operator::kEqual},
      {"!=", Operator::kNotEqual},
      {"<", Operator::kLess},
      {">", Operator::kGreater},
      {"=", Operator::kEqual},
  }};
  Operator op = Operator::kEqual;
  const auto* const found =
      std::find_if(kOperators.begin(), kOperators.end(),
                   [&](const auto& row) { return text.starts_with(row.first); });
  if (found != kOperators.end()) {
    op = found->second;
    text.remove_prefix(found->first.size());
  }
  KASSAY_TRY(const KernelVersion version, ParseStrictVersion(text));
  return Term{op, version};
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
                       [&](const Term& term) { return term.Holds(version); });
  });
}

}  // namespace kassay
