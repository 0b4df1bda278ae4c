// Which of a row of kernels is the first that is bad.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "harness/base/result.h"
#include "harness/result/run_result.h"

namespace kassay {

enum class CaseStanding {
  kGood,    // the case passes
  kBad,     // it does not hold: fail, crash, timeout
  kUntold,  // absent, unmet, error: this kernel says nothing
};
[[nodiscard]] CaseStanding CaseStandingOf(Verdict verdict);

struct BisectOutcome {
  size_t last_good = 0;
  size_t first_bad = 0;        // last_good + 1, unless kernels between them could not tell
  std::vector<size_t> untold;  // between them
  size_t asked = 0;            // kernels that were tried, the ends included
};

// `count` kernels, oldest first; `ask` runs one. The first must be good and the last bad (usage
// errors otherwise). A kernel that cannot tell is passed over for its neighbours.
[[nodiscard]] Result<BisectOutcome> Bisect(size_t count,
                                           const std::function<Result<CaseStanding>(size_t)>& ask);

}  // namespace kassay
