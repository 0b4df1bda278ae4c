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
  std::replace(out.begin(), out.end(), '#', '_');
  return out;
}

std::string ResultLine(size_t number, const CaseResult& result) {
  const std::string name = Description(result.case_name);
  const std::string reason = PrintableLine(result.reason);
  if (IsNonconformant(result.verdict) && !result.waiver.empty())
    return fmt::format("not ok {} {} # XFAIL waived by {}: {}", number, name,
                       PrintableLine(result.waiver), reason);
  switch (result.verdict) {
    case Verdict::kPass:
      return fmt::format("ok {} {}", number, name);
    case Verdict::kAbsent:
    case Verdict::kUnmet:
      return fmt::format("ok {} {} # SKIP {}: {}", number, name, ToString(result.verdict), reason);
    case Verdict::kTimeout:
      return fmt::format("not ok {} {} # TIMEOUT {}", number, name, reason);
    case Verdict::kError:
      return fmt::format("not ok {} {} # ERROR {}", number, name, reason);
    case Verdict::kFail:
    case Verdict::kCrash:
      break;
  }
  return fmt::format("not ok {} {} # {}: {}", number, name, ToString(result.verdict), reason);
}

bool IsOk(const CaseResult& result) {
  if (IsNonconformant(result.verdict)) return !result.waiver.empty();
  return result.verdict != Verdict::kError;
}

}  // namespace

std::string KtapOf(const RunResult& run) {
  std::map<std::string, std::vector<const CaseResult*>> suites;
  for (const CaseResult& result : run.cases) suites[result.suite].push_back(&result);
  std::string out =
      fmt::format("KTAP version 1\n# kernel: {} ({})\n1..{}\n", PrintableLine(run.kernel.spec),
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
    const bool ok = std::all_of(cases.begin(), cases.end(),
                                [](const CaseResult* result) { return IsOk(*result); });
    out += fmt::format("{} {} {}\n", ok ? "ok" : "not ok", ++suite_number, Description(suite));
  }
  return out;
}

}  // namespace kassay
