#include "harness/report/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "harness/report/printable.h"
#include "harness/report/repeat_command.h"

namespace kassay {
namespace {

constexpr size_t kMostWrongCases = 50;

constexpr std::array<Verdict, 7> kAllVerdicts{Verdict::kPass,    Verdict::kFail,   Verdict::kCrash,
                                              Verdict::kTimeout, Verdict::kAbsent, Verdict::kUnmet,
                                              Verdict::kError};

bool IsExplained(const CaseResult& result) {
  return result.erratum.has_value() || !result.waiver.empty();
}

// The cases that a person must look at: fail, crash, timeout and error; those that nothing explains
// first.
std::vector<const CaseResult*> WrongCases(const RunResult& run) {
  std::vector<const CaseResult*> wrong;
  for (const CaseResult& result : run.cases) {
    if (IsNonconformant(result.verdict) || result.verdict == Verdict::kError)
      wrong.push_back(&result);
  }
  std::ranges::stable_sort(wrong, {},
                           [](const CaseResult* result) { return IsExplained(*result); });
  return wrong;
}

// "; 87 of 90 requirements tested": those with a case that came to an answer, of all that a case of
// the run cites.
std::string TestedOf(const RunResult& run) {
  std::set<std::string> all;
  std::set<std::string> tested;
  for (const CaseResult& result : run.cases) {
    const bool answered = result.verdict == Verdict::kPass || IsNonconformant(result.verdict);
    all.insert(result.requirements.begin(), result.requirements.end());
    if (answered) tested.insert(result.requirements.begin(), result.requirements.end());
  }
  return fmt::format("; {} of {} requirements tested", tested.size(), all.size());
}

// "212 cases: 205 pass, 5 fail, 2 absent (2 known); 87 of 90 requirements tested"; verdicts that do
// not occur are left out.
std::string TallyOf(const RunResult& run) {
  std::map<Verdict, int> counts;
  int known = 0;
  int waived = 0;
  for (const CaseResult& result : run.cases) {
    ++counts[result.verdict];
    if (!IsNonconformant(result.verdict)) continue;
    if (result.erratum) ++known;
    if (!result.waiver.empty()) ++waived;
  }
  std::string line =
      fmt::format("{} {}:", run.cases.size(), run.cases.size() == 1 ? "case" : "cases");
  const char* separator = " ";
  for (const auto& [verdict, count] : counts)
    line += fmt::format("{}{} {}", std::exchange(separator, ", "), count, ToString(verdict));
  if (known > 0) line += fmt::format(" ({} known)", known);
  if (waived > 0) line += fmt::format(" ({} waived)", waived);
  return line + TestedOf(run);
}

class Table {
 public:
  Table(const RunResult& run, const TableOptions& options) : run_(run), options_(options) {}

  std::string Text() && {
    Head();
    Features();
    Wrong();
    Left();
    List("Compared with", options_.findings);
    List("Notes", run_.notes);
    Last();
    return std::move(out_);
  }

 private:
  void Line(const std::string& line) { out_ += line + "\n"; }

  [[nodiscard]] std::string Coloured(const std::string& text, int colour) const {
    return options_.colours ? fmt::format("\033[{}m{}\033[0m", colour, text) : text;
  }
  static constexpr int kRed = 31, kGreen = 32, kYellow = 33, kBold = 1;

  void Head() {
    const Environment& environment = run_.environment;
    Line("");
    Line(fmt::format("{}  {}", Coloured(PrintableLine(NameOf(run_.kernel)), kBold),
                     PrintableLine(run_.kernel.release)));
    std::string how = environment.Machine();
    how += environment.isolation == "suite" ? ", one kernel a suite" : ", a fresh kernel a case";
    Line(PrintableLine(how));
    for (const Firmware& firmware : environment.firmware) {
      Line(PrintableLine(fmt::format(
          "profile {}: UEFI {}, Secure Boot {}, {} keys enrolled", firmware.profile, firmware.file,
          firmware.secure_boot ? "on" : "off", firmware.enrolled.size())));
    }
  }

