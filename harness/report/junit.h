// JUnit XML, as CI systems read it: a test suite for each of kassay's, a test case for each case.
// fail, crash and timeout become <failure>, error becomes <error>, absent and unmet <skipped> with
// their reason.
#pragma once

#include <string>

#include "harness/result/run_result.h"

namespace kassay {

// Where a case's requirements, evidence and measures stand: Jenkins' xUnit schema knows no
// properties of a case, others show them well.
enum class JUnitDetails { kSystemOut, kProperties };

[[nodiscard]] std::string JUnitOf(const RunResult& run,
                                  JUnitDetails details = JUnitDetails::kSystemOut);

}  // namespace kassay
