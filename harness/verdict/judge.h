// From what a guest did to a verdict. Pure functions: the same outcome gives the same verdict, so
// that whoever holds the journal of a run can compute its verdicts again.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/result/run_result.h"
#include "harness/suite/case_list.h"
#include "harness/suite/catalogue.h"
#include "harness/target/guest.h"
#include "harness/verdict/journal.h"

namespace kassay {

// Which case was to run.
struct CaseToJudge {
  std::string suite;
  std::string profile;
  const ListedCase* listed = nullptr;  // never null
};

// The result of one run of the case, without duration and erratum. In this order:
//   error    the guest broke the protocol
//   pass     a case that expects a panic, and the console shows the one that it expects
//   crash    the kernel died, complained in its log, or got a taint that the case does not allow
//   timeout  the program outlived its limit, or the machine went silent
//   error    a record is malformed or names another case
//   fail     an assertion failed, a signal killed the program, or an expected panic did not come
//   absent, unmet   the case said so
//   error    the program did not run the case from start to end, or its exit code contradicts it
//   pass     it began, it ended, it passed, and the program exited with 0
[[nodiscard]] CaseResult Judge(const CaseToJudge& which, const GuestOutcome& outcome);

// The result of a case from all of its attempts, at least one. The worst verdict stands; attempts
// that passed are counted. An attempt without an outcome is `error`.
[[nodiscard]] CaseResult Judge(const CaseToJudge& which, const std::vector<Attempt>& attempts);

// A suite's probe, judged as a case would be: `pass` if the kernel came to no harm, the program
// ended well and its records are whole.
[[nodiscard]] CaseResult JudgeProbe(const CaseToJudge& which, const GuestOutcome& outcome);

// Why a case is left without a machine.
struct WhyLeft {
  std::string reason;                  // empty: it runs
  Verdict verdict = Verdict::kAbsent;  // kUnmet where its surroundings lack something
  [[nodiscard]] bool Runs() const { return reason.empty(); }
};

// The result of a case that was left.
[[nodiscard]] CaseResult NotRun(const CaseToJudge& which, const WhyLeft& why);

// Looks for a known bug of a kernel of this version that explains a fail, crash or timeout; the
// reason then begins with "known: fixed in 7.1.8: " or "known, not fixed yet: ".
void MatchErratum(CaseResult& result, const Catalogue& catalogue, const KernelVersion& version);

}  // namespace kassay
