// The part of include/uapi/linux/io_uring.h, io_uring/query.h and io_uring/bpf_filter.h (Linux 7.0)
// that the cases use, under our own names: Debian 12's header ends at 6.1, and a case must see the
// layout that the requirement promises, not the one of the build host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace kassay::uring {

// Request opcodes; the count is kernel 7.0's. enum without class: they are numbers of the
// interface.
enum Op : uint8_t {
  kNop = 0,
  kReadv = 1,
  kFsync = 3,
  kPollAdd = 6,
  kPollRemove = 7,
  kSendmsg = 9,
  kTimeout = 11,
  kAsyncCancel = 14,
  kLinkTimeout = 15,
  kConnect = 16,
  kOpenAt = 18,
  kClose = 19,
  kStatx = 21,
  kRead = 22,
  kWrite = 23,
  kOpenAt2 = 28,
  kProvideBuffers = 31,
  kShutdown = 34,
  kUnlinkAt = 36,
  kMkdirAt = 37,
  kMsgRing = 40,
  kSocket = 45,
  kUringCmd = 46,
  kReadMultishot = 49,
  kFtruncate = 55,
  kBind = 56,
  kListen = 57,
  kPipe = 62,
  kNop128 = 63,
  kUringCmd128 = 64,
};
inline constexpr unsigned kOpCount70 = 65;  // IORING_OP_LAST of 6.19 to 7.3

enum SqeFlag : uint8_t {
  kFixedFile = 0x01,
  kDrain = 0x02,
  kLink = 0x04,
  kHardlink = 0x08,
  kAsync = 0x10,
  kBufferSelect = 0x20,
  kSkipCqe = 0x40,
  kInvalidSqeFlag = 0x80,
};

enum SetupFlag : uint32_t {
  kSqPoll = 1U << 1,
  kSetupCqSize = 1U << 3,
  kAttachWq = 1U << 5,
  kDisabled = 1U << 6,
  kSubmitAll = 1U << 7,
  kCoopTaskrun = 1U << 8,
  kSqe128 = 1U << 10,
  kSingleIssuer = 1U << 12,
  kDeferTaskrun = 1U << 13,
  kNoSqArray = 1U << 16,
  kSqeMixed = 1U << 19,
};

enum EnterFlag : uint32_t {
  kGetEvents = 1U << 0,
  kSqWakeup = 1U << 1,
  kRegisteredRing = 1U << 4,
  kExtArg = 1U << 3,
};
inline constexpr uint32_t kSqNeedWakeup = 1U << 0;  // in the SQ ring's flags word

enum RegisterOp : uint32_t {
  kRegisterFiles = 2,
  kRegisterProbe = 8,
  kRegisterPersonality = 9,
  kRegisterRestrictions = 11,
  kRegisterEnableRings = 12,
  kRegisterRingFds = 20,
  kUnregisterRingFds = 21,
  kRegisterCloneBuffers = 30,
  kRegisterSendMsgRing = 31,
  kRegisterResizeRings = 33,
  kRegisterQuery = 35,
  kRegisterBpfFilter = 37,
};
inline constexpr unsigned kRegisterOpCount70 = 38;        // IORING_REGISTER_LAST of 7.0 to 7.3
inline constexpr uint32_t kUseRegisteredRing = 1U << 31;  // bit in io_uring_register's opcode

enum RestrictionKind : uint16_t {
  kAllowRegisterOp = 0,
  kAllowSqeOp = 1,
  kAllowSqeFlags = 2,
  kRequireSqeFlags = 3,
};
inline constexpr unsigned kRestrictionKinds = 4;

// struct io_uring_restriction
struct Restriction {
  uint16_t kind = 0;
  uint8_t value = 0;  // register op, request op or request flags
  uint8_t resv = 0;
  uint32_t resv2[3] = {};
};
static_assert(sizeof(Restriction) == 16);
static_assert(offsetof(Restriction, value) == 2);
static_assert(offsetof(Restriction, resv2) == 4);

// struct io_uring_task_restriction; the restrictions follow it.
struct TaskRestrictionHead {
  uint16_t flags = 0;
  uint16_t count = 0;
  uint32_t resv[3] = {};
};
static_assert(sizeof(TaskRestrictionHead) == 16);
static_assert(offsetof(TaskRestrictionHead, count) == 2);
static_assert(offsetof(TaskRestrictionHead, resv) == 4);

inline constexpr uint16_t kBpfCommandFilter = 1;
enum FilterFlag : uint32_t { kDenyRest = 1, kSizeStrict = 2 };

