// Sets of filters are shared between task, child and ring until one of them adds to its own: what
// is added must stay where it was added.
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "suites/io_uring/filter.h"
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

// On one ring: NOP, CLOSE and a SOCKET of a family that does not exist (EAFNOSUPPORT when it may
// run).
using Denials = Seen<3>;
Denials LookAt(Ring& ring) {
  return {ring.Do(Nop()), ring.Do(CloseNothing()), ring.Do(Socket(0x7f))};
}
Denials LookAtNewRing() {
  Ring ring;
  return LookAt(ring);
}
constexpr int kNopRuns = 0;
constexpr int kCloseRuns = -EBADF;
constexpr int kSocketRuns = -EAFNOSUPPORT;

KASSAY_CASE(Stacking, AdditionsToARingStayThere, Cites("IOU-120")) {
  EXPECT_THAT(InChild([] {
                if (DenyOnTask(kNop) != 0) return Seen<9>{9};
                Ring changed;
                Ring twin;
                if (DenyOn(changed, kClose) != 0) return Seen<9>{9};
                const Denials a = LookAt(changed);
                const Denials b = LookAt(twin);
                const Denials c = LookAtNewRing();
                return Seen<9>{a[0], a[1], a[2], b[0], b[1], b[2], c[0], c[1], c[2]};
              }),
              Returned(ElementsAre(-EACCES, -EACCES, kSocketRuns, -EACCES, kCloseRuns, kSocketRuns,
                                   -EACCES, kCloseRuns, kSocketRuns)));
}

// DENY_REST added to a ring changes its table in many places: none of them may be shared.
KASSAY_CASE(Stacking, DenyRestOfARingStaysThere, Cites("IOU-120")) {
  EXPECT_THAT(InChild([] {
                if (Filter(kNop, AllowAll()).ApplyToTask() != 0) return Seen<6>{9};
                Ring changed;
                if (Filter(kNop, AllowAll()).DenyRest().ApplyTo(changed) != 0) return Seen<6>{9};
                const Denials a = LookAt(changed);
                const Denials b = LookAtNewRing();
                return Seen<6>{a[0], a[1], a[2], b[0], b[1], b[2]};
              }),
              Returned(ElementsAre(kNopRuns, -EACCES, -EACCES, kNopRuns, kCloseRuns, kSocketRuns)));
}

KASSAY_CASE(Stacking, AdditionsOfAChildStayThere, Cites("IOU-121")) {
  EXPECT_THAT(InChild([] {
                if (DenyOnTask(kSocket) != 0) return Seen<6>{9};
                const Denials child = InChild([] {
                                        if (DenyOnTask(kClose) != 0) return Denials{9};
                                        return LookAtNewRing();
                                      }).value.value_or(Denials{8});
                const Denials parent = LookAtNewRing();
                return Seen<6>{child[0], child[1], child[2], parent[0], parent[1], parent[2]};
              }),
              Returned(ElementsAre(kNopRuns, -EACCES, -EACCES, kNopRuns, kCloseRuns, -EACCES)));
}

KASSAY_CASE(Stacking, AdditionsOfAThreadStayThere, Cites("IOU-121", "IOU-048")) {
  EXPECT_THAT(InChild([] {
                if (DenyOnTask(kSocket) != 0) return Seen<6>{9};
                Denials thread{};
                std::thread([&] {
                  if (DenyOnTask(kClose) == 0) thread = LookAtNewRing();
                }).join();
                const Denials parent = LookAtNewRing();
                return Seen<6>{thread[0], thread[1], thread[2], parent[0], parent[1], parent[2]};
              }),
              Returned(ElementsAre(kNopRuns, -EACCES, -EACCES, kNopRuns, kCloseRuns, -EACCES)));
}

KASSAY_CASE(Stacking, FirstFilterOfAChildStaysThere, Cites("IOU-121")) {
  EXPECT_THAT(InChild([] {
                if (InChild([] { return DenyOnTask(kNop); }).value != 0) return Denials{9};
                return LookAtNewRing();
              }),
              Returned(ElementsAre(kNopRuns, kCloseRuns, kSocketRuns)));
}

