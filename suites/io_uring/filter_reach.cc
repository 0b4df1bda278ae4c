// Which operations a filter and DENY_REST reach: each, and no other.
#include <algorithm>
#include <array>
#include <vector>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/prep_clean.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/restriction_list.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

Ring Mixed(uint32_t more_flags = 0) { return Ring({.flags = kSqeMixed | more_flags}); }

KASSAY_CASE(FilterReach, IsExactlyTheOperationThatItNames,
            Cites("IOU-072", "IOU-084").Timeout(60)) {
  PrepCleanRequests requests;
  const std::vector<uint8_t> operations = PrepCleanRequests::Operations();
  for (const uint8_t filtered : operations) {
    for (const int op : {filtered - 1, +filtered, filtered + 1}) {
      if (std::find(operations.begin(), operations.end(), op) == operations.end()) continue;
      // A ring each: zero-copy sends post a second completion later.
      Ring ring = Mixed();
      ASSERT_EQ(DenyOn(ring, filtered), 0);
      const int result = DoPrepClean(ring, requests.For(static_cast<uint8_t>(op)));
      if (op == filtered) {
        EXPECT_THAT(result, IsErrno(EACCES)) << "request " << op;
      } else {
        EXPECT_NE(result, -EACCES) << "request " << op << " where " << +filtered << " is denied";
        EXPECT_GT(result, kNotSubmitted) << "request " << op;
      }
    }
  }
}

KASSAY_CASE(FilterReach, LetsEveryOperationRunThatItAllows, Cites("IOU-072")) {
  PrepCleanRequests requests;
  for (const uint8_t op : PrepCleanRequests::Operations()) {
    Ring ring = Mixed();
    ASSERT_EQ(Filter(op, AllowAll()).ApplyTo(ring), 0);
    const int result = DoPrepClean(ring, requests.For(op));
    EXPECT_NE(result, -EACCES) << "request " << +op;
    EXPECT_GT(result, kNotSubmitted) << "request " << +op;
  }
}

void ExpectAllDeniedBut(uint8_t allowed) {
  PrepCleanRequests requests;
  for (const uint8_t op : PrepCleanRequests::Operations()) {
    Ring ring = Mixed();
    ASSERT_EQ(Filter(allowed, AllowAll()).DenyRest().ApplyTo(ring), 0);
    const int result = DoPrepClean(ring, requests.For(op));
    if (op == allowed) {
      EXPECT_NE(result, -EACCES) << "request " << +op;
    } else {
      EXPECT_THAT(result, IsErrno(EACCES))
          << "request " << +op << " where only " << +allowed << " is allowed";
    }
  }
}

KASSAY_CASE(DenyRest, ReachesEveryOperationFromTheFirst, Cites("IOU-089")) {
  ExpectAllDeniedBut(kNop);
}

KASSAY_CASE(DenyRest, ReachesEveryOperationFromTheLast, Cites("IOU-089")) {
  ExpectAllDeniedBut(kUringCmd128);
}

KASSAY_CASE(DenyRest, ReachesEveryOperationFromTheMiddle, Cites("IOU-089")) {
  ExpectAllDeniedBut(kConnect);
}

KASSAY_CASE(DenyRest, OfATaskReachesEveryOperation, Cites("IOU-089")) {
  EXPECT_THAT(InChild([] {
                if (Filter(kNop, AllowAll()).DenyRest().ApplyToTask() != 0) return 1;
                PrepCleanRequests requests;
                for (const uint8_t op : PrepCleanRequests::Operations()) {
                  Ring ring = Mixed();
                  const int result = DoPrepClean(ring, requests.For(op));
                  if (result != (op == kNop ? 0 : -EACCES)) return 1000 + op;
                }
                return 0;
              }),
              Returned(0));
}

