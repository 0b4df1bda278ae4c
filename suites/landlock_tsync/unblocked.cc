// Siblings that no system call holds: with every signal blocked, and in a loop of their own. They
// are reached by the notification of task_work_add(TWA_SIGNAL), which no mask hides and which kicks
// a running thread (kernel/task_work.c).
#include <signal.h>

#include <atomic>

#include "suites/landlock_tsync/sibling.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::landlock {
namespace {

using ::testing::Eq;

std::atomic<int> handled;

KASSAY_CASE(Blocked, MaskOfTheSiblingDoesNotHideIt, Cites("LLK-040")) {
  // A signal that is pending and blocked stays so: the notification neither delivers nor eats it.
  const Scratch scratch;
  struct State {
    long result;
    int handlers;
    bool pending;
    Seen sibling;
    int handlers_after_unblocking;
  };
  const auto seen = InChild([&] {
    struct sigaction action {};
    action.sa_handler = [](int) { handled.fetch_add(1); };
    sigaction(SIGUSR2, &action, nullptr);
    Sibling sibling;
    sibling.Do([] {
      sigset_t all;
      sigfillset(&all);
      return pthread_sigmask(SIG_SETMASK, &all, nullptr);
    });
    syscall(SYS_tgkill, getpid(), sibling.Tid(), SIGUSR2);
    State state{};
    state.result = RestrictSelf(Ruleset(kFsReadFile).Get(), kTsync);
    state.handlers = handled.load();
    state.pending = sibling.Do([] {
      sigset_t waiting;
      sigpending(&waiting);
      return sigismember(&waiting, SIGUSR2) == 1;
    });
    state.sibling = sibling.Look(scratch.File());
    sibling.Do([] {
      sigset_t none;
      sigemptyset(&none);
      return pthread_sigmask(SIG_SETMASK, &none, nullptr);
    });
    state.handlers_after_unblocking = handled.load();
    return state;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->handlers, Eq(0));
  EXPECT_TRUE(seen.value->pending);
  EXPECT_THAT(seen.value->sibling, Eq(kNoRead));
  EXPECT_THAT(seen.value->handlers_after_unblocking, Eq(1));
}

KASSAY_CASE(Running, ThreadsInALoopOfTheirOwnAreReached, Cites("LLK-041")) {
  constexpr int kSpinning = 4;
  const Scratch scratch;
  struct State {
    long result;
    int restricted;
  };
  const auto seen = InChild([&] {
    Siblings siblings = StartSiblings(kSpinning);
    std::atomic<bool> stop{false};
    std::atomic<int> spinning{0};
    for (auto& sibling : siblings) {
      sibling->Begin([&] {
        spinning.fetch_add(1);
        while (!stop.load(std::memory_order_relaxed)) {
        }
        // First thing after the loop: no order, no lock, no system call in between.
        return Look(scratch.File()) == kNoRead ? 1L : 0L;
      });
    }
    while (spinning.load() < kSpinning) SleepMs(5);
    State state{};
    state.result = RestrictSelf(Ruleset(kFsReadFile).Get(), kTsync);
    stop.store(true);
    for (auto& sibling : siblings) state.restricted += static_cast<int>(sibling->Finish());
    return state;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->restricted, Eq(kSpinning));
}

}  // namespace
}  // namespace kassay::landlock
