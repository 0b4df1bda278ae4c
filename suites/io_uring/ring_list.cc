// A ring's own list of restrictions: when it may be given, what its entries mean, what a refused
// one leaves.
#include <sys/mman.h>

#include <array>
#include <utility>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/restriction_list.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

Ring Disabled() { return Ring({.flags = kDisabled}); }

Ring EnabledUnder(const RestrictionList& list) {
  Ring ring = Disabled();
  EXPECT_EQ(list.ApplyTo(ring), 0);
  EXPECT_EQ(ring.Enable(), 0);
  return ring;
}

RestrictionList OnlyNop() { return std::move(RestrictionList().AllowOp(kNop)); }
RestrictionList OnlyEnable() {
  return std::move(RestrictionList().AllowRegister(kRegisterEnableRings));
}

// Neither side is closed: a request and a registration that no list of these cases names.
void ExpectUnrestricted(Ring& ring) {
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EBADF));
  EXPECT_EQ(ring.Probe(), 0);
}

KASSAY_CASE(RingList, IsTakenOnlyByADisabledRing, Cites("IOU-001")) {
  Ring enabled;
  EXPECT_THAT(OnlyNop().ApplyTo(enabled), IsErrno(EBADFD));
  ExpectUnrestricted(enabled);
  EXPECT_EQ(OnlyNop().ApplyTo(Disabled()), 0);
}

KASSAY_CASE(RingList, DisabledRingKeepsRequestsQueuedUntilEnabled, Cites("IOU-002")) {
  Ring ring = Disabled();
  ring.Queue(Tagged(Nop(), 0x77));
  EXPECT_THAT(ring.Enter(1), IsErrno(EBADFD));
  EXPECT_THAT(ring.Enter(0, 0, kGetEvents), IsErrno(EBADFD));
  EXPECT_EQ(ring.Queued(), 1U);
  EXPECT_FALSE(ring.Reap());

  ASSERT_EQ(ring.Enable(), 0);
  EXPECT_EQ(ring.Enter(1), 1);
  const auto completion = ring.Wait();
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->user_data, 0x77U);
  EXPECT_EQ(completion->res, 0);
}

KASSAY_CASE(RingList, IsTakenOnce, Cites("IOU-003")) {
  Ring ring = Disabled();
  ASSERT_EQ(OnlyNop().ApplyTo(ring), 0);
  EXPECT_THAT(RestrictionList().AllowOp(kClose).ApplyTo(ring), IsErrno(EBUSY));
  EXPECT_THAT(RestrictionList().ApplyTo(ring), IsErrno(EBUSY));
  ASSERT_EQ(ring.Enable(), 0);
  EXPECT_EQ(ring.Do(Nop()), 0);
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EACCES)) << "the refused list left something";
}

KASSAY_CASE(RingList, OfRegistrationsOnlyIsTakenOnceToo, Cites("IOU-003")) {
  Ring ring = Disabled();
  ASSERT_EQ(OnlyEnable().ApplyTo(ring), 0);
  EXPECT_THAT(OnlyNop().ApplyTo(ring), IsErrno(EBUSY));
}

KASSAY_CASE(RingList, EnableWorksOnce, Cites("IOU-004")) {
  const Ring plain = Disabled();
  EXPECT_EQ(plain.Enable(), 0);
  EXPECT_THAT(plain.Enable(), IsErrno(EBADFD));

  EXPECT_THAT(EnabledUnder(OnlyNop()).Enable(), IsErrno(EBADFD));
  EXPECT_THAT(EnabledUnder(OnlyEnable()).Enable(), IsErrno(EBADFD));
  EXPECT_THAT(Ring().Enable(), IsErrno(EBADFD)) << "on a ring that was never disabled";
}

