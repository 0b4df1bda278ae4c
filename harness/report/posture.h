// The table of security-relevant options: which are on, off or gone, whether the running system
// agrees, and why each matters. Read from the evidence that cases keep under the keys
// posture.option, posture.configured, posture.running, posture.why and posture.note.
#pragma once

#include <string>

#include "harness/result/run_result.h"

namespace kassay {

// As Markdown that reads well in a terminal too: the kernel, how many options are on, off and gone,
// and the table, what does not agree first, then by option. Text from the guest cannot become
// markup. Empty if no case of the run kept such evidence.
[[nodiscard]] std::string PostureTableOf(const RunResult& run);

}  // namespace kassay
