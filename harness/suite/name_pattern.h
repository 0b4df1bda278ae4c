// Which names a person means: GoogleTest's filter language.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kassay {

// True if `name` matches the glob: '*' any text (the empty one too), '?' one character, all else
// itself. Linear in both lengths for patterns with one '*', at worst their product; never
// recursive.
[[nodiscard]] bool GlobMatches(std::string_view glob, std::string_view name);

// "A.*:B.*-A.Slow:*Race*": globs separated by ':', what follows the first '-' takes names away. An
// empty positive part means all. Several filters are joined by Add(): a name is in if any positive
// part wants it and no negative part takes it away.
class NameFilter {
 public:
  NameFilter() = default;
  explicit NameFilter(std::string_view filter) { Add(filter); }
  void Add(std::string_view filter);

  // A case is known by "Suite.Name" and by "suite.Suite.Name"; either may match.
  [[nodiscard]] bool MatchesCase(const std::string& suite, const std::string& case_name) const;
  // The same filter in one piece, for who keeps it.
  [[nodiscard]] std::string Text() const;
  // Wants everything.
  [[nodiscard]] bool Empty() const { return wanted_.empty() && unwanted_.empty(); }
  // The positive globs, to tell which of them matched nothing.
  [[nodiscard]] const std::vector<std::string>& wanted() const { return wanted_; }

 private:
  std::vector<std::string> wanted_;
  std::vector<std::string> unwanted_;
};

// All of these filters joined.
[[nodiscard]] NameFilter FilterOf(const std::vector<std::string>& filters);

}  // namespace kassay