KASSAY_CASE(RingList, OfRequestsLeavesRegistrationsFree, Cites("IOU-005")) {
  Ring ring = EnabledUnder(OnlyNop());
  EXPECT_EQ(ring.Do(Nop()), 0);
  EXPECT_THAT(ring.Do(Socket()), IsErrno(EACCES));
  EXPECT_EQ(ring.Probe(), 0);
}

KASSAY_CASE(RingList, OfRegistrationsLeavesRequestsFree, Cites("IOU-006")) {
  Ring ring = EnabledUnder(OnlyEnable());
  EXPECT_EQ(ring.Do(Nop()), 0);
  EXPECT_EQ(ring.Do(WithFlags(Nop(), kAsync)), 0);
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EBADF));
  EXPECT_THAT(ring.Probe(), IsErrno(EACCES));
}

KASSAY_CASE(RingList, EmptyClosesEverything, Cites("IOU-007")) {
  Ring ring = EnabledUnder(RestrictionList());
  for (unsigned op = 0; op <= Ring().LastRequestOp(); ++op) {
    // The 128-byte requests need another ring; see RingListOps.
    if (op == kNop128 || op == kUringCmd128) continue;
    EXPECT_THAT(ring.Do({.opcode = static_cast<uint8_t>(op)}), IsErrno(EACCES)) << "request " << op;
  }
  // Known to every kernel from 6.12 on; the younger ones are in RingListOps.
  for (unsigned op = 0; op <= kRegisterCloneBuffers; ++op) {
    EXPECT_THAT(ring.Register(op), IsErrno(EACCES)) << "registration " << op;
  }
}

KASSAY_CASE(RingList, OfRegistrationsSleepsUntilEnable, Cites("IOU-008")) {
  for (const RestrictionList& list : {OnlyEnable(), RestrictionList()}) {
    const Ring ring = Disabled();
    ASSERT_EQ(list.ApplyTo(ring), 0);
    EXPECT_EQ(ring.Probe(), 0);
    ASSERT_EQ(ring.Enable(), 0);
    EXPECT_THAT(ring.Probe(), IsErrno(EACCES));
  }
}

KASSAY_CASE(RingList, ComesTooLateAfterEnable, Cites("IOU-009")) {
  EXPECT_THAT(OnlyNop().ApplyTo(EnabledUnder(OnlyNop())), IsErrno(EBADFD));
  EXPECT_THAT(OnlyNop().ApplyTo(EnabledUnder(OnlyEnable())), IsErrno(EACCES));
  EXPECT_THAT(
      OnlyNop().ApplyTo(EnabledUnder(RestrictionList().AllowRegister(kRegisterRestrictions))),
      IsErrno(EBADFD));
}

KASSAY_CASE(RingList, NullPointerIsInvalid, Cites("IOU-010")) {
  Ring ring = Disabled();
  EXPECT_THAT(ring.Register(kRegisterRestrictions, nullptr, 0), IsErrno(EINVAL));
  EXPECT_THAT(ring.Register(kRegisterRestrictions, nullptr, 1), IsErrno(EINVAL));
  ASSERT_EQ(ring.Enable(), 0);
  ExpectUnrestricted(ring);
}

KASSAY_CASE(RingList, UnreadableIsAFault, Cites("IOU-011")) {
  Ring ring = Disabled();
  EXPECT_THAT(ring.Register(kRegisterRestrictions, reinterpret_cast<void*>(8), 1), IsErrno(EFAULT));
  // The second entry lies on a page that cannot be read.
  const Mapping pages(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 8192);
  ASSERT_EQ(mprotect(pages.At(4096), 4096, PROT_NONE), 0);
  const Restriction entry{.kind = kAllowSqeOp, .value = kNop};
  std::memcpy(pages.At(4096 - sizeof entry), &entry, sizeof entry);
  EXPECT_THAT(ring.Register(kRegisterRestrictions, pages.At(4096 - sizeof entry), 2),
              IsErrno(EFAULT));
  ASSERT_EQ(ring.Enable(), 0);
  ExpectUnrestricted(ring);
}

