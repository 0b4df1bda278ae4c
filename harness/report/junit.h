// JUnit XML, as CI systems read it: a test suite for each of kassay's, a test case for each case.
// fail, crash and timeout become <failure>, error becomes <error>, absent and unmet <skipped> with
// their reason.
#pragma once

#include <string>

#include "harness/result/run_result.h"

namespace kassay {

[[nodiscard]] std::string JUnitOf(const RunResult& run);

}  // namespace kassay
