// Reads KTAP by the kernel's Documentation/dev-tools/ktap.rst, version 1, and by nothing of what
// wrote it: what does not keep to the document is a problem.
#pragma once

#include <fmt/format.h>

#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace kassay {

class KtapReader {
 public:
  explicit KtapReader(const std::string& text) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines_.push_back(line);
    const Level all = ReadLevel(0);
    if (at_ < lines_.size()) Problem("what follows the last result");
    for (size_t i = at_; i < lines_.size(); ++i) Problem("left over: " + lines_[i]);
    groups = all.results;
  }

  // Results without results below them.
  size_t ok = 0;
  size_t not_ok = 0;
  size_t skipped = 0;
  size_t groups = 0;  // results of the outermost level
  // The same as kselftest's runner prints them: "# ok 1 name".
  size_t told_ok = 0;
  size_t told_not_ok = 0;
  size_t told_skipped = 0;
  std::vector<std::string> problems;

 private:
  struct Level {
    size_t results = 0;
    bool failed = false;
  };

  void Problem(const std::string& what) {
    problems.push_back(fmt::format("line {}: {}", at_ + 1, what.substr(0, 200)));
  }

  // The line that is looked at, without `indent` spaces; false if it stands further left, or at the
  // end.
  bool Look(size_t indent, std::string& line) const {
    if (at_ >= lines_.size()) return false;
    line = lines_[at_];
    if (line.find_first_not_of(' ') < indent) return false;
    line = line.substr(indent);
    return true;
  }

  void Tell(const std::string& line) {
    static const std::regex told("# (ok|not ok) [0-9]+ [^#]*( # SKIP.*)?( # .*)?");
    std::smatch match;
    if (!std::regex_match(line, match, told)) return;
    if (match[2].matched) {
      ++told_skipped;
    } else {
      ++(match[1] == "ok" ? told_ok : told_not_ok);
    }
  }

  // "KTAP version 1", "1..N" and N results, the ones with results below them behind these.
  Level ReadLevel(size_t indent) {
    static const std::regex result("(ok|not ok) ([0-9]+)( [^#]*)?(# ?(.*))?");
    static const std::regex plan("1\\.\\.([0-9]+)");
    Level level;
    std::string line;
    if (!Look(indent, line) || line != "KTAP version 1") Problem("no version line");
    ++at_;
    size_t planned = 0;
    bool has_plan = false;
    bool has_below = false;
    Level below;
    // Diagnostics of kselftest's runner stand at the left even inside of a level.
    for (; at_ < lines_.size(); ++at_) {
      std::smatch match;
      if (lines_[at_].starts_with("#")) {
        Tell(lines_[at_]);
        continue;
      }
      if (has_plan && level.results == planned && !has_below) break;
      if (!Look(indent, line)) break;
      if (line.starts_with("#")) continue;
      if (line == "  KTAP version 1") {
        below = ReadLevel(indent + 2);
        has_below = true;
        --at_;
      } else if (std::regex_match(line, match, plan) && !has_plan) {
        planned = std::stoul(match[1]);
        has_plan = true;
      } else if (std::regex_match(line, match, result)) {
        const bool is_ok = match[1] == "ok";
        const std::string directive = match[5].str().substr(0, match[5].str().find(' '));
        if (std::stoul(match[2]) != ++level.results) Problem("out of order: " + line);
        if ((directive == "TIMEOUT" || directive == "ERROR") && is_ok)
          Problem("ok with " + directive);
        if (has_below && below.failed == is_ok) Problem("does not say what stands below it");
        if (!is_ok) level.failed = true;
        if (!has_below && directive == "SKIP") ++skipped;
        if (!has_below && directive != "SKIP") ++(is_ok ? ok : not_ok);
        has_below = false;
      } else {
        Problem("unknown: " + line);
      }
    }
    if (!has_plan || level.results != planned)
      Problem(fmt::format("{} results, planned were {}", level.results, planned));
    return level;
  }

  std::vector<std::string> lines_;
  size_t at_ = 0;
};

}  // namespace kassay
