// Processes that a SIGKILL does not end.
#pragma once

#include <string>

namespace kassay::guest {

// "pid 12 (io_uring) in state D at io_cancel_pending < ..."; empty if user space is empty but for
// PID 1. At most protocol::kMaxTextBytes.
[[nodiscard]] std::string DescribeLeftovers();

}  // namespace kassay::guest
