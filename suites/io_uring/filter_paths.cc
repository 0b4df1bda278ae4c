// The ways by which a request gets to its execution: worker, chain, batch, poll thread, resized
// ring. None of them may pass a filter or a list by, and a denial must leave the ring in order.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "suites/io_uring/context_observer.h"
#include "suites/io_uring/filter.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/restriction_list.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

using ::testing::ElementsAre;

// user_data and result of the completions, as they came.
std::vector<std::pair<uint64_t, int>> Results(const BatchOutcome& outcome) {
  std::vector<std::pair<uint64_t, int>> results;
  for (const Cqe& cqe : outcome.seen) results.emplace_back(cqe.user_data, cqe.res);
  return results;
}
std::pair<uint64_t, int> Is(uint64_t user_data, int result) { return {user_data, result}; }

constexpr const char* kMissing = "/kassay/does/not/exist";

KASSAY_CASE(FilterFlags, ShowTheRequestsOwn, Cites("IOU-097")) {
  const auto nop_with = [](uint8_t flags) {
    return ObserveFlags(kNop, [flags](Ring& ring) { return ring.Do(WithFlags(Nop(), flags)); });
  };
  for (const uint8_t flags : {0, +kFixedFile, +kLink, +kHardlink, +kAsync, kAsync | kLink}) {
    EXPECT_EQ(nop_with(flags), flags) << "NOP";
  }
  EXPECT_EQ(
      ObserveFlags(kRead,
                   [](Ring& ring) { return ring.Do(WithFlags(Read(-1, nullptr, 1), kFixedFile)); }),
      kFixedFile);
}

KASSAY_CASE(FilterFlags, ShowAsyncWhereTheOperationAlwaysGoesToAWorker, Cites("IOU-095")) {
  EXPECT_EQ(ObserveFlags(kOpenAt, [](Ring& ring) { return ring.Do(OpenAt(kMissing, O_RDONLY)); }),
            0);
  for (const int flags : {O_CREAT | O_RDWR, O_TRUNC | O_RDWR, O_TMPFILE | O_RDWR}) {
    EXPECT_EQ(
        ObserveFlags(kOpenAt, [=](Ring& ring) { return ring.Do(OpenAt(kMissing, flags, 0600)); }),
        kAsync)
        << std::hex << flags;
  }
  EXPECT_EQ(ObserveFlags(kMkdirAt, [](Ring& ring) { return ring.Do(MkdirAt(kMissing)); }), kAsync);
}

KASSAY_CASE(FilterFlags, ShowTheDrainStateOfTheRing, Cites("IOU-096")) {
  EXPECT_EQ(
      ObserveFlags(kClose, [](Ring& ring) { return ring.Do(WithFlags(CloseNothing(), kDrain)); }),
      kDrain | kAsync);
  EXPECT_EQ(
      ObserveFlags(
          kClose,
          [](Ring& ring) {
            const std::array<Sqe, 2> requests{WithFlags(Nop(), kDrain), Tagged(CloseNothing(), 9)};
            const BatchOutcome outcome = SubmitTogether(ring, requests);
            for (const Cqe& cqe : outcome.seen) {
              if (cqe.user_data == 9) return cqe.res;
            }
            return kNoCompletion;
          }),
      kAsync);
}

KASSAY_CASE(FilterPaths, ArmedAndChainedRequestsRunToTheirEnd, Cites("IOU-102")) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  char byte = 0;
  Ring ring;
  ring.Queue(WithFlags(Tagged(Read(reading.Get(), &byte, 1), 1), kLink));
  ring.Queue(Tagged(Socket(), 2));
  ASSERT_EQ(ring.Enter(2), 2);
  ASSERT_EQ(DenyOn(ring, kRead), 0);
  ASSERT_EQ(DenyOn(ring, kSocket), 0);
  ASSERT_EQ(write(writing.Get(), "x", 1), 1);
  const auto read_done = ring.Wait();
  const auto socket_done = ring.Wait();
  ASSERT_TRUE(read_done && socket_done);
  EXPECT_EQ(read_done->res, 1);
  EXPECT_TRUE(UniqueFd(socket_done->res).IsOpen()) << socket_done->res;
  EXPECT_THAT(ring.Do(Socket()), IsErrno(EACCES));
  EXPECT_THAT(ring.Do(Read(reading.Get(), &byte, 1)), IsErrno(EACCES));
}

