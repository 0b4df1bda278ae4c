// Siblings that cannot be reached at once: the call waits for them, however long, and does it in a
// way that signals can interrupt. Source: landlock_restrict_sibling_threads in
// security/landlock/tsync.c (wait_for_completion_interruptible, -ERESTARTNOINTR).
#include <setjmp.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <array>
#include <atomic>

#include "suites/landlock_tsync/sibling.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::landlock {
namespace {

using ::testing::AllOf;
using ::testing::Eq;
using ::testing::Ge;
using ::testing::Lt;

constexpr long kObstacleMs = 1500;
// Emulation is slow: "at once" is anything well below the obstacle's time.
constexpr long kAtOnceMs = 700;

struct Outcome {
  bool obstacle_stood = false;  // it was there when the call began
  long result = 1;
  long obstacle_end_ms = 0;  // since the call began, as measured by who ended it
  long return_ms = 0;
  long handler_ms = -1;
  Seen caller, blocked, other;
};

void ExpectWaited(const ChildResult<Outcome>& seen) {
  ASSERT_TRUE(seen.value) << seen.Describe();
  ASSERT_TRUE(seen.value->obstacle_stood);
  RecordMeasure("returned after", seen.value->return_ms, "ms");
  EXPECT_THAT(seen.value->result, Eq(0));
  // Not before the obstacle went: who returns earlier has left a thread out.
  EXPECT_THAT(seen.value->return_ms, Ge(seen.value->obstacle_end_ms));
  EXPECT_THAT(seen.value->caller, Eq(kNoReadNnp));
  EXPECT_THAT(seen.value->blocked, Eq(kNoReadNnp));
  EXPECT_THAT(seen.value->other, Eq(kNoReadNnp));
}

std::atomic<long> handler_at;
void NoteTime(int) { handler_at.store(NowMs()); }

// In the sibling: suspended in vfork until the child exits, kObstacleMs from now. The child of
// vfork shares our memory, so it may only make system calls.
long SitInVfork() {
  const pid_t pid = vfork();
  if (pid == 0) {
    const timespec pause{kObstacleMs / 1000, kObstacleMs % 1000 * 1000000};
    syscall(SYS_nanosleep, &pause, nullptr);
    _exit(0);
  }
  const long end = NowMs();
  waitpid(pid, nullptr, 0);
  return end;
}

Outcome CallWhileOneSitsInVfork(const Scratch& scratch, bool interrupt) {
  Sibling blocked;
  Sibling other;
  const ThreadWatch watch(blocked.Tid());
  struct sigaction action {};
  action.sa_handler = NoteTime;  // no SA_RESTART
  sigaction(SIGUSR1, &action, nullptr);
  Outcome outcome;
  SetNoNewPrivs();
  const UniqueFd ruleset = Ruleset(kFsReadFile);
  const pid_t sender = interrupt ? fork() : 0;
  if (interrupt && sender == 0) {
    SleepMs(kObstacleMs / 2);
    kill(getppid(), SIGUSR1);  // the leader makes the call and is the first who can take it
    _exit(0);
  }
  blocked.Begin(SitInVfork);
  outcome.obstacle_stood = watch.WaitUntilIn(SYS_vfork);
  const long start = NowMs();
  outcome.result = RestrictSelf(ruleset.Get(), kTsync);
  outcome.return_ms = NowMs() - start;
  if (interrupt) waitpid(sender, nullptr, 0);
  outcome.handler_ms = handler_at.load() == 0 ? -1 : handler_at.load() - start;
  // Taken by the sibling just after its own return from vfork: never before it.
  outcome.obstacle_end_ms = blocked.Finish() - start;
  outcome.caller = Look(scratch.File());
  outcome.blocked = blocked.Look(scratch.File());
  outcome.other = other.Look(scratch.File());
  return outcome;
}

KASSAY_CASE(Waiting, ForTheChildOfAVfork, Cites("LLK-035")) {
  const Scratch scratch;
  const auto seen = InChild([&] { return CallWhileOneSitsInVfork(scratch, false); });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_TRUE(seen.value->obstacle_stood);
  EXPECT_THAT(seen.value->result, Eq(0));
  // The sibling commits on its way out of the system call, the clock is read after that: allow for
  // the one order and the other, but not for a return while the child still slept.
  EXPECT_THAT(seen.value->return_ms, Ge(kAtOnceMs));
  EXPECT_THAT(seen.value->caller, Eq(kNoReadNnp));
  EXPECT_THAT(seen.value->blocked, Eq(kNoReadNnp));
  EXPECT_THAT(seen.value->other, Eq(kNoReadNnp));
}

KASSAY_CASE(Waiting, HandlesASignalAndGoesOn, Cites("LLK-031", "LLK-032")) {
  const Scratch scratch;
  const auto seen = InChild([&] { return CallWhileOneSitsInVfork(scratch, true); });
  ASSERT_TRUE(seen.value) << seen.Describe();
  RecordMeasure("handler ran after", seen.value->handler_ms, "ms");
  RecordMeasure("returned after", seen.value->return_ms, "ms");
  EXPECT_TRUE(seen.value->obstacle_stood);
  EXPECT_THAT(seen.value->handler_ms, Ge(0));
  EXPECT_THAT(seen.value->handler_ms + 200, Lt(seen.value->return_ms));
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->return_ms, Ge(kAtOnceMs));
  EXPECT_THAT(seen.value->blocked, Eq(kNoReadNnp));
  EXPECT_THAT(seen.value->other, Eq(kNoReadNnp));
}

