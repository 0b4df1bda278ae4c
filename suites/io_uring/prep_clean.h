// For each operation a request whose preparation succeeds and whose execution then fails at once
// and without effect (a descriptor or a path that does not exist), or succeeds without effect. So
// EACCES can only be a denial, and a denial cannot hide behind an error of preparation.
#pragma once

#include <linux/futex.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include <array>
#include <vector>

#include "suites/io_uring/requests.h"
#include "suites/io_uring/ring.h"

namespace kassay::uring {

class PrepCleanRequests {
 public:
  PrepCleanRequests();
  PrepCleanRequests(const PrepCleanRequests&) = delete;
  PrepCleanRequests& operator=(const PrepCleanRequests&) = delete;

  // All operations that can be prepared alone: LINK_TIMEOUT needs a chain, RECV_ZC a network
  // device.
  [[nodiscard]] static std::vector<uint8_t> Operations();
  [[nodiscard]] Sqe For(uint8_t op);

 private:
  static constexpr const char* kPath = "/kassay/does/not/exist";

  std::array<char, 512> buffer_{};
  std::array<iovec, 1> vector_{};
  std::array<int, 1> descriptors_{-1};
  msghdr message_{};
  open_how how_{};
  __kernel_timespec now_{};
  sockaddr_in address_{};
  epoll_event event_{};
  uint32_t futex_word_ = 0;
  futex_waitv futex_{};
};

// Runs it on a kSqeMixed ring, as one or two entries.
int DoPrepClean(Ring& ring, const Sqe& request);

}  // namespace kassay::uring
