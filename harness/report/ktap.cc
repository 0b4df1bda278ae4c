#include "harness/report/ktap.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "harness/report/printable.h"

namespace kassay {
namespace {

// A description may hold anything but '#' and line ends.
std::string Description(const std::string& text) {
  std::string out = PrintableLine(text);
  std::ranges::replace(out, '#', '_');
  return out;
}

bool IsWaived(const CaseResult& result) {
  return IsNonconformant(result.verdict) && !result.waiver.empty();
}

std::string ResultLine(size_t number, const CaseResult& result) {
  const Verdict verdict = result.verdict;
  const bool left = verdict == Verdict::kAbsent || verdict == Verdict::kUnmet;
  const std::string line =
      fmt::format("{} {} {}", left || verdict == Verdict::kPass ? "ok" : "not ok", number,
                  Description(result.case_name));
  if (verdict == Verdict::kPass) return line;
  std::string directive = fmt::format("{}{}:", left ? "SKIP " : "", ToString(verdict));
  if (verdict == Verdict::kTimeout) directive = "TIMEOUT";
  if (verdict == Verdict::kError) directive = "ERROR";
  if (IsWaived(result)) directive = "XFAIL waived by " + PrintableLine(result.waiver) + ":";
  return fmt::format("{} # {} {}", line, directive, PrintableLine(result.reason));
}

bool IsOk(const CaseResult& result) {
  return IsWaived(result) ||
         (!IsNonconformant(result.verdict) && result.verdict != Verdict::kError);
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
    out += fmt::format("  KTAP version 1\n  1..{}\n", cases.size());
    size_t number = 0;
    for (const CaseResult* result : cases) {
      for (const Failure& failure : result->failures)
        out += fmt::format("  # {}:{}: {}\n", PrintableLine(failure.file), failure.line,
                           PrintableLine(failure.message));
      out += "  " + ResultLine(++number, *result) + "\n";
    }
    const bool ok =
        std::ranges::all_of(cases, [](const CaseResult* result) { return IsOk(*result); });
    out += fmt::format("{} {} {}\n", ok ? "ok" : "not ok", ++suite_number, Description(suite));
  }
  return out;
}

}  // namespace kassay
