// Other ways to and between rings: a registered index, a resized ring, a registered personality,
// messages and buffers from ring to ring. Restrictions belong to the ring, whichever way leads to
// it.
#include <sys/syscall.h>
#include <sys/uio.h>
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

Ring EnabledUnder(const RestrictionList& list) {
  Ring ring({.flags = kDisabled});
  EXPECT_EQ(list.ApplyTo(ring), 0);
  EXPECT_EQ(ring.Enable(), 0);
  return ring;
}

// io_uring_enter through index 0 of the registered rings, and the completion's result.
int DoByIndex(Ring& ring, const Sqe& request) {
  ring.Queue(request);
  const long entered =
      syscall(SYS_io_uring_enter, 0, 1, 1, kGetEvents | kRegisteredRing, nullptr, size_t{0});
  if (entered != 1) return kNotSubmitted;
  const auto completion = ring.Reap();
  return completion ? completion->res : kNoCompletion;
}

// Makes `ring` the calling thread's registered ring 0, through another ring, as the registered
// rings belong to the thread.
class Index0 {
 public:
  explicit Index0(const Ring& ring) {
    RingFdUpdate update{.offset = 0, .data = static_cast<uint64_t>(ring.Fd())};
    EXPECT_EQ(helper_.Register(kRegisterRingFds, &update, 1), 1);
  }
  Index0(const Index0&) = delete;
  Index0& operator=(const Index0&) = delete;
  ~Index0() {
    const RingFdUpdate update{.offset = 0};
    EXPECT_EQ(helper_.Register(kUnregisterRingFds, &update, 1), 1);
  }

 private:
  Ring helper_;
};

KASSAY_CASE(RingPaths, FilterBindsARingEnteredByItsIndex, Cites("IOU-150")) {
  Ring ring;
  const Index0 index(ring);
  EXPECT_EQ(DoByIndex(ring, Nop()), 0);
  ASSERT_EQ(DenyOn(ring, kNop), 0);
  EXPECT_THAT(DoByIndex(ring, Nop()), IsErrno(EACCES));
  EXPECT_THAT(DoByIndex(ring, CloseNothing()), IsErrno(EBADF));
}

KASSAY_CASE(RingPaths, ListBindsARingReachedByItsIndex, Cites("IOU-150")) {
  Ring ring = EnabledUnder(RestrictionList().AllowOp(kNop).AllowRegister(kRegisterProbe));
  const Index0 index(ring);
  EXPECT_EQ(DoByIndex(ring, Nop()), 0);
  EXPECT_THAT(DoByIndex(ring, CloseNothing()), IsErrno(EACCES));
  EXPECT_THAT(RegisterCall(0, kRegisterPersonality | kUseRegisteredRing, nullptr, 0),
              IsErrno(EACCES));
  EXPECT_THAT(ring.Register(kRegisterPersonality), IsErrno(EACCES));
}

// After the resize the old mappings are gone; requests queued before it move along.
KASSAY_CASE(RingPaths, ResizedRingKeepsListAndFilters, Cites("IOU-150")) {
  Ring ring({.flags = kDisabled | kSingleIssuer | kDeferTaskrun, .entries = 8});
  ASSERT_EQ(RestrictionList()
                .AllowOp(kNop)
                .AllowOp(kSocket)
                .AllowRegister(kRegisterBpfFilter)
                .AllowRegister(kRegisterResizeRings)
                .ApplyTo(ring),
            0);
  ASSERT_EQ(ring.Enable(), 0);
  ASSERT_EQ(DenyOn(ring, kSocket), 0);
  ring.Queue(Tagged(Socket(), 1));
  Params bigger{.sq_entries = 32, .cq_entries = 64, .flags = kSetupCqSize};
  ASSERT_EQ(ring.Register(kRegisterResizeRings, &bigger, 1), 0);
  ASSERT_TRUE(ring.Remap(bigger));
  EXPECT_EQ(ring.Queued(), 1U);
  EXPECT_EQ(ring.Enter(1, 1, kGetEvents), 1);
  const auto denied = ring.Reap();
  ASSERT_TRUE(denied);
  EXPECT_EQ(denied->user_data, 1U);
  EXPECT_THAT(denied->res, IsErrno(EACCES)) << "denied by the filter";
  EXPECT_EQ(ring.Do(Nop()), 0);
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EACCES)) << "denied by the list";
  EXPECT_THAT(ring.Probe(), IsErrno(EACCES));
}