  void Features() {
    size_t width = 8;
    for (const FeatureResult& feature : run_.features)
      width = std::max(width, feature.feature.size());
    std::map<std::pair<std::string, Verdict>, int> counts;
    for (const CaseResult& result : run_.cases) {
      for (const std::string& feature : result.features) ++counts[{feature, result.verdict}];
    }
    Line("");
    std::string head = fmt::format("{:<{}}  {:<14}", "FEATURE", width, "STATUS");
    for (const Verdict verdict : kAllVerdicts) head += fmt::format("{:>8}", ToString(verdict));
    Line(head);
    for (const FeatureResult& feature : run_.features) {
      std::string line = fmt::format("{:<{}}  ", PrintableLine(feature.feature), width);
      line += Coloured(fmt::format("{:<14}", ToString(feature.status)), ColourOf(feature.status));
      for (const Verdict verdict : kAllVerdicts) {
        const int count = counts[{feature.feature, verdict}];
        const std::string cell =
            count == 0 ? fmt::format("{:>8}", "-") : fmt::format("{:>8}", count);
        line += count > 0 && IsNonconformant(verdict) ? Coloured(cell, kRed) : cell;
      }
      if (!feature.reason.empty()) line += "  " + PrintableLine(feature.reason);
      Line(line);
    }
  }

  static int ColourOf(FeatureStatus status) {
    switch (status) {
      case FeatureStatus::kConformant:
      case FeatureStatus::kBackported:
        return kGreen;
      case FeatureStatus::kNonconformant:
      case FeatureStatus::kMissing:
        return kRed;
      default:
        return kYellow;
    }
  }

  void Wrong() {
    const std::vector<const CaseResult*> wrong = WrongCases(run_);
    if (wrong.empty()) return;
    Line("");
    Line(Coloured("What failed", kBold));
    size_t shown = 0;
    for (const CaseResult* result : wrong) {
      if (++shown > kMostWrongCases) {
        Line(fmt::format("  and {} more: see the result folder", wrong.size() - kMostWrongCases));
        break;
      }
      std::string requirements;
      for (const std::string& id : result->requirements) requirements += " " + id;
      std::string times;
      if (result->attempts > 1)
        times = fmt::format(" (passed {} of {})", result->passes, result->attempts);
      Line(fmt::format(
          "  {:<8}{} {}{}{}",
          Coloured(std::string(ToString(result->verdict)), IsExplained(*result) ? kYellow : kRed),
          PrintableLine(result->Id()), PrintableLine(requirements), times,
          result->waiver.empty() ? "" : ", waived: " + PrintableLine(result->waiver)));
      Line("    " + PrintableLine(result->reason));
      Line("    " + PrintableLine(CommandThatRepeats(run_, *result)));
    }
  }

  // Cases that were left although their feature is there; those of absent features are told by the
  // features' own lines.
  void Left() {
    std::map<std::string, std::vector<std::string>> by_reason;
    for (const CaseResult& result : run_.cases) {
      const bool in_machine = result.verdict == Verdict::kAbsent && result.attempts > 0;
      if (in_machine || result.verdict == Verdict::kUnmet)
        by_reason[fmt::format("{}: {}", ToString(result.verdict), result.reason)].push_back(
            result.Id());
    }
    if (by_reason.empty()) return;
    Line("");
    Line(Coloured("Cases that ended early", kBold));
    for (const auto& [reason, cases] : by_reason) {
      Line(fmt::format("  {}", PrintableLine(reason)));
      Line(fmt::format("    {}{}", PrintableLine(cases.front()),
                       cases.size() == 1 ? "" : fmt::format(" and {} more", cases.size() - 1)));
    }
  }

  void List(const char* title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    Line("");
    Line(Coloured(title, kBold));
    for (const std::string& line : lines) Line("  " + PrintableLine(line));
  }

  void Last() {
    Line("");
    if (!options_.out_dir.empty()) Line("results: " + PrintableLine(options_.out_dir));
    const std::string verdict =
        options_.verdict.empty() ? std::string(ToString(OutcomeOf(run_))) : options_.verdict;
    const bool good = verdict == "conformant" || verdict == "not worse";
    const bool unsure = verdict == "interrupted" || verdict == "known bugs only";
    const int colour = good ? kGreen : unsure ? kYellow : kRed;
    Line(fmt::format("{}: {}: {}", PrintableLine(NameOf(run_.kernel)), Coloured(verdict, colour),
                     TallyOf(run_)));
  }

  const RunResult& run_;
  const TableOptions& options_;
  std::string out_;
};

}  // namespace

std::string TableOf(const RunResult& run, const TableOptions& options) {
  return Table(run, options).Text();
}

}  // namespace kassay