KASSAY_CASE(FilterPaths, ArmedMultishotGoesOn, Cites("IOU-102")) {
  const UniqueFd event(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  Ring ring;
  Sqe poll = PollAdd(event.Get(), POLLIN);
  poll.len = 1;  // IORING_POLL_ADD_MULTI
  ring.Queue(poll);
  ASSERT_EQ(ring.Enter(1), 1);
  ASSERT_EQ(DenyOn(ring, kPollAdd), 0);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(eventfd_write(event.Get(), 1), 0);
    const auto shot = ring.Wait();
    ASSERT_TRUE(shot);
    EXPECT_EQ(shot->res, POLLIN);
    EXPECT_TRUE(shot->flags & kCqeMore);
  }
  ring.Queue(Tagged(PollAdd(event.Get(), POLLIN), 5));
  ASSERT_EQ(ring.Enter(1), 1);
  const auto denied = ring.Wait();
  ASSERT_TRUE(denied);
  EXPECT_THAT(denied->res, IsErrno(EACCES));
}

KASSAY_CASE(FilterPaths, WorkerDoesNotPassTheFilterBy, Cites("IOU-103")) {
  Ring ring;
  EXPECT_EQ(ring.Do(WithFlags(Nop(), kAsync)), 0);
  ASSERT_EQ(DenyOn(ring, kNop), 0);
  ring.Queue(WithFlags(Nop(), kAsync));
  ASSERT_EQ(ring.Enter(1), 1);
  const auto denied = ring.Reap();  // no wait: it is denied before a worker gets it
  ASSERT_TRUE(denied);
  EXPECT_THAT(denied->res, IsErrno(EACCES));
}

KASSAY_CASE(FilterPaths, NoRequestFlagPassesTheFilterBy, Cites("IOU-103", "IOU-097")) {
  for (const uint8_t flag : {kFixedFile, kDrain, kLink, kHardlink, kAsync, kSkipCqe}) {
    Ring ring;
    ASSERT_EQ(DenyOn(ring, kNop), 0);
    EXPECT_THAT(ring.Do(WithFlags(Nop(), flag)), IsErrno(EACCES)) << +flag;
  }
  Ring ring;
  ASSERT_EQ(DenyOn(ring, kRead), 0);
  EXPECT_THAT(ring.Do(WithFlags(Read(-1, nullptr, 8), kBufferSelect)), IsErrno(EACCES));
}

// The member at `bad` is denied, the others are not.
BatchOutcome RunChain(size_t bad, uint8_t link) {
  Ring ring;
  EXPECT_EQ(DenyOn(ring, kClose), 0);
  std::array<Sqe, 3> chain{};
  for (size_t i = 0; i < chain.size(); ++i) {
    chain[i] = Tagged(i == bad ? CloseNothing() : Nop(), i + 1);
    if (i + 1 < chain.size()) chain[i].flags = link;
  }
  return SubmitTogether(ring, chain);
}

KASSAY_CASE(FilterPaths, DeniedMemberFailsItsChain, Cites("IOU-104")) {
  for (const uint8_t link : {kLink, kHardlink}) {
    for (size_t bad = 0; bad < 3; ++bad) {
      const BatchOutcome outcome = RunChain(bad, link);
      EXPECT_EQ(outcome.entered, 3);
      const auto expected = [&](size_t i) { return Is(i + 1, i == bad ? -EACCES : -ECANCELED); };
      EXPECT_THAT(Results(outcome), ElementsAre(expected(0), expected(1), expected(2)))
          << "denied: " << bad << ", link flag " << +link;
    }
  }
  EXPECT_THAT(Results(RunChain(3, kLink)), ElementsAre(Is(1, 0), Is(2, 0), Is(3, 0)));
}

KASSAY_CASE(FilterPaths, ListedMemberFailsItsChainToo, Cites("IOU-154")) {
  Ring ring({.flags = kDisabled});
  ASSERT_EQ(RestrictionList().AllowOp(kNop).AllowFlags(kLink).ApplyTo(ring), 0);
  ASSERT_EQ(ring.Enable(), 0);
  const std::array<Sqe, 2> chain{WithFlags(Tagged(Nop(), 1), kLink), Tagged(CloseNothing(), 2)};
  const BatchOutcome outcome = SubmitTogether(ring, chain);
  EXPECT_THAT(Results(outcome), ElementsAre(Is(1, -ECANCELED), Is(2, -EACCES)));
}

