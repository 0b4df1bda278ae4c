// Runs planned cases in guests, several at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/run/run.h"
#include "harness/target/lab.h"
#include "harness/verdict/journal.h"
#include "harness/verdict/judge.h"

namespace kassay {

struct PlannedCase {
  CaseToJudge which;
  const Catalogue* catalogue = nullptr;  // of the suite; never null
  WhyLeft why_left;
};

// Called as cases end, one call at a time; without attempts for a case that did not run.
using OnEnded = std::function<Status(const PlannedCase&, const std::vector<Attempt>&)>;

// Of `options`: jobs, isolation, repeat and limit_scale. Fails if `on_ended` does. On Ctrl-C it
// returns early; what is finished was reported.
[[nodiscard]] Status ExecuteCases(const std::vector<PlannedCase>& cases, Lab& lab,
                                  const RunOptions& options, const NoteSink& note,
                                  const OnEnded& on_ended);

// After such a verdict a machine can no longer be trusted, and its console is worth keeping.
[[nodiscard]] bool IsHarmful(Verdict verdict);

// Calls `work` with 0 ... count-1 from up to `jobs` threads; stops handing out on Ctrl-C or after a
// call failed, and gives the first failure.
[[nodiscard]] Status InParallel(size_t count, int jobs, const std::function<Status(size_t)>& work);

}  // namespace kassay