KASSAY_CASE(RingList, UnknownEntriesAreInvalid, Cites("IOU-012")) {
  QueryOpcodes kernel{};
  ASSERT_EQ(QueryKernel(&kernel), 0);
  const auto apply = [](uint16_t kind, unsigned value) {
    return RestrictionList().Add(kind, value).ApplyTo(Disabled());
  };
  EXPECT_THAT(apply(kRestrictionKinds, 0), IsErrno(EINVAL));
  EXPECT_THAT(apply(0xffff, 0), IsErrno(EINVAL));
  EXPECT_THAT(apply(0x100, 0), IsErrno(EINVAL)) << "the kind has two bytes";
  EXPECT_EQ(apply(kAllowRegisterOp, kernel.register_opcodes - 1), 0);
  EXPECT_THAT(apply(kAllowRegisterOp, kernel.register_opcodes), IsErrno(EINVAL));
  EXPECT_THAT(apply(kAllowRegisterOp, 255), IsErrno(EINVAL));
  EXPECT_EQ(apply(kAllowSqeOp, kernel.request_opcodes - 1), 0);
  EXPECT_THAT(apply(kAllowSqeOp, kernel.request_opcodes), IsErrno(EINVAL));
  EXPECT_THAT(apply(kAllowSqeOp, 255), IsErrno(EINVAL));
  EXPECT_EQ(apply(kAllowSqeFlags, 255), 0);
  EXPECT_EQ(apply(kRequireSqeFlags, 255), 0);
}

KASSAY_CASE(RingList, LengthIsLimitedByTheKindsOfEntries, Cites("IOU-013")) {
  QueryOpcodes kernel{};
  ASSERT_EQ(QueryKernel(&kernel), 0);
  const unsigned most = kRestrictionKinds + kernel.register_opcodes + kernel.request_opcodes;
  const auto apply = [](unsigned length) {
    return RestrictionList().AllowOpTimes(kNop, length).ApplyTo(Disabled());
  };
  EXPECT_EQ(apply(most - 1), 0);
  EXPECT_EQ(apply(most), 0);
  EXPECT_THAT(apply(most + 1), IsErrno(EINVAL));
  const Restriction entry{.kind = kAllowSqeOp, .value = kNop};
  EXPECT_THAT(Disabled().Register(kRegisterRestrictions, &entry, ~0U), IsErrno(EINVAL));
}

KASSAY_CASE(RingList, LastEntryOfTheLongestListCounts, Cites("IOU-013")) {
  QueryOpcodes kernel{};
  ASSERT_EQ(QueryKernel(&kernel), 0);
  const unsigned most = kRestrictionKinds + kernel.register_opcodes + kernel.request_opcodes;
  Ring ring = EnabledUnder(RestrictionList().AllowOpTimes(kNop, most - 1).AllowOp(kClose));
  EXPECT_EQ(ring.Do(Nop()), 0);
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EBADF));
  EXPECT_THAT(ring.Do(Socket()), IsErrno(EACCES));
}

KASSAY_CASE(RingList, ReservedFieldsOfAnEntryAreIgnored, Cites("IOU-014")) {
  const std::array<Restriction, 4> entries{
      Restriction{.kind = kAllowSqeOp, .value = kNop, .resv = 1},
      Restriction{.kind = kAllowSqeOp, .value = kNop, .resv2 = {1, 0, 0}},
      Restriction{.kind = kAllowSqeOp, .value = kNop, .resv2 = {0, ~0U, 0}},
      Restriction{.kind = kAllowSqeOp, .value = kNop, .resv2 = {0, 0, 7}},
  };
  for (const Restriction& entry : entries) {
    Ring ring = EnabledUnder(RestrictionList().Add(entry));
    EXPECT_EQ(ring.Do(Nop()), 0);
    EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EACCES));
  }
}

