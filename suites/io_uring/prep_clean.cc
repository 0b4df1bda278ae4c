#include "suites/io_uring/prep_clean.h"

#include <sys/wait.h>

#include "suites/support/kernel_config.h"

namespace kassay::uring {
namespace {

// Operations without a builder of their own; see enum io_uring_op in include/uapi/linux/io_uring.h.
enum : uint8_t {
  kWritev = 2,
  kRecvmsg = 10,
  kFilesUpdate = 20,
  kMadvise = 25,
  kSend = 26,
  kEpollCtl = 29,
  kSplice = 30,
  kRemoveBuffers = 32,
  kTee = 33,
  kRenameAt = 35,
  kSymlinkAt = 38,
  kLinkAt = 39,
  kFsetxattr = 41,
  kSetxattr = 42,
  kFgetxattr = 43,
  kGetxattr = 44,
  kSendZc = 47,
  kSendmsgZc = 48,
  kWaitid = 50,
  kFutexWait = 51,
  kFutexWake = 52,
  kFutexWaitv = 53,
  kFixedFdInstall = 54,
  kRecvZc = 58,
  kEpollWait = 59,
  kReadvFixed = 60,
  kWritevFixed = 61,
};
constexpr uint32_t kFutexFlags = 0x02 | 128;  // FUTEX2_SIZE_U32 | FUTEX2_PRIVATE
constexpr int kNoProcess = 0x3fffffff;

}  // namespace

PrepCleanRequests::PrepCleanRequests() {
  vector_[0] = {buffer_.data(), buffer_.size()};
  message_.msg_iov = vector_.data();
  message_.msg_iovlen = vector_.size();
  address_.sin_family = AF_INET;
  futex_.val = 1;  // not the word's value: a wait returns at once
  futex_.uaddr = AddressOf(&futex_word_);
  futex_.flags = kFutexFlags;
}

std::vector<uint8_t> PrepCleanRequests::Operations() {
  const Ring ring;
  // IORING_REGISTER_PROBE calls it supported whatever was built
  // (io_uring/advise.c:io_madvise_prep).
  const bool no_advice = OptionIsOff("CONFIG_ADVISE_SYSCALLS");
  std::vector<uint8_t> operations;
  for (uint8_t op = 0; op < kOpCount70; ++op) {
    if (op == kLinkTimeout || op == kRecvZc || (op == kMadvise && no_advice)) continue;
    if (ring.Supports(op)) operations.push_back(op);
  }
  return operations;
}

Sqe PrepCleanRequests::For(uint8_t op) {
  Sqe request{.opcode = op, .fd = -1};
  const auto use_buffer = [&] {
    request.addr = AddressOf(buffer_.data());
    request.len = buffer_.size();
  };
  switch (op) {
    case kReadv:
    case kWritev:
    case kReadvFixed:
    case kWritevFixed:
      request.addr = AddressOf(vector_.data());
      request.len = 1;
      break;
    case kSendmsg:
    case kRecvmsg:
    case kSendmsgZc:
      request.addr = AddressOf(&message_);
      request.len = 1;
      break;
    case kTimeout:
      return Timeout(&now_);
    case kConnect:
      return Connect(-1, &address_, sizeof address_);
    case kOpenAt:
      return OpenAt(kPath, O_RDONLY);
    case kOpenAt2:
      return OpenAt2(kPath, &how_);
    case kMkdirAt:
      return MkdirAt(kPath);
    case kStatx:
      request.addr = AddressOf(kPath);
      request.off = AddressOf(buffer_.data());
      break;
    case kFilesUpdate:
      request.addr = AddressOf(descriptors_.data());
      request.len = 1;
      break;
    case kReadMultishot:
      request.flags = kBufferSelect;
      break;
    case kMadvise:
      break;
    case kEpollCtl:
      request.len = EPOLL_CTL_ADD;
      request.addr = AddressOf(&event_);
      break;
    case kSplice:
    case kTee:
      request.file_index = ~0U;
      break;
    case kProvideBuffers:
      use_buffer();
      request.fd = 1;  // how many
      break;
    case kRemoveBuffers:
      request.fd = 1;
      break;
    case kUnlinkAt:
      request.addr = AddressOf(kPath);
      break;
    case kRenameAt:
    case kSymlinkAt:
    case kLinkAt:
      request.addr = request.off = AddressOf(kPath);
      break;
    case kSetxattr:
    case kGetxattr:
      request.addr3 = AddressOf(kPath);
      [[fallthrough]];
    case kFsetxattr:
    case kFgetxattr:
      request.addr = AddressOf("user.kassay");
      request.off = AddressOf(buffer_.data());
      request.len = 1;
      break;
    case kSocket:
      return Socket(0x7f);  // no such family
    case kWaitid:
      request.fd = kNoProcess;
      request.len = P_PID;
      request.file_index = WEXITED | WNOHANG;
      break;
    case kFutexWait:
    case kFutexWake:
      request.fd = kFutexFlags;
      request.addr = AddressOf(&futex_word_);
      request.off = 1;
      request.addr3 = ~0U;
      break;
    case kFutexWaitv:
      request.fd = 0;
      request.addr = AddressOf(&futex_);
      request.len = 1;
      break;
    case kFixedFdInstall:
      request.flags = kFixedFile;
      break;
    case kBind:
      request.addr = AddressOf(&address_);
      request.off = sizeof address_;
      break;
    case kEpollWait:
      request.addr = AddressOf(&event_);
      request.len = 1;
      break;
    case kPipe:
      request.fd = 0;
      request.addr = 8;  // where the descriptors cannot be stored
      break;
    case kRead:
    case kWrite:
    case kSend:
    case kSendZc:
      use_buffer();
      break;
    default:
      break;
  }
  return request;
}

int DoPrepClean(Ring& ring, const Sqe& request) {
  if (request.opcode != kNop128 && request.opcode != kUringCmd128) return ring.Do(request);
  ring.QueueWide(request);
  if (ring.SubmitQueued() != 2) return kNotSubmitted;
  const auto completion = ring.Wait();
  return completion ? completion->res : kNoCompletion;
}

}  // namespace kassay::uring
