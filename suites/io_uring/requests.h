// Requests as the cases use them. Each builder fills exactly what the operation's preparation
// accepts, so that an error of preparation (which comes before a filter and after a list) never
// stands in for a denial.
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/time_types.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

#include "suites/io_uring/uapi.h"

namespace kassay::uring {

inline uint64_t AddressOf(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

inline Sqe WithFlags(Sqe request, uint8_t flags) {
  request.flags |= flags;
  return request;
}
inline Sqe Tagged(Sqe request, uint64_t user_data) {
  request.user_data = user_data;
  return request;
}

inline Sqe Nop() { return {.opcode = kNop}; }
// Without side effects: closes a descriptor that does not exist, so success looks like -EBADF.
inline Sqe CloseNothing() { return {.opcode = kClose, .fd = -1}; }
inline Sqe Close(int fd) { return {.opcode = kClose, .fd = fd}; }
inline Sqe Socket(int family = AF_UNIX, int type = SOCK_STREAM, int protocol = 0) {
  return {.opcode = kSocket,
          .fd = family,
          .off = static_cast<uint64_t>(type),
          .len = static_cast<uint32_t>(protocol)};
}
inline Sqe OpenAt(const char* path, int flags, mode_t mode = 0) {
  return {.opcode = kOpenAt,
          .fd = AT_FDCWD,
          .addr = AddressOf(path),
          .len = mode,
          .op_flags = static_cast<uint32_t>(flags)};
}
inline Sqe OpenAt2(const char* path, const open_how* how) {
  return {.opcode = kOpenAt2,
          .fd = AT_FDCWD,
          .off = AddressOf(how),
          .addr = AddressOf(path),
          .len = sizeof(open_how)};
}
inline Sqe MkdirAt(const char* path, mode_t mode = 0700) {
  return {.opcode = kMkdirAt, .fd = AT_FDCWD, .addr = AddressOf(path), .len = mode};
}
inline Sqe Read(int fd, void* buffer, uint32_t size) {
  return {.opcode = kRead, .fd = fd, .off = ~uint64_t{0}, .addr = AddressOf(buffer), .len = size};
}
inline Sqe Write(int fd, const void* buffer, uint32_t size) {
  return {.opcode = kWrite, .fd = fd, .off = ~uint64_t{0}, .addr = AddressOf(buffer), .len = size};
}
inline Sqe Connect(int fd, const void* address, uint32_t size) {
  return {.opcode = kConnect, .fd = fd, .off = size, .addr = AddressOf(address)};
}
inline Sqe PollAdd(int fd, uint32_t events) {
  return {.opcode = kPollAdd, .fd = fd, .op_flags = events};
}
inline Sqe Timeout(const __kernel_timespec* after) {
  return {.opcode = kTimeout, .fd = -1, .addr = AddressOf(after), .len = 1};
}
inline Sqe LinkTimeout(const __kernel_timespec* after) {
  return {.opcode = kLinkTimeout, .fd = -1, .addr = AddressOf(after), .len = 1};
}
// IORING_MSG_DATA: posts a completion {user_data: data, res: value} on another ring.
inline Sqe MsgRing(int target_fd, uint64_t data, uint32_t value) {
  return {.opcode = kMsgRing, .fd = target_fd, .off = data, .len = value};
}
inline Sqe PipeRequest(int (*ends)[2]) {
  return {.opcode = kPipe, .fd = 0, .addr = AddressOf(ends)};
}

}  // namespace kassay::uring
