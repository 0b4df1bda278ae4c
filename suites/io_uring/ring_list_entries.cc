// What each entry of a ring's list opens and what stays closed: request flags, single operations,
// single registrations, and the order of a denial among other errors.
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/restriction_list.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

Ring EnabledUnder(const RestrictionList& list, uint32_t setup_flags = 0) {
  Ring ring({.flags = kDisabled | setup_flags});
  EXPECT_EQ(list.ApplyTo(ring), 0);
  EXPECT_EQ(ring.Enable(), 0);
  return ring;
}

// The result of a NOP with these flags, on a ring of its own: LINK and DRAIN would reach into a
// next request.
int NopUnder(const RestrictionList& list, unsigned flags) {
  Ring ring = EnabledUnder(list);
  return ring.Do(WithFlags(Nop(), static_cast<uint8_t>(flags)));
}

KASSAY_CASE(RingListFlags, RequiredFlagsMustBeThereAndAllowedOnesMay, Cites("IOU-017")) {
  const RestrictionList list =
      RestrictionList().AllowOp(kNop).RequireFlags(kAsync).AllowFlags(kLink);
  EXPECT_THAT(NopUnder(list, 0), IsErrno(EACCES));
  EXPECT_THAT(NopUnder(list, kLink), IsErrno(EACCES));
  EXPECT_EQ(NopUnder(list, kAsync), 0);
  EXPECT_EQ(NopUnder(list, kAsync | kLink), 0);
  EXPECT_THAT(NopUnder(list, kAsync | kHardlink), IsErrno(EACCES));
}

KASSAY_CASE(RingListFlags, AllRequiredFlagsMustBeThere, Cites("IOU-017")) {
  const RestrictionList list = RestrictionList().AllowOp(kNop).RequireFlags(kAsync | kLink);
  EXPECT_THAT(NopUnder(list, 0), IsErrno(EACCES));
  EXPECT_THAT(NopUnder(list, kAsync), IsErrno(EACCES));
  EXPECT_THAT(NopUnder(list, kLink), IsErrno(EACCES));
  EXPECT_EQ(NopUnder(list, kAsync | kLink), 0);
  EXPECT_THAT(NopUnder(list, kAsync | kLink | kDrain), IsErrno(EACCES));
}

// Flags that a NOP takes without changing its result.
constexpr std::array<unsigned, 5> kNopFlags{kFixedFile, kDrain, kLink, kHardlink, kAsync};

KASSAY_CASE(RingListFlags, EachFlagIsAllowedByItself, Cites("IOU-017")) {
  for (const unsigned allowed : kNopFlags) {
    const RestrictionList list = RestrictionList().AllowOp(kNop).AllowFlags(allowed);
    EXPECT_EQ(NopUnder(list, 0), 0) << "allowed is not required: " << allowed;
    for (const unsigned used : kNopFlags) {
      const int result = NopUnder(list, used);
      if (used == allowed) {
        EXPECT_EQ(result, 0) << used;
      } else {
        EXPECT_THAT(result, IsErrno(EACCES)) << used << " where " << allowed << " is allowed";
      }
    }
  }
}

KASSAY_CASE(RingListFlags, EachFlagIsRequiredByItself, Cites("IOU-017")) {
  for (const unsigned required : kNopFlags) {
    const RestrictionList list = RestrictionList().AllowOp(kNop).RequireFlags(required);
    EXPECT_THAT(NopUnder(list, 0), IsErrno(EACCES)) << required;
    EXPECT_EQ(NopUnder(list, required), 0) << required;
  }
}

KASSAY_CASE(RingListFlags, NoFlagIsAllowedWithoutAnEntry, Cites("IOU-017")) {
  const RestrictionList list = RestrictionList().AllowOp(kNop);
  EXPECT_EQ(NopUnder(list, 0), 0);
  for (const unsigned used : kNopFlags) {
    EXPECT_THAT(NopUnder(list, used), IsErrno(EACCES)) << used;
  }
}

// A success with CQE_SKIP is silent, a denial is not.
KASSAY_CASE(RingListFlags, SkippingCompletionsIsAFlagLikeOthers, Cites("IOU-017")) {
  const auto skipping_nop = [](const RestrictionList& list) {
    Ring ring = EnabledUnder(list);
    ring.Queue(WithFlags(Nop(), kSkipCqe));
    EXPECT_EQ(ring.Enter(1), 1);
    const auto completion = ring.Reap();
    return completion ? completion->res : 0;
  };
  EXPECT_EQ(skipping_nop(RestrictionList().AllowOp(kNop).AllowFlags(kSkipCqe)), 0);
  EXPECT_EQ(skipping_nop(RestrictionList().AllowOp(kNop).RequireFlags(kSkipCqe)), 0);
  EXPECT_THAT(skipping_nop(RestrictionList().AllowOp(kNop).AllowFlags(kAsync)), IsErrno(EACCES));
}

KASSAY_CASE(RingListFlags, SelectingBuffersIsAFlagLikeOthers, Cites("IOU-017")) {
  const UniqueFd event(eventfd(1, EFD_NONBLOCK));
  const auto read_selecting = [&](const RestrictionList& list) {
    Ring ring = EnabledUnder(list);
    return ring.Do(WithFlags(Read(event.Get(), nullptr, 8), kBufferSelect));
  };
  EXPECT_THAT(read_selecting(RestrictionList().AllowOp(kRead)), IsErrno(EACCES));
  EXPECT_THAT(read_selecting(RestrictionList().AllowOp(kRead).AllowFlags(kBufferSelect)),
              IsErrno(ENOBUFS));
}

