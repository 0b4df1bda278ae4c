#include "harness/verdict/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>

#include "harness/base/process/wait_status.h"
#include "harness/suite/name_pattern.h"
#include "harness/verdict/case_records.h"
#include "harness/verdict/complaint.h"

namespace kassay {
namespace {

using End = GuestOutcome::End;

constexpr size_t kMaxLogLines = 500;
constexpr size_t kMaxConsoleBytes = size_t{32} << 10;

CaseResult Blank(const CaseToJudge& which) {
  CaseResult result;
  result.suite = which.suite;
  result.case_name = which.listed->name;
  result.profile = which.profile;
  result.requirements = which.listed->requirements;
  return result;
}

// The lines of the kernel log as they go into a result; of too many, the first and the last.
std::vector<std::string> KeptLog(const std::vector<std::string>& log) {
  std::vector<std::string> kept;
  for (size_t i = 0; i < log.size(); ++i) {
    if (log.size() > kMaxLogLines && i == kMaxLogLines / 2) {
      kept.push_back(fmt::format("[{} lines left out]", log.size() - kMaxLogLines));
      i = log.size() - kMaxLogLines / 2;
    }
    kept.push_back(OneLine(log[i], 1024));
  }
  return kept;
}

std::string LastPart(const std::string& text) {
  return text.size() <= kMaxConsoleBytes ? text : text.substr(text.size() - kMaxConsoleBytes);
}

// Line by line, each of bounded length: std::regex recurses over its input.
bool ConsoleShows(const std::string& console, const std::string& expression) {
  const std::regex regex(expression);
  return std::ranges::any_of(
      PlainLines(console), [&](const std::string& line) { return std::regex_search(line, regex); });
}

// The complaints of the kernel: in its log, and where the log did not reach the host any more, on
// the console.
// A case that allows the taint of a warning provokes one on purpose: its warnings are no
// complaints.
std::vector<std::string> ComplaintsOf(const GuestOutcome& outcome, const ListedCase& listed) {
  std::vector<std::string> complaints = KernelComplaints(outcome.kernel_log);
  if (complaints.empty() && (outcome.end == End::kKernelDied || outcome.end == End::kSilent))
    complaints = KernelComplaints(PlainLines(outcome.console));
  if ((TaintBits(listed.allows_taint) & TaintBits("W")) != 0) {
    std::erase_if(complaints,
                  [](const std::string& line) { return LogText(line).starts_with("WARNING:"); });
  }
  return complaints;
}

class Judgement {
 public:
  Judgement(const CaseToJudge& which, const GuestOutcome& outcome, CaseRecords records)
      : listed_(*which.listed),
        outcome_(outcome),
        records_(std::move(records)),
        complaints_(ComplaintsOf(outcome, *which.listed)),
        result_(Blank(which)) {}

  CaseResult Result() && {
    result_.failures = records_.failures;
    result_.evidence = records_.evidence;
    result_.measures = records_.measures;
    result_.kernel_log = KeptLog(outcome_.kernel_log);
    Decide();
    const Verdict verdict = result_.verdict;
    if (verdict == Verdict::kCrash || verdict == Verdict::kTimeout || verdict == Verdict::kError ||
        !listed_.expects_panic.empty()) {
      result_.console = LastPart(outcome_.console);
    }
    result_.passes = verdict == Verdict::kPass ? 1 : 0;
    return std::move(result_);
  }

 private:
  void Is(Verdict verdict, std::string reason) {
    result_.verdict = verdict;
    result_.reason = std::move(reason);
  }

  void Decide() {
    if (outcome_.end == End::kLied)
      return Is(Verdict::kError, Said("the guest broke the protocol"));
    if (!listed_.expects_panic.empty() && outcome_.end == End::kKernelDied) return DecidePanic();
    if (outcome_.end == End::kKernelDied) return Is(Verdict::kCrash, HowItDied());
    if (!complaints_.empty()) return Is(Verdict::kCrash, Complaint());
    if (const std::string taint = UnexpectedTaint(); !taint.empty())
      return Is(Verdict::kCrash, "the kernel is tainted: " + taint);
    if (outcome_.end == End::kTimedOut)
      return Is(Verdict::kTimeout, fmt::format("no end within {} s", listed_.timeout_s));
    if (outcome_.end == End::kSilent)
      return Is(Verdict::kTimeout, Said("the machine no longer answers"));
    if (!records_.problem.empty())
      return Is(Verdict::kError, "the suite's records are wrong: " + records_.problem);
    DecideByRecords();
  }

  void DecidePanic() {
    if (!records_.failures.empty()) return Is(Verdict::kFail, FirstFailure());
    if (ConsoleShows(outcome_.console, listed_.expects_panic)) return Is(Verdict::kPass, "");
    Is(Verdict::kCrash, fmt::format("{}, which is not the panic expected here (/{}/)", HowItDied(),
                                    listed_.expects_panic));
  }

  void DecideByRecords() {
    if (outcome_.end == End::kSignalled) {
      return Is(Verdict::kFail,
                fmt::format("the case's program was killed by {}{}", SignalName(outcome_.status),
                            records_.starts == 0 ? " before the case began" : ""));
    }
    if (!records_.failures.empty()) return Is(Verdict::kFail, FirstFailure());
    if (records_.starts == 0) return Is(Verdict::kError, "the program did not run it" + Ended());
    if (records_.ends == 0) return Is(Verdict::kError, "the program ended amid it" + Ended());
    if (!records_.passed) return Is(Verdict::kFail, "failed without saying which assertion");
    if (outcome_.status != 0) return Is(Verdict::kError, "it passed, but the program" + Ended());
    if (records_.left) {
      result_.cause = records_.left_cause;
      return Is(*records_.left, records_.left_reason);
    }
    if (!listed_.expects_panic.empty())
      return Is(Verdict::kFail, "the kernel lives, a panic was expected");
    Is(Verdict::kPass, "");
  }

