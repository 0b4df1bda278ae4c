// What is wrong in a run, where a forge shows it beside the code.
#pragma once

#include <string>

#include "harness/result/run_result.h"

namespace kassay {

// GitHub workflow commands, one a line: errors for what does not hold, warnings for what is waived
// or known. Guest text is escaped and cannot begin a command of its own.
[[nodiscard]] std::string GitHubAnnotationsOf(const RunResult& run);

// A GitLab code quality report: a JSON list of findings with stable fingerprints.
[[nodiscard]] std::string GitLabCodeQualityOf(const RunResult& run);

}  // namespace kassay
