// The kernel's own complaints about itself, found in its log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kassay {

// The part of a log line behind "<4>[   12.345678] ", "[   12.345678] " or nothing of that kind;
// also behind "[    T123] " as CONFIG_PRINTK_CALLER adds it.
[[nodiscard]] std::string_view LogText(std::string_view line);

// The lines, whole and in order, that report a defect of the kernel: a warning with a trace, an
// oops, a lockdep, RCU, hung-task, lockup or sanitizer report, a panic. What the kernel says about
// a user-space program (a segfault) is none.
[[nodiscard]] std::vector<std::string> KernelComplaints(const std::vector<std::string>& lines);

// Lines of a text; '\r' at their ends is dropped, control characters are replaced by '?', each line
// is cut to `max_bytes`.
[[nodiscard]] std::vector<std::string> PlainLines(std::string_view text,
                                                  std::size_t max_bytes = 1024);

// Letters for taint bits: "W" for bit 9 (TAINT_WARN). A bit without a letter gives "#bit".
[[nodiscard]] std::string TaintLetters(std::uint64_t taint);
// The bits of letters; unknown letters give no bit.
[[nodiscard]] std::uint64_t TaintBits(std::string_view letters);

}  // namespace kassay
