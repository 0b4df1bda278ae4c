// KTAP version 1 (Documentation/dev-tools/ktap.rst of the kernel): a test for each suite, a subtest
// for each case. Each result of a case stands there twice: nested, as kunit.py reads it, and behind
// a '#', as kselftest's runner prints it (tools/testing/selftests/kselftest/runner.sh) and openQA
// and others read it.
#pragma once

#include <string>

#include "harness/result/run_result.h"

namespace kassay {

// Verdicts: pass is "ok"; fail and crash "not ok"; timeout "not ok ... # TIMEOUT"; error "not ok
// ... # ERROR"; absent and unmet "ok ... # SKIP"; a waived finding "ok ... # XFAIL", as
// kselftest.h prints it. A suite all of whose cases are absent or unmet is "ok ... # SKIP".
[[nodiscard]] std::string KtapOf(const RunResult& run);

}  // namespace kassay
