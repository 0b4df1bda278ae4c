#include "suites/selinux_bpf_token/fd_passing.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace kassay::selinux {
namespace {

// One message with room for a descriptor.
class FdMessage {
 public:
  FdMessage(void* data, std::size_t size) : data_{data, size} {
    header_.msg_iov = &data_;
    header_.msg_iovlen = 1;
    header_.msg_control = control_.data();
    header_.msg_controllen = control_.size();
  }
  FdMessage(const FdMessage&) = delete;
  FdMessage& operator=(const FdMessage&) = delete;
  [[nodiscard]] msghdr& header() { return header_; }

 private:
  iovec data_;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control_{};
  msghdr header_{};
};

}  // namespace

long SendWithFd(int socket, const void* data, std::size_t size, int fd) {
  FdMessage message(const_cast<void*>(data), size);
  msghdr& header = message.header();
  if (fd >= 0) {
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  } else {
    header.msg_control = nullptr;
    header.msg_controllen = 0;
  }
  return sendmsg(socket, &header, 0) < 0 ? -errno : 0;
}

Received ReceiveWithFd(int socket, void* data, std::size_t size) {
  FdMessage message(data, size);
  msghdr& header = message.header();
  Received received;
  received.bytes = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  if (received.bytes < 0) {
    received.bytes = -errno;
    return received;
  }
  if (const cmsghdr* rights = CMSG_FIRSTHDR(&header); rights != nullptr) {
    int fd = -1;
    memcpy(&fd, CMSG_DATA(rights), sizeof fd);
    received.fd.Reset(fd);
  }
  received.cut_off = (header.msg_flags & MSG_CTRUNC) != 0;
  return received;
}

}  // namespace kassay::selinux
