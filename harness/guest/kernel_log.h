// /dev/kmsg: the kernel's own lines since a moment.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "harness/base/unique_fd.h"
#include "harness/protocol/message.h"

namespace kassay::guest {

// One record as /dev/kmsg gives it ("PRIORITY,SEQUENCE,MICROSECONDS,FLAGS[,...];TEXT\n
// KEY=VALUE..", Documentation/ABI/testing/dev-kmsg). Nothing if user space wrote it (facility not
// 0) or if it does not look like that.
[[nodiscard]] std::optional<protocol::KernelLine> ParseKmsgRecord(std::string_view record);

class KernelLog {
 public:
  // From now on.
  KernelLog();
  // Hands over what came since, up to `most` lines; returns how many times lines were overwritten
  // before they could be read.
  [[nodiscard]] std::uint64_t Read(
      std::size_t most, const std::function<void(const protocol::KernelLine&)>& on_line) const;

 private:
  UniqueFd fd_;
};

// Writes a line of its own into the kernel log (facility user, level notice).
void WriteKernelLog(const std::string& line);

}  // namespace kassay::guest
