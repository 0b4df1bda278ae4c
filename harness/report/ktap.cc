#include "harness/report/ktap.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "harness/report/printable.h"

namespace kassay {
namespace {

// Names and reasons may hold anything but '#' and line ends: behind a '#' readers look for
// directives ("# SKIP", "# TODO"), some anywhere in the line.
std::string WithoutHash(const std::string& text) {
  std::string out = PrintableLine(text);
  std::ranges::replace(out, '#', '_');
  return out;
}

bool IsWaived(const CaseResult& result) {
  return IsNonconformant(result.verdict) && !result.waiver.empty();
}

bool IsOk(const CaseResult& result) {
  return IsWaived(result) ||
         (!IsNonconformant(result.verdict) && result.verdict != Verdict::kError);
}

std::string ResultLine(size_t number, const CaseResult& result) {
  const Verdict verdict = result.verdict;
  const bool left = verdict == Verdict::kAbsent || verdict == Verdict::kUnmet;
  const std::string line = fmt::format("{} {} {}", IsOk(result) ? "ok" : "not ok", number,
                                       WithoutHash(result.case_name));
  if (verdict == Verdict::kPass) return line;
  std::string directive = fmt::format("{}{}:", left ? "SKIP " : "", ToString(verdict));
  if (verdict == Verdict::kTimeout) directive = "TIMEOUT";
  if (verdict == Verdict::kError) directive = "ERROR";
  if (IsWaived(result)) directive = "XFAIL waived by " + WithoutHash(result.waiver) + ":";
  return fmt::format("{} # {} {}", line, directive, WithoutHash(result.reason));
}

}  // namespace

std::string KtapOf(const RunResult& run) {
  std::map<std::string, std::vector<const CaseResult*>> suites;
  for (const CaseResult& result : run.cases) suites[result.suite].push_back(&result);
  std::string out =
      fmt::format("KTAP version 1\n# kernel: {} ({})\n1..{}\n", PrintableLine(NameOf(run.kernel)),
                  PrintableLine(run.kernel.release), suites.size());
  size_t suite_number = 0;
  for (const auto& [suite, cases] : suites) {
    const std::string group = "selftests: kassay: " + WithoutHash(suite);
    out += fmt::format("# {}\n  KTAP version 1\n  1..{}\n", group, cases.size());
    size_t number = 0;
    for (const CaseResult* result : cases) {
      for (const Failure& failure : result->failures)
        out += fmt::format("  # {}:{}: {}\n", PrintableLine(failure.file), failure.line,
                           WithoutHash(failure.message));
      const std::string line = ResultLine(++number, *result);
      out += fmt::format("  {}\n# {}\n", line, line);
    }
    const bool ok =
        std::ranges::all_of(cases, [](const CaseResult* result) { return IsOk(*result); });
    out += fmt::format("{} {} {}\n", ok ? "ok" : "not ok", ++suite_number, group);
  }
  return out;
}

}  // namespace kassay