KASSAY_CASE(RingList, RefusedLeavesTheRingFreeAndAllowsAnother, Cites("IOU-015")) {
  Ring ring = Disabled();
  EXPECT_THAT(OnlyNop().AllowRegister(kRegisterEnableRings).Add(9, 0).ApplyTo(ring),
              IsErrno(EINVAL));
  EXPECT_EQ(RestrictionList().AllowOp(kClose).ApplyTo(ring), 0);
  ASSERT_EQ(ring.Enable(), 0);
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EBADF));
  EXPECT_THAT(ring.Do(Nop()), IsErrno(EACCES)) << "allowed by the refused list";
  EXPECT_EQ(ring.Probe(), 0) << "closed by the refused list";
}

// Nothing of a refused list may come to the aid of, or in the way of, the one that is taken.
KASSAY_CASE(RingList, RefusedLeavesNothingToTheNext, Cites("IOU-015")) {
  Ring ring = Disabled();
  EXPECT_THAT(RestrictionList()
                  .AllowRegister(kRegisterProbe)
                  .AllowFlags(kLink)
                  .RequireFlags(kAsync)
                  .Add(9, 0)
                  .ApplyTo(ring),
              IsErrno(EINVAL));
  EXPECT_EQ(OnlyNop().AllowRegister(kRegisterEnableRings).ApplyTo(ring), 0);
  ASSERT_EQ(ring.Enable(), 0);
  EXPECT_EQ(ring.Do(Nop()), 0) << "a flag that the refused list required";
  EXPECT_THAT(ring.Do(WithFlags(Nop(), kAsync)), IsErrno(EACCES));
  EXPECT_THAT(ring.Do(WithFlags(Nop(), kLink)), IsErrno(EACCES)) << "a flag that it allowed";
  EXPECT_THAT(ring.Probe(), IsErrno(EACCES)) << "a registration that it allowed";
}

KASSAY_CASE(RingList, RefusedAloneLeavesTheRingFree, Cites("IOU-015")) {
  Ring ring = Disabled();
  EXPECT_THAT(OnlyEnable().AllowOp(kNop).RequireFlags(kAsync).Add(9, 0).ApplyTo(ring),
              IsErrno(EINVAL));
  ASSERT_EQ(ring.Enable(), 0);
  ExpectUnrestricted(ring);
}

KASSAY_CASE(RingList, RefusedKeepsTheFiltersOfTheRing, Cites("IOU-016")) {
  Ring ring = Disabled();
  ASSERT_EQ(DenyOn(ring, kNop), 0);
  EXPECT_THAT(RestrictionList().Add(9, 0).ApplyTo(ring), IsErrno(EINVAL));
  ASSERT_EQ(ring.Enable(), 0);
  EXPECT_THAT(ring.Do(Nop()), IsErrno(EACCES));
  ExpectUnrestricted(ring);
}

KASSAY_CASE(RingList, AcceptedKeepsTheFiltersOfTheRing, Cites("IOU-016")) {
  Ring ring = Disabled();
  ASSERT_EQ(DenyOn(ring, kNop), 0);
  ASSERT_EQ(OnlyNop().AllowOp(kClose).ApplyTo(ring), 0);
  ASSERT_EQ(ring.Enable(), 0);
  EXPECT_THAT(ring.Do(Nop()), IsErrno(EACCES)) << "denied by the filter";
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EBADF)) << "allowed by both";
  EXPECT_THAT(ring.Do(Socket()), IsErrno(EACCES)) << "denied by the list";
}

KASSAY_CASE(RingList, OutOfRangeRegistrationIsInvalidNotDenied, Cites("IOU-020")) {
  const Ring ring = EnabledUnder(RestrictionList());
  EXPECT_THAT(ring.Register(200), IsErrno(EINVAL));
  EXPECT_THAT(ring.Register(~kUseRegisteredRing), IsErrno(EINVAL));
  EXPECT_THAT(ring.Register(kRegisterProbe), IsErrno(EACCES));
}

}  // namespace
}  // namespace kassay::uring
