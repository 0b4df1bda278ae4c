// How a runtime finds out what this kernel has. These cases run on every kernel: where the
// interface exists, the answer must go with a working interface, and where it does not, the kernel
// must fail closed, with the errno that runtimes know, and without effect.
#include <sys/mman.h>
#include <unistd.h>

#include <array>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/privilege.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/restriction_list.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

using ::testing::ElementsAre;

template <size_t N>
using Seen = std::array<int, N>;

// The call with NULL as a runtime makes it, then a good one, then what a NOP and a CLOSE meet on a
// new ring.
Seen<4> Detect(uint32_t opcode, int (*use)()) {
  if (SetNoNewPrivs() != 0) return {1};
  const int with_null = RegisterRingless(opcode, nullptr, 1);
  const int good = use();
  Ring ring;
  return {with_null, good, ring.Do(Nop()), ring.Do(CloseNothing())};
}

// Before 6.13 there was no call without a ring at all, and -1 was a bad descriptor.
int AnswerToAnUnknownCallWithoutARing() { return RegisterRingless(kRegisterProbe, nullptr, 0); }

KASSAY_CASE(Detection, OfTaskListsTellsTheTruth, Cites("IOU-140").Detection()) {
  const auto seen = InChild([] {
    return Detect(kRegisterRestrictions,
                  [] { return RestrictionList().AllowOp(kClose).ApplyToTask(); });
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  RecordEvidence("register(-1, RESTRICTIONS, NULL, 1)", ErrnoName(-(*seen.value)[0]));
  if ((*seen.value)[0] == -EFAULT) {
    EXPECT_THAT(*seen.value, ElementsAre(IsErrno(EFAULT), 0, IsErrno(EACCES), IsErrno(EBADF)));
  } else {
    const int unknown = AnswerToAnUnknownCallWithoutARing();
    EXPECT_TRUE(unknown == -EINVAL || unknown == -EBADF) << unknown;
    EXPECT_THAT(*seen.value, ElementsAre(unknown, unknown, 0, IsErrno(EBADF)));
  }
}

KASSAY_CASE(Detection, OfTaskFiltersTellsTheTruth, Cites("IOU-141").Detection()) {
  const auto seen =
      InChild([] { return Detect(kRegisterBpfFilter, [] { return DenyOnTask(kNop); }); });
  ASSERT_TRUE(seen.value) << seen.Describe();
  RecordEvidence("register(-1, BPF_FILTER, NULL, 1)", ErrnoName(-(*seen.value)[0]));
  if ((*seen.value)[0] == -EFAULT) {
    EXPECT_THAT(*seen.value, ElementsAre(IsErrno(EFAULT), 0, IsErrno(EACCES), IsErrno(EBADF)));
  } else {
    EXPECT_THAT(*seen.value, ElementsAre(IsErrno(EINVAL), IsErrno(EINVAL), 0, IsErrno(EBADF)));
  }
}

KASSAY_CASE(Detection, OfRingFiltersTellsTheTruth, Cites("IOU-142").Detection()) {
  Ring ring;
  const int with_null = ring.Register(kRegisterBpfFilter, nullptr, 1);
  const int good = DenyOn(ring, kNop);
  RecordEvidence("register(ring, BPF_FILTER, a filter, 1)", ErrnoName(-good));
  if (good == 0) {
    EXPECT_THAT(with_null, IsErrno(EFAULT));
    EXPECT_THAT(ring.Do(Nop()), IsErrno(EACCES));
  } else {
    EXPECT_THAT(good, IsErrno(EINVAL));
    EXPECT_THAT(with_null, IsErrno(EINVAL));
    EXPECT_EQ(ring.Do(Nop()), 0);
  }
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EBADF));
}

// 38 registrations and the calls of 7.0 belong together.
KASSAY_CASE(Detection, ByQueryAgreesWithTheCalls, Cites("IOU-143").Detection()) {
  QueryOpcodes kernel{};
  const int query = QueryKernel(&kernel);
  const auto filter = InChild([] {
    return SetNoNewPrivs() == 0 ? RegisterRingless(kRegisterRestrictions, nullptr, 1) : 1;
  });
  if (query != 0) {
    EXPECT_THAT(query, IsErrno(EINVAL));
    EXPECT_THAT(filter, Returned(::testing::AnyOf(IsErrno(EINVAL), IsErrno(EBADF))));
    return;
  }
  RecordEvidence("opcodes of requests, register and query",
                 std::to_string(kernel.request_opcodes) + ", " +
                     std::to_string(kernel.register_opcodes) + ", " +
                     std::to_string(kernel.query_opcodes));
  EXPECT_THAT(filter, Returned(kernel.register_opcodes > kRegisterBpfFilter ? IsErrno(EFAULT)
                                                                            : IsErrno(EINVAL)));
  const Ring ring;
  EXPECT_THAT(ring.Register(kernel.register_opcodes), IsErrno(EINVAL));
  EXPECT_EQ(kernel.pad, 0U);
  EXPECT_EQ(kernel.sqe_flags, 0x7fU);
  EXPECT_TRUE(kernel.setup_flags & kDisabled);
}