// struct io_uring_bpf_filter
struct BpfFilterSpec {
  uint32_t opcode = 0;
  uint32_t flags = 0;
  uint32_t length = 0;  // instructions
  uint8_t pdu_size = 0;
  uint8_t resv[3] = {};
  uint64_t program = 0;
  uint64_t resv2[5] = {};
};
static_assert(sizeof(BpfFilterSpec) == 64);
static_assert(offsetof(BpfFilterSpec, length) == 8);
static_assert(offsetof(BpfFilterSpec, pdu_size) == 12);
static_assert(offsetof(BpfFilterSpec, program) == 16);
static_assert(offsetof(BpfFilterSpec, resv2) == 24);

// struct io_uring_bpf
struct BpfRequest {
  uint16_t command = kBpfCommandFilter;
  uint16_t command_flags = 0;
  uint32_t resv = 0;
  BpfFilterSpec filter;
};
static_assert(sizeof(BpfRequest) == 72);
static_assert(offsetof(BpfRequest, resv) == 4);
static_assert(offsetof(BpfRequest, filter) == 8);

// struct io_uring_bpf_ctx, of which a program loads words: offsets for BPF_ABS.
struct BpfContext {
  uint64_t user_data;
  uint8_t opcode;
  uint8_t sqe_flags;
  uint8_t pdu_size;
  uint8_t pad[5];
  uint8_t data[24];
};
static_assert(sizeof(BpfContext) == 40);
static_assert(offsetof(BpfContext, opcode) == 8);
static_assert(offsetof(BpfContext, data) == 16);

// struct io_uring_sqe
struct Sqe {
  uint8_t opcode = 0;
  uint8_t flags = 0;
  uint16_t ioprio = 0;
  int32_t fd = -1;
  uint64_t off = 0;
  uint64_t addr = 0;
  uint32_t len = 0;
  uint32_t op_flags = 0;
  uint64_t user_data = 0;
  uint16_t buf_index = 0;
  uint16_t personality = 0;
  uint32_t file_index = 0;
  uint64_t addr3 = 0;
  uint64_t pad = 0;
};
static_assert(sizeof(Sqe) == 64);
static_assert(offsetof(Sqe, off) == 8);
static_assert(offsetof(Sqe, op_flags) == 28);
static_assert(offsetof(Sqe, user_data) == 32);
static_assert(offsetof(Sqe, personality) == 42);
static_assert(offsetof(Sqe, file_index) == 44);
static_assert(offsetof(Sqe, addr3) == 48);

// struct io_uring_cqe
struct Cqe {
  uint64_t user_data;
  int32_t res;
  uint32_t flags;
};
static_assert(sizeof(Cqe) == 16);
inline constexpr uint32_t kCqeMore = 1U << 1;

// struct io_sqring_offsets and io_cqring_offsets
struct SqOffsets {
  uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, resv1;
  uint64_t user_addr;
};
struct CqOffsets {
  uint32_t head, tail, ring_mask, ring_entries, overflow, cqes, flags, resv1;
  uint64_t user_addr;
};
// struct io_uring_params
struct Params {
  uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd, resv[3];
  SqOffsets sq_off;
  CqOffsets cq_off;
};
static_assert(sizeof(SqOffsets) == 40 && sizeof(CqOffsets) == 40);
static_assert(sizeof(Params) == 120);
static_assert(offsetof(Params, sq_off) == 40);

// struct io_uring_getevents_arg, the argument of io_uring_enter with kExtArg
struct GetEventsArg {
  uint64_t sigmask;
  uint32_t sigmask_size;
  uint32_t min_wait_usec;
  uint64_t timespec;
};
static_assert(sizeof(GetEventsArg) == 24);

// struct io_uring_query_hdr and io_uring_query_opcode
struct QueryHeader {
  uint64_t next_entry = 0;
  uint64_t query_data = 0;
  uint32_t query_op = 0;  // 0: opcodes
  uint32_t size = 0;
  int32_t result = 0;
  uint32_t resv[3] = {};
};
static_assert(sizeof(QueryHeader) == 40);
struct QueryOpcodes {
  uint32_t request_opcodes, register_opcodes;
  uint64_t features, setup_flags, enter_flags, sqe_flags;
  uint32_t query_opcodes, pad;
};
static_assert(sizeof(QueryOpcodes) == 48);

// struct io_uring_clone_buffers
struct CloneBuffers {
  uint32_t src_fd = 0, flags = 0, src_off = 0, dst_off = 0, count = 0, pad[3] = {};
};
static_assert(sizeof(CloneBuffers) == 32);

// struct io_uring_rsrc_update, the argument of RING_FDS
struct RingFdUpdate {
  uint32_t offset = 0, resv = 0;
  uint64_t data = 0;
};
static_assert(sizeof(RingFdUpdate) == 16);

static_assert(std::is_trivially_copyable_v<Sqe> && std::is_trivially_copyable_v<BpfRequest>);

}  // namespace kassay::uring
