// Several threads call at once, signals arrive in between, rules are added meanwhile. Source:
// landlock_restrict_sibling_threads in security/landlock/tsync.c (trylock of exec_update_lock, else
// restart_syscall; -ERESTARTNOINTR when a signal interrupts the wait).
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <latch>

#include "suites/landlock_tsync/layers.h"
#include "suites/landlock_tsync/sibling.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::landlock {
namespace {

using ::testing::Eq;
using ::testing::Le;

constexpr int kMostCallers = 40;

struct Race {
  int succeeded, too_big, other;
  int strange;      // one of the other results
  int overlapping;  // pairs of calls that ran at the same time
  int left_first, left_last, left_onlooker;
};

Race RaceCallers(int callers) {
  Siblings siblings = StartSiblings(callers);
  Sibling onlooker;
  const UniqueFd ruleset = Ruleset(kFsWriteFile);
  std::latch start(callers);
  std::array<long, kMostCallers> began{}, ended{}, results{};
  for (int i = 0; i < callers; ++i) {
    siblings[i]->Begin([&, i] {
      start.arrive_and_wait();
      began[i] = NowMs();
      results[i] = RestrictSelf(ruleset.Get(), kTsync);
      ended[i] = NowMs();
      return 0L;
    });
  }
  Race race{};
  for (int i = 0; i < callers; ++i) {
    siblings[i]->Finish();
    race.succeeded += results[i] == 0 ? 1 : 0;
    race.too_big += results[i] == -E2BIG ? 1 : 0;
    if (results[i] != 0 && results[i] != -E2BIG) race.strange = static_cast<int>(results[i]);
    for (int k = 0; k < i; ++k)
      race.overlapping += began[i] <= ended[k] && began[k] <= ended[i] ? 1 : 0;
  }
  race.other = callers - race.succeeded - race.too_big;
  race.left_first = siblings.front()->Do(LayersThatStillFit);
  race.left_last = siblings.back()->Do(LayersThatStillFit);
  race.left_onlooker = onlooker.Do(LayersThatStillFit);
  return race;
}

class Callers : public ::testing::TestWithParam<int> {};

KASSAY_CASE_P(Callers, AreSerializedAndEachAddsOneLayer,
              Cites("LLK-029", "LLK-030", "LLK-031").Timeout(400)) {
  constexpr int kRounds = 2;
  const int callers = GetParam();
  const int fitting = std::min(callers, kMaxLayers);
  int overlapping = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto seen = InChild([callers] { return RaceCallers(callers); }, 180);
    ASSERT_TRUE(seen.value) << seen.Describe();
    EXPECT_THAT(seen.value->succeeded, Eq(fitting));
    EXPECT_THAT(seen.value->too_big, Eq(callers - fitting));
    EXPECT_THAT(seen.value->other, Eq(0)) << ErrnoName(-seen.value->strange);
    EXPECT_THAT(seen.value->left_first, Eq(kMaxLayers - fitting));
    EXPECT_THAT(seen.value->left_last, Eq(kMaxLayers - fitting));
    EXPECT_THAT(seen.value->left_onlooker, Eq(kMaxLayers - fitting));
    overlapping += seen.value->overlapping;
  }
  RecordMeasure("rounds", kRounds);
  RecordMeasure("overlapping pairs of calls", overlapping);
  if (overlapping == 0) KASSAY_UNMET("no two calls ever ran at the same time");
}
INSTANTIATE_TEST_SUITE_P(AtOnce, Callers, ::testing::Values(2, 15, 16, 17, 20),
                         ::testing::PrintToStringParamName());

std::atomic<int> handled;
std::atomic<bool> calling;
std::atomic<int> handled_in_call;
void CountSignal(int) {
  handled.fetch_add(1);
  if (calling.load()) handled_in_call.fetch_add(1);
}
void HandleWithoutRestart(int signal_number) {
  struct sigaction action {};
  action.sa_handler = CountSignal;
  sigaction(signal_number, &action, nullptr);
}