KASSAY_CASE(Detection, NoOtherCallWorksWithoutARing, Cites("IOU-145").Detection()) {
  const int unknown = AnswerToAnUnknownCallWithoutARing();
  EXPECT_TRUE(unknown == -EINVAL || unknown == -EBADF) << unknown;
  for (uint32_t op = 0; op < kRegisterOpCount70 - 1; ++op) {
    if (op == kRegisterRestrictions || op == kRegisterSendMsgRing || op == kRegisterQuery) continue;
    const int result = RegisterRingless(op, nullptr, 0);
    // An operation that an old kernel does not know is invalid before the descriptor is looked at.
    EXPECT_TRUE(result == unknown || result == -EINVAL) << "registration " << op << ": " << result;
  }
}

KASSAY_CASE(Detection, WithoutPrivilegeSaysNothing, Cites("IOU-146").Detection()) {
  EXPECT_THAT(InChild([] {
                const int filter = RegisterRingless(kRegisterBpfFilter, nullptr, 1);
                if (SwitchToUser() != 0) return Seen<4>{1};
                const int denied_list = RegisterRingless(kRegisterRestrictions, nullptr, 1);
                const int denied_filter = RegisterRingless(kRegisterBpfFilter, nullptr, 1);
                const int denied_count = RegisterRingless(kRegisterBpfFilter, nullptr, 0);
                if (filter == -EFAULT) return Seen<4>{0, denied_list, denied_filter, denied_count};
                // Older kernels answer as they answer anybody.
                return Seen<4>{0, denied_list == AnswerToAnUnknownCallWithoutARing() ? -EACCES : 1,
                               denied_filter == filter ? -EACCES : 1,
                               denied_count == filter ? -EACCES : 1};
              }),
              Returned(ElementsAre(0, IsErrno(EACCES), IsErrno(EACCES), IsErrno(EACCES))));
}

KASSAY_CASE(Detection, OfARestrictedTaskIsPossible, Cites("IOU-032", "IOU-047")) {
  EXPECT_THAT(InChild([] {
                if (DenyOnTask(kNop) != 0) return Seen<2>{1};
                return Seen<2>{RegisterRingless(kRegisterRestrictions, nullptr, 1),
                               RegisterRingless(kRegisterBpfFilter, nullptr, 1)};
              }),
              Returned(ElementsAre(IsErrno(EPERM), IsErrno(EFAULT))));
}

// What a query cannot answer it says in the entry; only an entry that cannot be read fails the
// call.
KASSAY_CASE(Detection, QueryJudgesEachEntryByItself, Cites("IOU-147")) {
  QueryOpcodes answer{};
  const auto ask = [&](auto spoil) {
    QueryHeader header;
    header.query_data = reinterpret_cast<uintptr_t>(&answer);
    header.size = sizeof answer;
    spoil(header);
    const int call = RegisterRingless(kRegisterQuery, &header, 0);
    return std::pair{call, header.result};
  };
  EXPECT_EQ(ask([](QueryHeader&) {}), (std::pair{0, 0}));
  for (size_t i = 0; i < std::size(QueryHeader{}.resv); ++i)
    EXPECT_EQ(ask([i](QueryHeader& header) { header.resv[i] = 1; }), (std::pair{0, -EINVAL})) << i;
  EXPECT_EQ(ask([](QueryHeader& header) { header.result = 1; }), (std::pair{0, -EINVAL}));
  EXPECT_EQ(ask([](QueryHeader& header) { header.size = 0; }), (std::pair{0, -EINVAL}));
  EXPECT_EQ(ask([](QueryHeader& header) { header.query_op = 1000; }), (std::pair{0, -EOPNOTSUPP}));
  EXPECT_EQ(ask([](QueryHeader& header) { header.next_entry = 8; }).first, -EFAULT);
  QueryHeader header;
  EXPECT_THAT(RegisterRingless(kRegisterQuery, &header, 1), IsErrno(EINVAL));
}

KASSAY_CASE(Detection, QueryOfMoreThanAPageIsRefused, Cites("IOU-144")) {
  const auto page = static_cast<uint32_t>(sysconf(_SC_PAGESIZE));
  const size_t whole = size_t{2} * page;
  const Mapping buffer(
      mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), whole);
  std::memset(buffer.At(0), 0, whole);
  const auto query = [&](uint32_t size) {
    QueryHeader header;
    header.query_data = AddressOf(buffer.At(0));
    header.size = size;
    const int result = RegisterRingless(kRegisterQuery, &header, 0);
    EXPECT_TRUE(result == 0 || header.size == size) << "written back by a refused query";
    return result;
  };
  EXPECT_THAT(query(page + 1), IsErrno(E2BIG));
  EXPECT_THAT(query(~0U), IsErrno(E2BIG));
  EXPECT_EQ(std::to_integer<int>(*buffer.At(0)), 0) << "written by a refused query";
  EXPECT_EQ(query(page), 0);
  EXPECT_NE(std::to_integer<int>(*buffer.At(0)), 0);
}

}  // namespace
}  // namespace kassay::uring