KASSAY_CASE(RingListFlags, EntryAloneClosesAllRequests, Cites("IOU-018")) {
  for (const auto& list :
       {RestrictionList().AllowFlags(0xff), RestrictionList().RequireFlags(kAsync)}) {
    Ring ring = EnabledUnder(list);
    EXPECT_THAT(ring.Do(WithFlags(Nop(), kAsync)), IsErrno(EACCES));
    EXPECT_EQ(ring.Probe(), 0);
  }
}

KASSAY_CASE(RingListFlags, LaterEntryReplacesTheEarlier, Cites("IOU-019")) {
  const RestrictionList allowed =
      RestrictionList().AllowOp(kNop).AllowFlags(kAsync).AllowFlags(kLink);
  EXPECT_THAT(NopUnder(allowed, kAsync), IsErrno(EACCES));
  EXPECT_EQ(NopUnder(allowed, kLink), 0);
  const RestrictionList required =
      RestrictionList().AllowOp(kNop).RequireFlags(kAsync).RequireFlags(kLink);
  EXPECT_THAT(NopUnder(required, kAsync), IsErrno(EACCES));
  EXPECT_EQ(NopUnder(required, kLink), 0);
}

// One listed operation a ring: it passes (to whatever error it then meets), its neighbours do not.
KASSAY_CASE(RingListOps, EachOperationIsListedByItself, Cites("IOU-151").Timeout(60)) {
  for (unsigned listed = 0; listed < kOpCount70; ++listed) {
    for (unsigned op = listed == 0 ? 0 : listed - 1; op <= listed + 1 && op < kOpCount70; ++op) {
      // Refused before the list looks, on a ring without 128-byte entries.
      if (op == kNop128 || op == kUringCmd128) continue;
      // A ring each: a zero-copy send posts a second completion later.
      Ring ring = EnabledUnder(RestrictionList().AllowOp(listed));
      const int result = ring.Do({.opcode = static_cast<uint8_t>(op)});
      if (op == listed) {
        EXPECT_NE(result, -EACCES) << "listed request " << op;
        EXPECT_GT(result, kNotSubmitted) << "listed request " << op;
      } else {
        EXPECT_THAT(result, IsErrno(EACCES))
            << "request " << op << " where " << listed << " is listed";
      }
    }
  }
}

KASSAY_CASE(RingListOps, WideOperationsAreListedLikeOthers, Cites("IOU-151")) {
  for (const uint8_t listed : {kNop128, kUringCmd128}) {
    Ring ring = EnabledUnder(RestrictionList().AllowOp(listed), kSqe128);
    EXPECT_NE(ring.Do({.opcode = listed}), -EACCES);
    for (const uint8_t op : {kNop, kUringCmd, kPipe, kNop128, kUringCmd128}) {
      if (op != listed) {
        EXPECT_THAT(ring.Do({.opcode = op}), IsErrno(EACCES))
            << +op << " where " << +listed << " is listed";
      }
    }
  }
}

KASSAY_CASE(RingListOps, EachRegistrationIsListedByItself, Cites("IOU-152")) {
  for (unsigned listed = 0; listed < kRegisterOpCount70; ++listed) {
    const Ring ring = EnabledUnder(RestrictionList().AllowRegister(listed));
    for (unsigned op = listed == 0 ? 0 : listed - 1; op <= listed + 1 && op < kRegisterOpCount70;
         ++op) {
      const int result = ring.Register(op);
      if (op == listed) {
        EXPECT_NE(result, -EACCES) << "listed registration " << op;
      } else {
        EXPECT_THAT(result, IsErrno(EACCES))
            << "registration " << op << " where " << listed << " is listed";
      }
    }
  }
}

KASSAY_CASE(RingListOps, FilterIsARegistrationLikeOthers, Cites("IOU-021")) {
  Ring closed = EnabledUnder(RestrictionList().AllowRegister(kRegisterEnableRings));
  EXPECT_THAT(DenyOn(closed, kNop), IsErrno(EACCES));
  EXPECT_EQ(closed.Do(Nop()), 0) << "the refused filter works";

  Ring open = EnabledUnder(RestrictionList().AllowRegister(kRegisterBpfFilter).AllowOp(kNop));
  EXPECT_EQ(open.Do(Nop()), 0);
  EXPECT_EQ(DenyOn(open, kNop), 0);
  EXPECT_THAT(open.Do(Nop()), IsErrno(EACCES));
  EXPECT_EQ(Filter(kNop, AllowAll()).ApplyTo(open), 0);
  EXPECT_THAT(open.Do(Nop()), IsErrno(EACCES));
}

// A filter that allows does not open what the list closes.
KASSAY_CASE(RingListOps, ListAndFilterMustBothAllow, Cites("IOU-021")) {
  Ring ring = EnabledUnder(RestrictionList().AllowOp(kNop));
  EXPECT_EQ(Filter(kClose, AllowAll()).ApplyTo(ring), 0);
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EACCES));
  EXPECT_EQ(ring.Do(Nop()), 0);
}

KASSAY_CASE(RingListOps, DenialComesBeforePreparationButAfterTheFormOfTheRequest,
            Cites("IOU-022")) {
  Ring ring = EnabledUnder(RestrictionList().AllowOp(kNop));
  Sqe junk = CloseNothing();
  junk.ioprio = 5;
  junk.addr = 5;
  junk.personality = 77;
  EXPECT_THAT(ring.Do(junk), IsErrno(EACCES));
  EXPECT_THAT(ring.Do(WithFlags(CloseNothing(), kInvalidSqeFlag)), IsErrno(EINVAL));
  EXPECT_THAT(ring.Do(WithFlags(CloseNothing(), kBufferSelect)), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(ring.Do({.opcode = 200}), IsErrno(EINVAL));
  EXPECT_THAT(ring.Do({.opcode = kOpCount70}), IsErrno(EINVAL));
}

}  // namespace
}  // namespace kassay::uring
