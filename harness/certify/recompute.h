// A run's verdicts from its raw record alone: what the guests did (the journal), which cases there
// were, what they stand for (the catalogues) and the kernel's configuration. Nobody's word is taken
// for a verdict.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/result/run_result.h"
#include "harness/suite/selection.h"
#include "harness/verdict/journal.h"

namespace kassay {

struct RunRecord {
  JournalContent journal;
  std::vector<Suite> suites;  // with all their cases, sorted by name
  KernelConfig config;
};

// Kernel, suites, features and cases of the run; times and surroundings are not part of the record.
// Fails if the journal does not hold every case of the suites exactly once (a case that failed by
// the harness's own fault may have been tried again), or holds another.
[[nodiscard]] Result<RunResult> Recompute(const RunRecord& record);

// Says the first case or feature of `claimed` that is not as recomputed.
[[nodiscard]] Status CheckClaims(const RunResult& recomputed, const RunResult& claimed);

// What SUITE --kassay_list prints, from what ParseCaseList made of it.
[[nodiscard]] std::string ToJson(const CaseList& list);

}  // namespace kassay