KASSAY_CASE(FilterPaths, DenialEndsTheBatch, Cites("IOU-105")) {
  Ring ring;
  ASSERT_EQ(DenyOn(ring, kClose), 0);
  const std::array<Sqe, 3> batch{Tagged(CloseNothing(), 1), Tagged(Nop(), 2), Tagged(Nop(), 3)};
  const BatchOutcome outcome = SubmitTogether(ring, batch);
  EXPECT_EQ(outcome.entered, 1);
  EXPECT_THAT(Results(outcome), ElementsAre(Is(1, -EACCES)));
  EXPECT_EQ(ring.Queued(), 2U);
  EXPECT_EQ(ring.Enter(2), 2);
  for (const uint64_t tag : {2, 3}) {
    const auto rest = ring.Wait();
    ASSERT_TRUE(rest);
    EXPECT_EQ(rest->user_data, tag);
    EXPECT_EQ(rest->res, 0);
  }
}

KASSAY_CASE(FilterPaths, SubmitAllGoesOnAfterADenial, Cites("IOU-105")) {
  Ring ring({.flags = kSubmitAll});
  ASSERT_EQ(DenyOn(ring, kClose), 0);
  const std::array<Sqe, 4> batch{Tagged(CloseNothing(), 1), Tagged(Nop(), 2),
                                 Tagged(CloseNothing(), 3), Tagged(Nop(), 4)};
  const BatchOutcome outcome = SubmitTogether(ring, batch);
  EXPECT_EQ(outcome.entered, 4);
  EXPECT_THAT(Results(outcome), ElementsAre(Is(1, -EACCES), Is(2, 0), Is(3, -EACCES), Is(4, 0)));
}

KASSAY_CASE(FilterPaths, DenialIsNeverSilent, Cites("IOU-106")) {
  Ring ring;
  ring.Queue(WithFlags(Nop(), kSkipCqe));
  ASSERT_EQ(ring.Enter(1), 1);
  EXPECT_FALSE(ring.Reap()) << "a success is silent";
  ASSERT_EQ(DenyOn(ring, kNop), 0);
  ring.Queue(WithFlags(Nop(), kSkipCqe));
  ASSERT_EQ(ring.Enter(1), 1);
  const auto denied = ring.Wait();
  ASSERT_TRUE(denied);
  EXPECT_THAT(denied->res, IsErrno(EACCES));
}

KASSAY_CASE(FilterPaths, DeniedRequestHasStillDisabledDraining, Cites("IOU-107")) {
  Ring ring;
  EXPECT_EQ(ring.Do(WithFlags(Nop(), kDrain)), 0);
  ASSERT_EQ(DenyOn(ring, kClose), 0);
  EXPECT_THAT(ring.Do(WithFlags(CloseNothing(), kSkipCqe)), IsErrno(EACCES));
  EXPECT_THAT(ring.Do(WithFlags(Nop(), kDrain)), IsErrno(EOPNOTSUPP));
}

KASSAY_CASE(FilterPaths, DeniedDrainLeavesTheRingUsable, Cites("IOU-107")) {
  Ring ring;
  ASSERT_EQ(DenyOn(ring, kClose), 0);
  EXPECT_THAT(ring.Do(WithFlags(CloseNothing(), kDrain)), IsErrno(EACCES));
  EXPECT_EQ(ring.Do(Nop()), 0);
  EXPECT_EQ(ring.Do(WithFlags(Nop(), kDrain)), 0);
}

KASSAY_CASE(FilterPaths, DeniedLinkTimeoutFailsItsHead, Cites("IOU-108")) {
  const __kernel_timespec hour{3600, 0};
  Ring ring;
  const std::array<Sqe, 2> chain{WithFlags(Tagged(Timeout(&hour), 1), kLink),
                                 Tagged(LinkTimeout(&hour), 2)};
  ASSERT_EQ(DenyOn(ring, kLinkTimeout), 0);
  const BatchOutcome outcome = SubmitTogether(ring, chain);
  EXPECT_EQ(outcome.entered, 2);
  ASSERT_EQ(outcome.seen.size(), 2U);
  EXPECT_THAT(outcome.seen[0].res, IsErrno(ECANCELED));
  EXPECT_THAT(outcome.seen[1].res, IsErrno(ECANCELED));
  EXPECT_EQ(ring.Do(Nop()), 0);
}

KASSAY_CASE(FilterPaths, AllowedLinkTimeoutWorks, Cites("IOU-108")) {
  const __kernel_timespec hour{3600, 0};
  const __kernel_timespec soon{0, 1'000'000};
  Ring ring;
  ASSERT_EQ(Filter(kLinkTimeout, AllowAll()).ApplyTo(ring), 0);
  const std::array<Sqe, 2> chain{WithFlags(Tagged(Timeout(&hour), 1), kLink),
                                 Tagged(LinkTimeout(&soon), 2)};
  const BatchOutcome outcome = SubmitTogether(ring, chain);
  EXPECT_THAT(Results(outcome), ::testing::UnorderedElementsAre(Is(1, -ECANCELED), Is(2, -ETIME)));
}

