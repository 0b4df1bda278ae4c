#include "harness/report/ktap.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "harness/report/printable.h"

namespace kassay {
namespace {

// Where kunit.py takes the output of a kernel to end, anywhere in a line (KTAP_END in the kernel's
// tools/testing/kunit/kunit_parser.py): the reason of a crash would end the report of a run.
constexpr std::array<std::string_view, 3> kEnds{
    "List of all partitions:", "Kernel panic - not syncing: VFS:", "reboot: System halted"};

// Names and reasons may hold anything but '#' and line ends: behind a '#' readers look for
// directives ("# SKIP", "# TODO"), some anywhere in the line.
std::string KtapText(const std::string& text) {
  std::string out = PrintableLine(text);
  std::ranges::replace(out, '#', '_');
  for (const std::string_view end : kEnds) {
    for (size_t at = out.find(end); at != std::string::npos; at = out.find(end, at)) {
      out[out.find(':', at)] = ';';
    }
  }
  return out;
}

bool IsWaived(const CaseResult& result) {
  return IsNonconformant(result.verdict) && !result.waiver.empty();
}

bool IsLeft(const CaseResult& result) {
  return result.verdict == Verdict::kAbsent || result.verdict == Verdict::kUnmet;
}

bool IsOk(const CaseResult& result) {
  return IsWaived(result) ||
         (!IsNonconformant(result.verdict) && result.verdict != Verdict::kError);
}

std::string ResultLine(size_t number, const CaseResult& result) {
  const Verdict verdict = result.verdict;
  const std::string line =
      fmt::format("{} {} {}", IsOk(result) ? "ok" : "not ok", number, KtapText(result.case_name));
  if (verdict == Verdict::kPass) return line;
  std::string directive = fmt::format("{}{}:", IsLeft(result) ? "SKIP " : "", ToString(verdict));
  if (verdict == Verdict::kTimeout) directive = "TIMEOUT";
  if (verdict == Verdict::kError) directive = "ERROR";
  if (IsWaived(result)) directive = "XFAIL waived by " + KtapText(result.waiver) + ":";
  return fmt::format("{} # {} {}", line, directive, KtapText(result.reason));
}

}  // namespace

std::string KtapOf(const RunResult& run) {
  std::map<std::string, std::vector<const CaseResult*>> suites;
  for (const CaseResult& result : run.cases) suites[result.suite].push_back(&result);
  std::string out =
      fmt::format("KTAP version 1\n# kernel: {} ({})\n1..{}\n", KtapText(NameOf(run.kernel)),
                  KtapText(run.kernel.release), suites.size());
  size_t suite_number = 0;
  for (const auto& [suite, cases] : suites) {
    const std::string group = "selftests: kassay: " + KtapText(suite);
    out += fmt::format("# {}\n  KTAP version 1\n  1..{}\n", group, cases.size());
    size_t number = 0;
    for (const CaseResult* result : cases) {
      for (const Failure& failure : result->failures)
        out += fmt::format("  # {}: {}:{}: {}\n", KtapText(result->case_name),
                           KtapText(failure.file), failure.line, KtapText(failure.message));
      const std::string line = ResultLine(++number, *result);
      out += fmt::format("  {}\n# {}\n", line, line);
    }
    const bool ok = std::ranges::all_of(cases, [](const CaseResult* c) { return IsOk(*c); });
    // Without this a suite of which nothing ran is a passed group to openQA.
    const bool left = std::ranges::all_of(cases, [](const CaseResult* c) { return IsLeft(*c); });
    out += fmt::format("{} {} {}{}\n", ok ? "ok" : "not ok", ++suite_number, group,
                       left ? " # SKIP nothing of it ran to an answer" : "");
  }
  return out;
}

}  // namespace kassay
