// A run as a KCIDB report, I/O schema 5.3: one checkout, one build (the kernel under test) and one
// test for each case.
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/result/run_result.h"

namespace kassay {

// `origin` is the name of the submitting CI system: lower-case letters, digits and '_'.
//
//   pass -> PASS   fail, crash, timeout -> FAIL   absent -> SKIP   unmet -> MISS   error -> ERROR
//
// What KCIDB has no field for (requirements, reason, evidence, measures, known bug, waiver) stands
// in "misc".
[[nodiscard]] Result<std::string> KcidbOf(const RunResult& run, const std::string& origin);

}  // namespace kassay