KASSAY_CASE(RingPaths, PersonalityDoesNotLiftListOrFilter, Cites("IOU-154", "IOU-150")) {
  Ring ring({.flags = kDisabled});
  ASSERT_EQ(RestrictionList()
                .AllowOp(kNop)
                .AllowOp(kSocket)
                .AllowRegister(kRegisterBpfFilter)
                .AllowRegister(kRegisterPersonality)
                .ApplyTo(ring),
            0);
  ASSERT_EQ(ring.Enable(), 0);
  const int personality = ring.Register(kRegisterPersonality);
  ASSERT_GT(personality, 0);
  ASSERT_EQ(DenyOn(ring, kSocket), 0);
  const auto as_personality = [&](Sqe request) {
    request.personality = static_cast<uint16_t>(personality);
    return ring.Do(request);
  };
  EXPECT_EQ(as_personality(Nop()), 0);
  EXPECT_THAT(as_personality(Socket()), IsErrno(EACCES));
  EXPECT_THAT(as_personality(CloseNothing()), IsErrno(EACCES));
}

KASSAY_CASE(RingPaths, WorkersAndChainsObeyTheList, Cites("IOU-154")) {
  Ring ring = EnabledUnder(RestrictionList().AllowOp(kNop).AllowFlags(kAsync | kLink));
  EXPECT_EQ(ring.Do(WithFlags(Nop(), kAsync)), 0);
  EXPECT_THAT(ring.Do(WithFlags(CloseNothing(), kAsync)), IsErrno(EACCES));
  EXPECT_THAT(ring.Do(WithFlags(CloseNothing(), kLink)), IsErrno(EACCES));
  EXPECT_EQ(ring.Do(Nop()), 0);
}

KASSAY_CASE(RingPaths, CloningBuffersAsksTheReceivingRing, Cites("IOU-023")) {
  std::array<char, 64> buffer{};
  const iovec vector{buffer.data(), buffer.size()};
  constexpr uint32_t kRegisterBuffers = 0;
  Ring closed({.flags = kDisabled});
  ASSERT_EQ(closed.Register(kRegisterBuffers, &vector, 1), 0);
  ASSERT_EQ(RestrictionList().ApplyTo(closed), 0);
  ASSERT_EQ(closed.Enable(), 0);
  const Ring free;
  CloneBuffers from_closed{.src_fd = static_cast<uint32_t>(closed.Fd())};
  EXPECT_EQ(free.Register(kRegisterCloneBuffers, &from_closed, 1), 0);

  const Ring receiver = EnabledUnder(RestrictionList());
  CloneBuffers from_free{.src_fd = static_cast<uint32_t>(free.Fd())};
  EXPECT_THAT(receiver.Register(kRegisterCloneBuffers, &from_free, 1), IsErrno(EACCES));

  Ring open = EnabledUnder(RestrictionList().AllowOp(kNop).AllowRegister(kRegisterCloneBuffers));
  EXPECT_EQ(open.Register(kRegisterCloneBuffers, &from_free, 1), 0);
  EXPECT_EQ(open.Do(Nop()), 0);
  EXPECT_THAT(open.Do(CloseNothing()), IsErrno(EACCES)) << "the list went with the buffers";
  EXPECT_THAT(open.Probe(), IsErrno(EACCES));
}

KASSAY_CASE(RingPaths, MessageReachesARestrictedRingButNotADisabledOne, Cites("IOU-024")) {
  Ring sender;
  Ring closed = EnabledUnder(RestrictionList());
  EXPECT_EQ(sender.Do(MsgRing(closed.Fd(), 0x55, 7)), 0);
  const auto message = closed.Reap();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->user_data, 0x55U);
  EXPECT_EQ(message->res, 7);
  EXPECT_THAT(closed.Do(MsgRing(sender.Fd(), 0x55, 7)), IsErrno(EACCES)) << "sent from it";

  const Ring disabled({.flags = kDisabled});
  EXPECT_THAT(sender.Do(MsgRing(disabled.Fd(), 0x55, 7)), IsErrno(EBADFD));
  const Sqe without_a_ring = MsgRing(disabled.Fd(), 0x55, 7);
  // 6.13 brought sending without a ring of one's own.
  const auto* nowhere = reinterpret_cast<const void*>(std::uintptr_t{8});
  const bool is_known = RegisterRingless(kRegisterSendMsgRing, nowhere, 1) == -EFAULT;
  EXPECT_THAT(RegisterRingless(kRegisterSendMsgRing, &without_a_ring, 1),
              IsErrno(is_known ? EBADFD : EINVAL));
  Sqe descriptor = MsgRing(disabled.Fd(), 0x55, 0);
  descriptor.addr = 1;  // IORING_MSG_SEND_FD
  EXPECT_THAT(sender.Do(descriptor), IsErrno(EBADFD));
}

}  // namespace
}  // namespace kassay::uring