KASSAY_CASE(Interruption, StormLeavesNoLayerAndNoThreadBehind,
            Cites("LLK-031", "LLK-033").Timeout(120)) {
  constexpr int kSiblings = 200;
  constexpr int kCalls = 5;
  constexpr int kSignals = 400;  // bounded: a storm without end may restart a call without end
  const Scratch scratch;
  struct Outcome {
    int zero;
    long strange;
    int handled_in_call, handled;
    int restricted;
    int left;
  };
  const auto seen = InChild(
      [&] {
        HandleWithoutRestart(SIGUSR1);
        Siblings siblings = StartSiblings(kSiblings);
        const pid_t process = getpid();
        const auto caller = static_cast<pid_t>(syscall(SYS_gettid));
        Outcome outcome{};
        const UniqueFd ruleset = Ruleset(kFsReadFile);
        for (int call = 0; call < kCalls; ++call) {
          const pid_t sender = fork();
          if (sender == 0) {
            for (int i = 0; i < kSignals; ++i) {
              syscall(SYS_tgkill, process, caller, SIGUSR1);
              usleep(500);
            }
            _exit(0);
          }
          SleepMs(10);  // the storm is on
          calling.store(true);
          const long result = RestrictSelf(ruleset.Get(), kTsync);
          calling.store(false);
          outcome.zero += result == 0 ? 1 : 0;
          if (result != 0) outcome.strange = result;
          while (waitpid(sender, nullptr, 0) < 0 && errno == EINTR) {
          }
        }
        outcome.handled = handled.load();
        outcome.handled_in_call = handled_in_call.load();
        outcome.restricted = CountSeeing(siblings, scratch.File(), kNoRead);
        outcome.left = LayersThatStillFit();
        return outcome;
      },
      100);
  ASSERT_TRUE(seen.value) << seen.Describe();
  RecordMeasure("rounds", kCalls);
  RecordMeasure("signals handled within a call", seen.value->handled_in_call);
  RecordMeasure("signals handled", seen.value->handled);
  EXPECT_THAT(seen.value->zero, Eq(kCalls)) << ErrnoName(static_cast<int>(-seen.value->strange));
  EXPECT_THAT(seen.value->restricted, Eq(kSiblings));
  EXPECT_THAT(seen.value->left, Eq(kMaxLayers - kCalls));
  if (seen.value->handled_in_call == 0) KASSAY_UNMET("no signal ever interrupted a call");
}

KASSAY_CASE(Interruption, SignalsForSiblingsAreDeliveredExactlyOnce,
            Cites("LLK-040", "LLK-031").Timeout(60)) {
  // Queued real-time signals are counted: one lost or doubled by the interruption shows.
  constexpr int kSiblings = 8;
  constexpr int kSignals = 100;
  struct Outcome {
    int zero, handled;
  };
  const auto seen = InChild(
      [] {
        HandleWithoutRestart(SIGRTMIN);
        Siblings siblings = StartSiblings(kSiblings);
        const pid_t process = getpid();
        std::array<pid_t, kSiblings> targets{};
        for (int i = 0; i < kSiblings; ++i) targets[i] = siblings[i]->Tid();
        const pid_t sender = fork();
        if (sender == 0) {
          for (int i = 0; i < kSignals; ++i) {
            for (const pid_t target : targets) syscall(SYS_tgkill, process, target, SIGRTMIN);
            usleep(500);
          }
          _exit(0);
        }
        Outcome outcome{};
        const UniqueFd ruleset = Ruleset(kFsWriteFile);
        for (int call = 0; call < kMaxLayers; ++call)
          outcome.zero += RestrictSelf(ruleset.Get(), kTsync) == 0 ? 1 : 0;
        waitpid(sender, nullptr, 0);
        for (int i = 0; i < 1000 && handled.load() < kSiblings * kSignals; ++i) SleepMs(5);
        outcome.handled = handled.load();
        return outcome;
      },
      50);
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->zero, Eq(kMaxLayers));
  EXPECT_THAT(seen.value->handled, Eq(kSiblings * kSignals));
}

KASSAY_CASE(Concurrency, RulesMayBeAddedMeanwhile, Cites("LLK-066").Timeout(60)) {
  constexpr int kCalls = 10;
  const Scratch scratch;
  struct Outcome {
    int zero, add_failures;
    long added_during_calls;
    Seen adder;
  };
  const auto seen = InChild([&] {
    Siblings siblings = StartSiblings(2);
    const UniqueFd ruleset = Ruleset(kFsReadFile, kNetBindTcp);
    std::atomic<bool> stop{false};
    std::atomic<int> failures{0};
    std::atomic<long> added{0};
    for (int s = 0; s < 2; ++s) {
      siblings[s]->Begin([&, s] {
        for (std::uint64_t port = 1; !stop.load(); ++port) {
          const NetPortAttr attr{kNetBindTcp, port % 500 * 2 + s};
          if (AddRule(ruleset.Get(), kRuleNetPort, &attr) != 0) failures.fetch_add(1);
          added.fetch_add(1);
        }
        return 0L;
      });
    }
    Outcome outcome{};
    const long start = added.load();
    for (int call = 0; call < kCalls; ++call)
      outcome.zero += RestrictSelf(ruleset.Get(), kTsync) == 0 ? 1 : 0;
    outcome.added_during_calls = added.load() - start;
    stop.store(true);
    for (auto& sibling : siblings) sibling->Finish();
    outcome.add_failures = failures.load();
    outcome.adder = siblings[0]->Look(scratch.File());
    return outcome;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  RecordMeasure("rounds", kCalls);
  RecordMeasure("rules added during the calls", seen.value->added_during_calls);
  EXPECT_THAT(seen.value->zero, Eq(kCalls));
  EXPECT_THAT(seen.value->add_failures, Eq(0));
  EXPECT_THAT(seen.value->adder, Eq(kNoRead));
  if (seen.value->added_during_calls == 0) KASSAY_UNMET("no rule was added during a call");
}

}  // namespace
}  // namespace kassay::landlock
