// The table of security-relevant options: which are on, off or gone, whether the running system
// agrees, and why each matters. Read from the evidence that cases keep under the keys
// posture.option, posture.configured, posture.running, posture.why and posture.note.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/result/run_result.h"

namespace kassay {

enum class Agreement {
  kYes,         // what runs is what is configured
  kNo,          // it is not: the case failed
  kConfigOnly,  // nothing in the running system shows it
  kOverridden,  // a boot parameter says otherwise, so there is nothing to agree with
};
// "yes", "NO", "-", "set at boot"
[[nodiscard]] std::string_view ToString(Agreement agreement);

struct PostureRow {
  std::string option;
  std::string configured;  // "on", "on (VALUE)", "off", "gone": no such option in this kernel
  std::string running;     // "on", "off", "unseen: reason"
  Agreement agreement = Agreement::kYes;
  std::string why;
  std::string note;  // mostly empty
};

// What does not agree first, then by option. Empty if no case of the run kept such evidence.
[[nodiscard]] std::vector<PostureRow> PostureOf(const RunResult& run);

// As Markdown that reads well in a terminal too: the kernel, how many options are on, off and gone,
// and the table. Text from the guest cannot become markup. Empty if there is no row.
[[nodiscard]] std::string PostureTableOf(const RunResult& run);

}  // namespace kassay