// The child waits for the parent's addition before it looks.
Denials ChildAfterAddition(bool parent_has_a_filter) {
  if (parent_has_a_filter && DenyOnTask(kSocket) != 0) return {9};
  std::array<int, 2> go{};
  std::array<int, 2> answer{};
  if (pipe(go.data()) != 0 || pipe(answer.data()) != 0) return {9};
  if (fork() == 0) {
    char byte = 0;
    const bool told = read(go[0], &byte, 1) == 1;
    const Denials seen = told ? LookAtNewRing() : Denials{8};
    _exit(write(answer[1], &seen, sizeof seen) > 0 ? 0 : 1);
  }
  if (DenyOnTask(kNop) != 0 || write(go[1], "x", 1) != 1) return {9};
  Denials seen{};
  return read(answer[0], &seen, sizeof seen) == sizeof seen ? seen : Denials{7};
}

KASSAY_CASE(Stacking, AdditionsOfAParentDoNotReachItsChild, Cites("IOU-122")) {
  EXPECT_THAT(InChild([] { return ChildAfterAddition(true); }),
              Returned(ElementsAre(kNopRuns, kCloseRuns, -EACCES)));
}

KASSAY_CASE(Stacking, FirstFilterOfAParentDoesNotReachItsChild, Cites("IOU-048")) {
  EXPECT_THAT(InChild([] { return ChildAfterAddition(false); }),
              Returned(ElementsAre(kNopRuns, kCloseRuns, kSocketRuns)));
}

KASSAY_CASE(Stacking, AdditionsDoNotReachAThreadThatRuns, Cites("IOU-119")) {
  EXPECT_THAT(InChild([] {
                if (DenyOnTask(kSocket) != 0) return Denials{9};
                std::atomic<int> stage{0};
                Denials seen{};
                std::thread running([&] {
                  stage = 1;
                  while (stage != 2) std::this_thread::yield();
                  seen = LookAtNewRing();
                });
                while (stage != 1) std::this_thread::yield();
                const int added = DenyOnTask(kNop);
                stage = 2;
                running.join();
                return added == 0 ? seen : Denials{9};
              }),
              Returned(ElementsAre(kNopRuns, kCloseRuns, -EACCES)));
}

KASSAY_CASE(Stacking, AdditionsOfATaskDoNotReachItsOlderRings, Cites("IOU-123")) {
  EXPECT_THAT(InChild([] {
                if (DenyOnTask(kSocket) != 0) return Seen<6>{9};
                Ring older;
                if (DenyOnTask(kNop) != 0) return Seen<6>{9};
                const Denials a = LookAt(older);
                const Denials b = LookAtNewRing();
                return Seen<6>{a[0], a[1], a[2], b[0], b[1], b[2]};
              }),
              Returned(ElementsAre(kNopRuns, kCloseRuns, -EACCES, -EACCES, kCloseRuns, -EACCES)));
}

// Never reached on any kernel: a ring from before the first filter, and one with a filter of its
// own.
KASSAY_CASE(Stacking, AdditionsOfATaskDoNotReachRingsOfTheirOwn, Cites("IOU-120")) {
  EXPECT_THAT(InChild([] {
                Ring first;
                if (DenyOnTask(kSocket) != 0) return Seen<6>{9};
                Ring own;
                if (DenyOn(own, kClose) != 0 || DenyOnTask(kNop) != 0) return Seen<6>{9};
                const Denials a = LookAt(first);
                const Denials b = LookAt(own);
                return Seen<6>{a[0], a[1], a[2], b[0], b[1], b[2]};
              }),
              Returned(ElementsAre(kNopRuns, kCloseRuns, kSocketRuns, kNopRuns, -EACCES, -EACCES)));
}