sigjmp_buf abandoned;
void Abandon(int) { siglongjmp(abandoned, 1); }

// Whether the call was given up from the handler; in a function of its own because of the jump.
__attribute__((noinline)) bool CallAndAbandon(int ruleset) {
  if (sigsetjmp(abandoned, 1) != 0) return true;
  static_cast<void>(RestrictSelf(ruleset, kTsync));
  return false;
}

// The handler does not come back, so the call that was to be restarted never is: whoever prepares
// on an interrupted attempt must not have committed.
KASSAY_CASE(Waiting, AnAttemptThatIsGivenUpRestrictsNobody, Cites("LLK-033", "LLK-014")) {
  struct GivenUp {
    bool obstacle_stood = false, given_up = false;
    Seen caller, blocked, other;
  };
  const Scratch scratch;
  const auto seen = InChild([&] {
    Sibling blocked;
    Sibling other;
    const ThreadWatch watch(blocked.Tid());
    struct sigaction action {};
    action.sa_handler = Abandon;
    sigaction(SIGUSR1, &action, nullptr);
    GivenUp outcome;
    SetNoNewPrivs();
    const UniqueFd ruleset = Ruleset(kFsReadFile);
    const pid_t sender = fork();
    if (sender == 0) {
      SleepMs(kObstacleMs / 2);
      kill(getppid(), SIGUSR1);
      _exit(0);
    }
    blocked.Begin(SitInVfork);
    outcome.obstacle_stood = watch.WaitUntilIn(SYS_vfork);
    outcome.given_up = CallAndAbandon(ruleset.Get());
    waitpid(sender, nullptr, 0);
    outcome.other = other.Look(scratch.File());
    outcome.caller = Look(scratch.File());
    blocked.Finish();
    outcome.blocked = blocked.Look(scratch.File());
    return outcome;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  ASSERT_TRUE(seen.value->obstacle_stood);
  ASSERT_TRUE(seen.value->given_up);
  EXPECT_THAT(seen.value->caller, Eq(kFreeNnp));
  EXPECT_THAT(seen.value->other, Eq(kFree));
  EXPECT_THAT(seen.value->blocked, Eq(kFree));
}

KASSAY_CASE(Waiting, EndsWithSigkill, Cites("LLK-034")) {
  struct Death {
    bool waiting;
    int status;
    long milliseconds;
  };
  const auto seen = InChild([] {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) return Death{};
    const pid_t victim = fork();
    if (victim == 0) {
      Sibling blocked;
      const ThreadWatch watch(blocked.Tid());
      blocked.Begin([] {
        const pid_t pid = vfork();
        if (pid == 0) {
          // Outlives its parent, which must die without it.
          const timespec pause{8, 0};
          syscall(SYS_nanosleep, &pause, nullptr);
          _exit(0);
        }
        return 0L;
      });
      const bool stood = watch.WaitUntilIn(SYS_vfork);
      [[maybe_unused]] const ssize_t put = write(ends[1], &stood, sizeof stood);
      RestrictSelf(Ruleset(kFsReadFile).Get(), kTsync);
      _exit(0);
    }
    Death death{};
    [[maybe_unused]] const ssize_t got = read(ends[0], &death.waiting, sizeof death.waiting);
    SleepMs(300);
    death.waiting = death.waiting && waitpid(victim, &death.status, WNOHANG) == 0;
    const long start = NowMs();
    kill(victim, SIGKILL);
    waitpid(victim, &death.status, 0);
    death.milliseconds = NowMs() - start;
    return death;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_TRUE(seen.value->waiting) << "the call did not wait";
  EXPECT_TRUE(WIFSIGNALED(seen.value->status));
  EXPECT_THAT(WTERMSIG(seen.value->status), Eq(SIGKILL));
  EXPECT_THAT(seen.value->milliseconds, Lt(4000));
}

KASSAY_CASE(Waiting, ForTheTracerOfAStoppedThread, Cites("LLK-036")) {
  const Scratch scratch;
  const auto seen = InChild([&] {
    Sibling blocked;
    Sibling other;
    Outcome outcome;
    std::array<int, 2> said{};
    std::array<int, 2> go{};
    if (pipe(said.data()) != 0 || pipe(go.data()) != 0) return outcome;
    const pid_t tid = blocked.Tid();
    const pid_t tracer = fork();
    if (tracer == 0) {
      bool stopped = ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) == 0 &&
                     ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr) == 0 &&
                     waitpid(tid, nullptr, __WALL) == tid;
      [[maybe_unused]] ssize_t done = write(said[1], &stopped, sizeof stopped);
      done += read(go[0], &stopped, sizeof stopped);
      SleepMs(kObstacleMs);
      const long end = NowMs();
      done += write(said[1], &end, sizeof end);
      ptrace(PTRACE_DETACH, tid, nullptr, nullptr);
      _exit(0);
    }
    SetNoNewPrivs();
    const UniqueFd ruleset = Ruleset(kFsReadFile);
    [[maybe_unused]] ssize_t done =
        read(said[0], &outcome.obstacle_stood, sizeof outcome.obstacle_stood);
    const long start = NowMs();
    done += write(go[1], "g", 1);
    outcome.result = RestrictSelf(ruleset.Get(), kTsync);
    outcome.return_ms = NowMs() - start;
    long end = 0;
    done += read(said[0], &end, sizeof end);
    outcome.obstacle_end_ms = end - start;
    waitpid(tracer, nullptr, 0);
    outcome.caller = Look(scratch.File());
    outcome.blocked = blocked.Look(scratch.File());
    outcome.other = other.Look(scratch.File());
    return outcome;
  });
  ExpectWaited(seen);
}

KASSAY_CASE(Waiting, OutlivesAGroupStop, Cites("LLK-037")) {
  const Scratch scratch;
  const auto seen = InChild([&] {
    // A sibling in vfork keeps the call waiting long enough to be stopped in it.
    std::array<int, 2> ends{};
    Outcome outcome;
    if (pipe(ends.data()) != 0) return outcome;
    const pid_t process = getpid();
    const pid_t stopper = fork();
    if (stopper == 0) {
      SleepMs(kObstacleMs / 3);
      kill(process, SIGSTOP);
      SleepMs(kObstacleMs * 2);
      const long end = NowMs();
      [[maybe_unused]] const ssize_t put = write(ends[1], &end, sizeof end);
      kill(process, SIGCONT);
      _exit(0);
    }
    const long start = NowMs();
    outcome = CallWhileOneSitsInVfork(scratch, false);
    outcome.return_ms = NowMs() - start;
    long end = 0;
    [[maybe_unused]] const ssize_t got = read(ends[0], &end, sizeof end);
    outcome.obstacle_end_ms = end - start;
    waitpid(stopper, nullptr, 0);
    return outcome;
  });
  ExpectWaited(seen);
}

}  // namespace
}  // namespace kassay::landlock
