// KTAP version 1 (Documentation/dev-tools/ktap.rst of the kernel): a test for each suite, a subtest
// for each case.
#pragma once

#include <string>

#include "harness/result/run_result.h"

namespace kassay {

// Verdicts: pass is "ok"; fail and crash "not ok"; timeout "not ok ... # TIMEOUT"; error "not ok
// ... # ERROR"; absent and unmet "ok ... # SKIP"; a waived finding "not ok ... # XFAIL".
[[nodiscard]] std::string KtapOf(const RunResult& run);

}  // namespace kassay