// A ring that adds to an inherited set copies it first: every operation must come along, whether a
// program closes it or DENY_REST.
KASSAY_CASE(FilterReach, OwnCopyOfASharedSetKeepsEveryOperation,
            Cites("IOU-120", "IOU-089").Timeout(60)) {
  for (const bool by_deny_rest : {true, false}) {
    EXPECT_THAT(InChild([=] {
                  PrepCleanRequests requests;
                  if (by_deny_rest) {
                    if (Filter(kNop, AllowAll()).DenyRest().ApplyToTask() != 0) return 1;
                  } else {
                    for (const uint8_t op : PrepCleanRequests::Operations())
                      if (op != kNop && DenyOnTask(op) != 0) return 2;
                  }
                  for (const uint8_t op : PrepCleanRequests::Operations()) {
                    Ring ring = Mixed();
                    if (Filter(kNop, AllowAll()).ApplyTo(ring) != 0) return 3;
                    const int result = DoPrepClean(ring, requests.For(op));
                    if (result != (op == kNop ? 0 : -EACCES)) return 1000 + op;
                  }
                  return 0;
                }),
                Returned(0))
        << (by_deny_rest ? "closed by DENY_REST" : "closed by programs");
  }
}

// Also where the answers are alike only by chance: without any filter none of these is EACCES.
KASSAY_CASE(FilterReach, NothingIsDeniedWithoutAFilter, Cites("IOU-089", "IOU-072")) {
  PrepCleanRequests requests;
  for (const uint8_t op : PrepCleanRequests::Operations()) {
    Ring ring = Mixed();
    const int result = DoPrepClean(ring, requests.For(op));
    EXPECT_NE(result, -EACCES) << "request " << +op;
    EXPECT_GT(result, kNotSubmitted) << "request " << +op;
  }
}

KASSAY_CASE(FilterReach, WideRequestConsumesBothItsEntriesWhenDenied, Cites("IOU-109")) {
  Ring ring = Mixed();
  ASSERT_EQ(DenyOn(ring, kNop128), 0);
  ring.QueueWide(Tagged({.opcode = kNop128}, 1));
  ring.Queue(Tagged(Nop(), 2));
  EXPECT_EQ(ring.Enter(3), 2) << "the denied request ends the batch";
  EXPECT_EQ(ring.Queued(), 1U);
  const auto denied = ring.Wait();
  ASSERT_TRUE(denied);
  EXPECT_EQ(denied->user_data, 1U);
  EXPECT_THAT(denied->res, IsErrno(EACCES));
  EXPECT_EQ(ring.Enter(1), 1);
  const auto next = ring.Wait();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->user_data, 2U);
  EXPECT_EQ(next->res, 0);
}

KASSAY_CASE(FilterReach, IncludesRingsOfWideEntries, Cites("IOU-109", "IOU-084")) {
  Ring ring({.flags = kSqe128 | kSubmitAll});
  ASSERT_EQ(DenyOn(ring, kNop128), 0);
  const std::array<Sqe, 3> batch{Tagged({.opcode = kNop128}, 1), Tagged(Nop(), 2),
                                 Tagged({.opcode = kNop128}, 3)};
  const BatchOutcome outcome = SubmitTogether(ring, batch);
  ASSERT_EQ(outcome.seen.size(), 3U);
  EXPECT_THAT(outcome.seen[0].res, IsErrno(EACCES));
  EXPECT_EQ(outcome.seen[1].res, 0);
  EXPECT_THAT(outcome.seen[2].res, IsErrno(EACCES));
}

KASSAY_CASE(FilterReach, WideRequestIsNotTakenForItsShortForm, Cites("IOU-109", "IOU-084")) {
  Ring ring = Mixed();
  ASSERT_EQ(DenyOn(ring, kNop), 0);
  EXPECT_EQ(DoPrepClean(ring, {.opcode = kNop128}), 0);
  EXPECT_THAT(ring.Do(Nop()), IsErrno(EACCES));
}

}  // namespace
}  // namespace kassay::uring
