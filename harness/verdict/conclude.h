// From a run's record to its result, in one place: the run itself, --resume, `kassay report`, a
// certificate and its verification all come here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/result/run_result.h"
#include "harness/verdict/feature_status.h"
#include "harness/verdict/judge.h"
#include "harness/verdict/run_record.h"

namespace kassay {

// How the features of a suite stand on this kernel.
struct SuiteStanding {
  Standings features;
  std::vector<std::string> notes;       // for the run: what the probe said against the config, ...
  std::optional<CaseResult> bad_probe;  // a probe that did harm, or broke the protocol
};

// `probe` is null if the suite's probe could not be run.
[[nodiscard]] SuiteStanding StandingOf(const Suite& suite, const std::string& profile_override,
                                       const GuestOutcome* probe, const KernelFacts& kernel);

// The result of a case that ran: its verdict, its features, and the known bug behind it.
[[nodiscard]] CaseResult ConcludeCase(const CaseToJudge& which,
                                      const std::vector<Attempt>& attempts,
                                      const Catalogue& catalogue, const KernelFacts& kernel);

// The version that a kernel is judged by.
[[nodiscard]] Result<KernelVersion> VersionOf(const KernelIdentity& kernel);

// A pure function of the record. The result holds what the record tells: cases that were not
// reached are not in it, and `interrupted` says that it did not come to its end. Refused
// (kNonconformant): a case that is there twice (one that failed by the harness's own fault may have
// been tried again), one of no suite, one that ran where it could not.
[[nodiscard]] Result<RunResult> Conclude(const RunRecord& record);

}  // namespace kassay