// Two denied members: each is told, though the chain failed with the first.
KASSAY_CASE(FilterPaths, EveryDeniedMemberOfAChainIsTold, Cites("IOU-104")) {
  Ring ring;
  ASSERT_EQ(DenyOn(ring, kNop), 0);
  const std::array<Sqe, 3> chain{Tagged(WithFlags(Nop(), kLink), 1),
                                 Tagged(WithFlags(CloseNothing(), kLink), 2), Tagged(Nop(), 3)};
  EXPECT_THAT(Results(SubmitTogether(ring, chain)),
              ElementsAre(Is(1, -EACCES), Is(2, -ECANCELED), Is(3, -EACCES)));
}

// While a drain is active requests take the slow way.
KASSAY_CASE(FilterPaths, DrainingPassesNeitherFilterNorListBy, Cites("IOU-096", "IOU-154")) {
  for (const bool by_list : {false, true}) {
    Ring ring({.flags = kDisabled});
    ASSERT_TRUE(ring.IsOpen());
    ASSERT_EQ(
        by_list ? RestrictionList().AllowOp(kPollAdd).AllowOp(kNop).AllowFlags(kDrain).ApplyTo(ring)
                : DenyOn(ring, kClose),
        0);
    ASSERT_EQ(ring.Enable(), 0);
    const UniqueFd never(eventfd(0, EFD_CLOEXEC));
    ring.Queue(PollAdd(never.Get(), POLLIN));
    ring.Queue(Tagged(WithFlags(Nop(), kDrain), 2));
    ring.Queue(Tagged(CloseNothing(), 3));
    EXPECT_EQ(ring.Enter(3), 3);
    const auto first = ring.Wait();
    ASSERT_TRUE(first.has_value()) << "list " << by_list;
    EXPECT_EQ(first->user_data, 3U) << "list " << by_list;
    EXPECT_THAT(first->res, IsErrno(EACCES)) << "list " << by_list;
  }
}

KASSAY_CASE(FilterPaths, PollThreadRunsTheFilters, Cites("IOU-110").Timeout(60)) {
  Ring ring({.flags = kSqPoll});
  ASSERT_TRUE(ring.IsOpen()) << ring.SetupResult();
  EXPECT_EQ(ring.Do(Nop()), 0);
  ASSERT_EQ(DenyOn(ring, kClose), 0);
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EACCES));
  EXPECT_EQ(ring.Do(Nop()), 0);
  ASSERT_EQ(DenyOn(ring, kNop), 0);
  EXPECT_THAT(ring.Do(Nop()), IsErrno(EACCES));
}

KASSAY_CASE(FilterPaths, PollThreadObeysTheList, Cites("IOU-154").Timeout(60)) {
  Ring ring({.flags = kSqPoll | kDisabled});
  ASSERT_TRUE(ring.IsOpen()) << ring.SetupResult();
  ASSERT_EQ(RestrictionList().AllowOp(kNop).ApplyTo(ring), 0);
  ASSERT_EQ(ring.Enable(), 0);
  EXPECT_EQ(ring.Do(Nop()), 0);
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EACCES));
  EXPECT_THAT(ring.Do(WithFlags(Nop(), kAsync)), IsErrno(EACCES));
}

KASSAY_CASE(FilterPaths, SharedPollThreadKeepsFiltersApart, Cites("IOU-111").Timeout(60)) {
  Ring first({.flags = kSqPoll});
  Ring second({.flags = kSqPoll | kAttachWq, .wq_fd = static_cast<uint32_t>(first.Fd())});
  ASSERT_TRUE(first.IsOpen() && second.IsOpen()) << second.SetupResult();
  ASSERT_EQ(DenyOn(second, kNop), 0);
  EXPECT_EQ(first.Do(Nop()), 0);
  EXPECT_THAT(second.Do(Nop()), IsErrno(EACCES));
  ASSERT_EQ(DenyOn(first, kClose), 0);
  EXPECT_THAT(first.Do(CloseNothing()), IsErrno(EACCES));
  EXPECT_THAT(second.Do(CloseNothing()), IsErrno(EBADF));
}

}  // namespace
}  // namespace kassay::uring