  [[nodiscard]] std::string Ended() const {
    const std::vector<std::string> lines = PlainLines(outcome_.output, 200);
    return fmt::format(" (exit code {}{}{})", outcome_.status,
                       lines.empty() ? "" : "; last words: ", lines.empty() ? "" : lines.back());
  }

  [[nodiscard]] std::string Said(const std::string& otherwise) const {
    return outcome_.detail.empty() ? otherwise : otherwise + ": " + OneLine(outcome_.detail);
  }

  [[nodiscard]] std::string HowItDied() const {
    const auto panic = std::ranges::find_if(complaints_, [](const std::string& line) {
      return line.find("Kernel panic") != std::string::npos;
    });
    if (panic != complaints_.end()) return OneLine(LogText(*panic));
    return complaints_.empty() ? Said("the kernel died") : Complaint();
  }

  [[nodiscard]] std::string Complaint() const {
    std::string reason = OneLine(LogText(complaints_.front()));
    if (complaints_.size() > 1) reason += fmt::format(" (and {} more)", complaints_.size() - 1);
    return reason;
  }

  [[nodiscard]] std::string UnexpectedTaint() const {
    return TaintLetters(outcome_.taint_after & ~outcome_.taint_before &
                        ~TaintBits(listed_.allows_taint));
  }

  // "file:line: Expected: ...; Actual: ...": GoogleTest's lines in one. A long expression in front
  // of them is left out, for the place tells it.
  [[nodiscard]] std::string FirstFailure() const {
    constexpr size_t kLongExpression = 80;
    const Failure& failure = records_.failures.front();
    const bool has_more = failure.message.find('\n') != std::string::npos;
    std::string text;
    for (const std::string& line : PlainLines(failure.message)) {
      const size_t begin = line.find_first_not_of(" \t");
      if (begin == std::string::npos) continue;
      const std::string words = line.substr(begin);
      if (has_more && words.starts_with("Value of: ") && words.size() > kLongExpression) continue;
      text += (text.empty() ? "" : "; ") + words;
    }
    return fmt::format("{}:{}: {}", OneLine(failure.file, 100), failure.line, OneLine(text, 240));
  }

  const ListedCase& listed_;
  const GuestOutcome& outcome_;
  const CaseRecords records_;
  const std::vector<std::string> complaints_;
  CaseResult result_;
};

constexpr std::array<Verdict, 7> kFromBestToWorst{
    Verdict::kPass,    Verdict::kAbsent, Verdict::kUnmet, Verdict::kError,
    Verdict::kTimeout, Verdict::kFail,   Verdict::kCrash};

CaseResult JudgeAttempt(const CaseToJudge& which, const Attempt& attempt) {
  if (attempt.outcome) return Judge(which, *attempt.outcome);
  CaseResult result = Blank(which);
  result.verdict = Verdict::kError;
  result.reason = OneLine(attempt.error);
  return result;
}

}  // namespace

CaseResult Judge(const CaseToJudge& which, const GuestOutcome& outcome) {
  return Judgement(which, outcome, ReadCaseRecords(outcome.records, which.listed->name)).Result();
}

CaseResult Judge(const CaseToJudge& which, const std::vector<Attempt>& attempts) {
  std::vector<CaseResult> results;
  std::int64_t duration_ms = 0;
  for (const Attempt& attempt : attempts) {
    results.push_back(JudgeAttempt(which, attempt));
    duration_ms += attempt.duration_ms;
  }
  CaseResult worst = *std::ranges::max_element(results, {}, [](const CaseResult& result) {
    return std::ranges::find(kFromBestToWorst, result.verdict);
  });
  worst.duration_ms = duration_ms;
  worst.attempts = static_cast<int>(attempts.size());
  worst.passes =
      static_cast<int>(std::ranges::count(results, Verdict::kPass, &CaseResult::verdict));
  return worst;
}

CaseResult JudgeProbe(const CaseToJudge& which, const GuestOutcome& outcome) {
  CaseRecords records;
  records.starts = records.ends = 1;
  records.passed = true;
  records.problem = ReadProbeRecords(outcome.records).problem;
  return Judgement(which, outcome, std::move(records)).Result();
}

CaseResult NotRun(const CaseToJudge& which, const WhyLeft& why) {
  CaseResult result = Blank(which);
  result.verdict = why.verdict;
  result.reason = why.reason;
  result.attempts = 0;
  return result;
}

void MatchErratum(CaseResult& result, const Catalogue& catalogue, const KernelVersion& version) {
  if (!IsNonconformant(result.verdict)) return;
  const auto applies = [&](const Erratum& erratum) {
    const auto names = [&](const std::string& glob) { return GlobMatches(glob, result.case_name); };
    return (erratum.cases.empty() || std::ranges::any_of(erratum.cases, names)) &&
           erratum.affected.Matches(version);
  };
  for (const std::string& id : result.requirements) {
    const Requirement* requirement = catalogue.FindRequirement(id);
    if (requirement == nullptr) continue;
    const auto erratum = std::ranges::find_if(requirement->errata, applies);
    if (erratum == requirement->errata.end()) continue;
    result.erratum = ErratumMatch{id, erratum->fixed, erratum->text, erratum->source};
    result.reason = (erratum->fixed.empty() ? std::string("known, not fixed yet: ")
                                            : "known: fixed in " + erratum->fixed + ": ") +
                    result.reason;
    return;
  }
}

}  // namespace kassay
