#include "suites/io_uring/ring.h"

#include <linux/time_types.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace kassay::uring {
namespace {

constexpr off_t kOffsetOfSqes = 0x10000000;  // IORING_OFF_SQES

uint32_t LoadAcquire(uint32_t* word) {
  return std::atomic_ref<uint32_t>(*word).load(std::memory_order_acquire);
}
void StoreRelease(uint32_t* word, uint32_t value) {
  std::atomic_ref<uint32_t>(*word).store(value, std::memory_order_release);
}

}  // namespace

Mapping::Mapping(Mapping&& other) noexcept
    : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0)) {}
Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(address_, other.address_);
  std::swap(size_, other.size_);
  return *this;
}
Mapping::~Mapping() {
  if (address_ != nullptr) munmap(address_, size_);
}

int RegisterCall(int fd, uint32_t opcode, const void* argument, uint32_t count) {
  const long result = syscall(SYS_io_uring_register, fd, opcode, argument, count);
  return result < 0 ? -errno : static_cast<int>(result);
}

int QueryKernel(QueryOpcodes* answer) {
  *answer = {};
  QueryHeader header;
  header.query_data = reinterpret_cast<uintptr_t>(answer);
  header.size = sizeof *answer;
  const int result = RegisterRingless(kRegisterQuery, &header, 0);
  return result < 0 ? result : header.result;
}

Ring::Ring(RingOptions options) {
  params_.flags = options.flags;
  params_.wq_fd = options.wq_fd;
  params_.sq_thread_idle = options.sq_thread_idle_ms;
  const long fd = syscall(SYS_io_uring_setup, options.entries, &params_);
  setup_result_ = fd < 0 ? -errno : static_cast<int>(fd);
  fd_.Reset(static_cast<int>(fd < 0 ? -1 : fd));
  if (fd >= 0) Map();
}

Ring::Ring(UniqueFd fd, const Params& params) : fd_(std::move(fd)), params_(params) {
  setup_result_ = fd_.IsOpen() ? fd_.Get() : -EBADF;
  if (fd_.IsOpen()) Map();
}

void Ring::Map() {
  const size_t sq_end = params_.sq_off.array + params_.sq_entries * sizeof(uint32_t);
  const size_t cq_end = params_.cq_off.cqes + params_.cq_entries * sizeof(Cqe);
  const size_t rings_size = std::max(sq_end, cq_end);
  const size_t sqes_size = params_.sq_entries * ((params_.flags & kSqe128) != 0 ? 128 : 64);
  const auto map = [&](size_t size, off_t offset) {
    void* address =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, Fd(), offset);
    if (address == MAP_FAILED) {
      setup_result_ = -errno;
      return Mapping();
    }
    return Mapping(address, size);
  };
  rings_ = map(rings_size, 0);
  sqes_ = map(sqes_size, kOffsetOfSqes);
}

bool Ring::Remap(const Params& resized) {
  rings_ = Mapping();
  sqes_ = Mapping();
  const uint32_t flags = params_.flags;
  params_ = resized;
  params_.flags = flags;
  Map();
  return IsOpen();
}

uint32_t* Ring::Word(const Mapping& mapping, uint32_t offset) const {
  return reinterpret_cast<uint32_t*>(mapping.At(offset));
}

namespace {
// struct io_uring_probe with 256 operations; its first byte is the last opcode.
using ProbeScratch = std::array<std::byte, 16 + 256 * 8>;
}  // namespace

int Ring::Probe() const {
  ProbeScratch scratch{};
  return Register(kRegisterProbe, scratch.data(), 256);
}

unsigned Ring::LastRequestOp() const {
  ProbeScratch scratch{};
  if (Register(kRegisterProbe, scratch.data(), 256) != 0) return 0;
  return std::to_integer<unsigned>(scratch[0]);
}

bool Ring::Supports(uint8_t op) const {
  constexpr std::byte kSupported{1};  // IO_URING_OP_SUPPORTED in io_uring_probe_op.flags
  ProbeScratch scratch{};
  if (Register(kRegisterProbe, scratch.data(), 256) != 0) return false;
  return (scratch[16 + size_t{op} * 8 + 2] & kSupported) != std::byte{};
}

