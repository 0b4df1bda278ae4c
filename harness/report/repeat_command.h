// How a person runs one case again.
#pragma once

#include <string>

#include "harness/result/run_result.h"

namespace kassay {

// The one command that runs this case again, quoted for a POSIX shell.
[[nodiscard]] std::string CommandThatRepeats(const RunResult& run, const CaseResult& result);

}  // namespace kassay
