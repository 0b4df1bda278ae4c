// A ring on raw system calls. Results are the kernel's own: a value >= 0 or a negative errno, so
// that the same matcher (IsErrno) fits a registration, an enter and a completion, and so that
// children can hand them on.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "harness/base/unique_fd.h"
#include "suites/io_uring/uapi.h"

namespace kassay::uring {

// Instead of a completion's result; outside the range of errnos.
inline constexpr int kNotSubmitted = -100000;  // io_uring_enter did not consume the request
inline constexpr int kNoCompletion = -100001;  // no completion within the limit

inline constexpr int kWaitMs = 5000;  // long enough for emulation on a loaded host

// A memory mapping with one owner.
class Mapping {
 public:
  Mapping() = default;
  Mapping(void* address, size_t size) : address_(address), size_(size) {}
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  [[nodiscard]] std::byte* At(size_t offset) const {
    return static_cast<std::byte*>(address_) + offset;
  }
  [[nodiscard]] bool IsMapped() const { return address_ != nullptr; }

 private:
  void* address_ = nullptr;
  size_t size_ = 0;
};

struct RingOptions {
  uint32_t flags = 0;
  uint32_t entries = 16;
  uint32_t wq_fd = 0;               // with kAttachWq
  uint32_t sq_thread_idle_ms = 50;  // with kSqPoll
};

int RegisterCall(int fd, uint32_t opcode, const void* argument, uint32_t count);
// The form without a ring: fd -1.
inline int RegisterRingless(uint32_t opcode, const void* argument, uint32_t count) {
  return RegisterCall(-1, opcode, argument, count);
}
// What the kernel says about itself (IORING_REGISTER_QUERY); the return value is the call's.
int QueryKernel(QueryOpcodes* answer);

class Ring {
 public:
  explicit Ring(RingOptions options = {});
  // Takes a ring that someone else made: the descriptor and what io_uring_setup had answered.
  Ring(UniqueFd fd, const Params& params);
  Ring(Ring&&) = default;
  Ring& operator=(Ring&&) = default;

  // The descriptor, or why there is none (negative errno of setup or mmap).
  [[nodiscard]] int SetupResult() const { return setup_result_; }
  [[nodiscard]] bool IsOpen() const { return setup_result_ >= 0; }
  [[nodiscard]] int Fd() const { return fd_.Get(); }
  [[nodiscard]] const Params& SetupParams() const { return params_; }
  void CloseFd() { fd_.Reset(); }
  // After IORING_REGISTER_RESIZE_RINGS, with what that answered: maps the new memory. The queue is
  // as it was.
  bool Remap(const Params& resized);

  [[nodiscard]] int Register(uint32_t opcode, const void* argument = nullptr,
                             uint32_t count = 0) const {
    return RegisterCall(Fd(), opcode, argument, count);
  }
  [[nodiscard]] int Enable() const { return Register(kRegisterEnableRings); }
  // IORING_REGISTER_PROBE into scratch memory: the register operation without side effects.
  [[nodiscard]] int Probe() const;
  // The last request opcode that the kernel knows, by the same operation.
  [[nodiscard]] unsigned LastRequestOp() const;
  // Whether requests of that opcode are built in: without CONFIG_EPOLL, say, IORING_OP_EPOLL_CTL is
  // not, and ends with EOPNOTSUPP (io_uring/opdef.c:io_uring_op_supported).
  [[nodiscard]] bool Supports(uint8_t op) const;

  // Puts a request into the submission queue; nothing is submitted. On a kSqe128 ring the second
  // half is zero.
  void Queue(const Sqe& request);
  // On a kSqeMixed ring: a request of two entries.
  void QueueWide(const Sqe& request);
  // What lies queued and unconsumed, in entries.
  [[nodiscard]] unsigned Queued() const;
  [[nodiscard]] uint32_t SqFlags() const;

  int Enter(unsigned to_submit, unsigned min_complete = 0, uint32_t flags = 0);
  // Submits all that is queued; with an SQPOLL ring it wakes the thread if needed.
  int SubmitQueued();

  // The next completion, if there is one; and the same with a wait of at most `limit_ms`.
  std::optional<Cqe> Reap();
  std::optional<Cqe> Wait(int limit_ms = kWaitMs);

  // Queues, submits and waits; the completion's result. The queue must be empty before.
  int Do(const Sqe& request, int limit_ms = kWaitMs);

 private:
  [[nodiscard]] bool IsPolled() const { return (params_.flags & kSqPoll) != 0; }
  void Map();
  [[nodiscard]] uint32_t* Word(const Mapping& mapping, uint32_t offset) const;
  std::byte* Slot(uint32_t tail);

  UniqueFd fd_;
  Params params_{};
  Mapping rings_;
  Mapping sqes_;
  int setup_result_ = -1;
  unsigned unannounced_ =
      0;  // queued since the last submission; an SQPOLL thread may have them already
};

// Submits the requests together and collects as many completions, in the order in which they came.
struct BatchOutcome {
  int entered = 0;        // io_uring_enter
  std::vector<Cqe> seen;  // at most one a request
};
BatchOutcome SubmitTogether(Ring& ring, std::span<const Sqe> requests);

}  // namespace kassay::uring