std::byte* Ring::Slot(uint32_t tail) {
  const uint32_t index = tail & (params_.sq_entries - 1);
  if ((params_.flags & kNoSqArray) == 0) Word(rings_, params_.sq_off.array)[index] = index;
  const size_t size = (params_.flags & kSqe128) != 0 ? 128 : 64;
  std::byte* slot = sqes_.At(index * size);
  std::memset(slot, 0, size);
  return slot;
}

void Ring::Queue(const Sqe& request) {
  uint32_t* tail = Word(rings_, params_.sq_off.tail);
  std::memcpy(Slot(*tail), &request, sizeof request);
  StoreRelease(tail, *tail + 1);
  ++unannounced_;
}

void Ring::QueueWide(const Sqe& request) {
  uint32_t* tail = Word(rings_, params_.sq_off.tail);
  Slot(*tail + 1);
  std::memcpy(Slot(*tail), &request, sizeof request);
  StoreRelease(tail, *tail + 2);
  unannounced_ += 2;
}

unsigned Ring::Queued() const {
  return *Word(rings_, params_.sq_off.tail) - LoadAcquire(Word(rings_, params_.sq_off.head));
}

uint32_t Ring::SqFlags() const { return LoadAcquire(Word(rings_, params_.sq_off.flags)); }

int Ring::Enter(unsigned to_submit, unsigned min_complete, uint32_t flags) {
  const long result =
      syscall(SYS_io_uring_enter, Fd(), to_submit, min_complete, flags, nullptr, size_t{0});
  return result < 0 ? -errno : static_cast<int>(result);
}

int Ring::SubmitQueued() {
  if (!IsPolled()) return Enter(Queued());
  // The thread sets its flag before it looks at the tail a last time: a full fence pairs with that.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const bool asleep = (SqFlags() & kSqNeedWakeup) != 0;
  return Enter(std::exchange(unannounced_, 0), 0, asleep ? kSqWakeup : 0U);
}

std::optional<Cqe> Ring::Reap() {
  uint32_t* head = Word(rings_, params_.cq_off.head);
  if (*head == LoadAcquire(Word(rings_, params_.cq_off.tail))) return std::nullopt;
  Cqe completion{};
  std::memcpy(&completion,
              rings_.At(params_.cq_off.cqes + (*head & (params_.cq_entries - 1)) * sizeof(Cqe)),
              sizeof completion);
  StoreRelease(head, *head + 1);
  return completion;
}

std::optional<Cqe> Ring::Wait(int limit_ms) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
  for (;;) {
    if (const auto completion = Reap()) return completion;
    const auto left =
        std::chrono::duration_cast<std::chrono::nanoseconds>(end - std::chrono::steady_clock::now())
            .count();
    if (left <= 0) return std::nullopt;
    const __kernel_timespec limit{left / 1'000'000'000, left % 1'000'000'000};
    const GetEventsArg argument{0, 0, 0, reinterpret_cast<uintptr_t>(&limit)};
    const bool wake = IsPolled() && (SqFlags() & kSqNeedWakeup) != 0;
    const uint32_t flags = kGetEvents | kExtArg | (wake ? kSqWakeup : 0U);
    const long result = syscall(SYS_io_uring_enter, Fd(), 0, 1, flags, &argument, sizeof argument);
    if (result < 0 && errno != EINTR && errno != ETIME) return Reap();
  }
}

int Ring::Do(const Sqe& request, int limit_ms) {
  if (!IsOpen() || (!IsPolled() && Queued() != 0)) return kNotSubmitted;
  Queue(request);
  if (SubmitQueued() != 1) return kNotSubmitted;
  const auto completion = Wait(limit_ms);
  if (!completion || completion->user_data != request.user_data) return kNoCompletion;
  return completion->res;
}

BatchOutcome SubmitTogether(Ring& ring, std::span<const Sqe> requests) {
  BatchOutcome outcome;
  for (const Sqe& request : requests) ring.Queue(request);
  outcome.entered = ring.SubmitQueued();
  for (int i = 0; i < outcome.entered; ++i) {
    const auto completion = ring.Wait();
    if (!completion) break;
    outcome.seen.push_back(*completion);
  }
  return outcome;
}

}  // namespace kassay::uring
