// Messages over a Unix socket that carry a descriptor (unix(7), SCM_RIGHTS).
#pragma once

#include <cstddef>

#include "harness/base/unique_fd.h"

namespace kassay::selinux {

// Sends `size` bytes, and `fd` with them unless it is negative. 0 or -errno.
[[nodiscard]] long SendWithFd(int socket, const void* data, std::size_t size, int fd);

struct Received {
  long bytes = 0;        // or -errno
  UniqueFd fd;           // closed: none came
  bool cut_off = false;  // MSG_CTRUNC: one was sent and not let in
};
// Takes one message of at most `size` bytes.
[[nodiscard]] Received ReceiveWithFd(int socket, void* data, std::size_t size);

}  // namespace kassay::selinux