// A refused filter on a shared set must not have split or emptied it.
KASSAY_CASE(Stacking, RefusedAdditionLeavesASharedSetAsItWas, Cites("IOU-153", "IOU-120")) {
  EXPECT_THAT(
      InChild([] {
        if (DenyOnTask(kNop) != 0) return Seen<7>{9};
        Ring ring;
        const int refused = Filter(kClose, {Statement(0xffff), Return(0)}).DenyRest().ApplyTo(ring);
        const Denials a = LookAt(ring);
        const Denials b = LookAtNewRing();
        return Seen<7>{refused, a[0], a[1], a[2], b[0], b[1], b[2]};
      }),
      Returned(ElementsAre(-EINVAL, -EACCES, kCloseRuns, kSocketRuns, -EACCES, kCloseRuns,
                           kSocketRuns)));
}

// A refused list must not make the ring forget that its set is the task's as well.
KASSAY_CASE(Stacking, RefusedListLeavesASetShared, Cites("IOU-016", "IOU-120")) {
  EXPECT_THAT(InChild([] {
                if (DenyOnTask(kNop) != 0) return Seen<7>{9};
                Ring changed({.flags = kDisabled});
                const int refused = RestrictionList().Add(9, 0).ApplyTo(changed);
                if (DenyOn(changed, kClose) != 0 || changed.Enable() != 0) return Seen<7>{9};
                const Denials a = LookAt(changed);
                const Denials b = LookAtNewRing();
                return Seen<7>{refused, a[0], a[1], a[2], b[0], b[1], b[2]};
              }),
              Returned(ElementsAre(-EINVAL, -EACCES, -EACCES, kSocketRuns, -EACCES, kCloseRuns,
                                   kSocketRuns)));
}

// Three generations: each has the set from the one before and adds to its own copy.
KASSAY_CASE(Stacking, AdditionsOfAGrandchildStayThere, Cites("IOU-121")) {
  EXPECT_THAT(
      InChild([] {
        if (DenyOnTask(kNop) != 0) return Seen<6>{9};
        return InChild([] {
                 const auto added =
                     InChild([] { return DenyOnTask(kClose) != 0 ? Denials{9} : LookAtNewRing(); });
                 const Denials b = added.value.value_or(Denials{8});
                 const Denials a = LookAtNewRing();
                 return Seen<6>{a[0], a[1], a[2], b[0], b[1], b[2]};
               })
            .value.value_or(Seen<6>{7});
      }),
      Returned(ElementsAre(-EACCES, kCloseRuns, kSocketRuns, -EACCES, -EACCES, kSocketRuns)));
}

// A filter that is refused must not touch the list either.
KASSAY_CASE(Stacking, RefusedFilterLeavesTheList, Cites("IOU-153", "IOU-047")) {
  EXPECT_THAT(
      InChild([] {
        if (RestrictionList().AllowOp(kNop).AllowOp(kSocket).ApplyToTask() != 0) return Seen<6>{9};
        const int wrong_size = Filter(kNop, AllowAll()).Strict(1).ApplyToTask();
        const int wrong_program = Filter(kNop, {Statement(0xffff), Return(0)}).ApplyToTask();
        const int second_list = RestrictionList().AllowOp(kClose).ApplyToTask();
        const Denials a = LookAtNewRing();
        return Seen<6>{wrong_size, wrong_program, second_list, a[0], a[1], a[2]};
      }),
      Returned(ElementsAre(-EMSGSIZE, -EINVAL, -EPERM, 0, -EACCES, kSocketRuns)));
}

// A list and filters are two things to inherit.
KASSAY_CASE(Stacking, ListAndFiltersAreInheritedTogether, Cites("IOU-049", "IOU-047")) {
  EXPECT_THAT(InChild([] {
                if (RestrictionList().AllowOp(kNop).AllowOp(kClose).ApplyToTask() != 0 ||
                    DenyOnTask(kNop) != 0)
                  return Seen<6>{9};
                const Denials a = LookAtNewRing();
                const Denials b =
                    InChild([] { return LookAtNewRing(); }).value.value_or(Denials{8});
                return Seen<6>{a[0], a[1], a[2], b[0], b[1], b[2]};
              }),
              Returned(ElementsAre(-EACCES, kCloseRuns, -EACCES, -EACCES, kCloseRuns, -EACCES)));
}

}  // namespace
}  // namespace kassay::uring
