// Threads that come and go while the call runs. Source: the rescan loop of
// landlock_restrict_sibling_threads and the PF_EXITING tests in security/landlock/tsync.c.
#include <pthread.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <memory>

#include "suites/landlock_tsync/layers.h"
#include "suites/landlock_tsync/sibling.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/helper.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::landlock {
namespace {

using ::testing::Eq;
using ::testing::Ge;

constexpr std::size_t kSmallStack = 64 << 10;

// Starts a thread with a small stack; false if that was not possible.
bool Spawn(void* (*entry)(void*), void* argument, bool detached, pthread_t* thread) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kSmallStack);
  if (detached) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  const bool made = pthread_create(thread, &attributes, entry, argument) == 0;
  pthread_attr_destroy(&attributes);
  return made;
}

// All the threads of one round; those that were made wait in a futex and look when they are let go.
struct Round {
  const char* file = nullptr;
  std::atomic<bool> spawn{true};
  std::atomic<int> calling{0};  // 0 before, 1 during, 2 after the call
  std::atomic<int> go{0};
  std::atomic<int> made_during{0}, made{0}, looked{0}, escaped{0};
};

void* WaitAndLook(void* argument) {
  auto* round = static_cast<Round*>(argument);
  round->go.wait(0);
  if (Look(round->file) != kNoReadNnp) round->escaped.fetch_add(1);
  round->looked.fetch_add(1);
  return nullptr;
}

constexpr int kMostPerSpawner = 150;

long SpawnUntilTold(Round& round) {
  int count = 0;
  while (round.spawn.load() && count < kMostPerSpawner) {
    const int before = round.calling.load();
    pthread_t thread{};
    if (!Spawn(WaitAndLook, &round, true, &thread)) break;
    ++count;
    round.made.fetch_add(1);
    // Began while the call was on, or straddled one of its ends.
    if (before == 1 || (before == 0 && round.calling.load() != 0)) round.made_during.fetch_add(1);
  }
  return 0;
}

struct Spawned {
  long result;
  int made, made_during, looked, escaped, spawners_restricted;
};

Spawned RaceWithSpawners(const Scratch& scratch) {
  constexpr int kSpawners = 4;
  Siblings spawners = StartSiblings(kSpawners);
  const auto round = std::make_unique<Round>();
  round->file = scratch.File();
  const UniqueFd ruleset = Ruleset(kFsReadFile);
  SetNoNewPrivs();
  for (auto& spawner : spawners) spawner->Begin([&round] { return SpawnUntilTold(*round); });
  while (round->made.load() < 20) SleepMs(1);
  round->calling.store(1);
  Spawned spawned{};
  spawned.result = RestrictSelf(ruleset.Get(), kTsync);
  round->calling.store(2);
  SleepMs(5);
  round->spawn.store(false);
  for (auto& spawner : spawners) spawner->Finish();
  round->go.store(1);
  round->go.notify_all();
  for (int i = 0; i < 2000 && round->looked.load() < round->made.load(); ++i) SleepMs(5);
  spawned.made = round->made.load();
  spawned.made_during = round->made_during.load();
  spawned.looked = round->looked.load();
  spawned.escaped = round->escaped.load();
  spawned.spawners_restricted = CountSeeing(spawners, scratch.File(), kNoReadNnp);
  return spawned;
}

KASSAY_CASE(Creation, NoThreadEscapesThroughIt, Cites("LLK-042", "LLK-016").Timeout(300)) {
  constexpr int kRounds = 6;
  const Scratch scratch;
  int made = 0;
  int made_during = 0;
  for (int i = 0; i < kRounds; ++i) {
    const auto seen = InChild([&] { return RaceWithSpawners(scratch); }, 60);
    ASSERT_TRUE(seen.value) << seen.Describe();
    EXPECT_THAT(seen.value->result, Eq(0));
    EXPECT_THAT(seen.value->looked, Eq(seen.value->made));
    EXPECT_THAT(seen.value->escaped, Eq(0));
    EXPECT_THAT(seen.value->spawners_restricted, Eq(4));
    made += seen.value->made;
    made_during += seen.value->made_during;
  }
  RecordMeasure("rounds", kRounds);
  RecordMeasure("threads that looked", made);
  RecordMeasure("threads made during the calls", made_during);
  if (made_during == 0) KASSAY_UNMET("no thread was ever made during a call");
}

std::atomic<int> ended;
void* EndAtOnce(void*) {
  ended.fetch_add(1);
  return nullptr;
}

KASSAY_CASE(Exit, ThreadsThatExitAreSkipped, Cites("LLK-043").Timeout(120)) {
  constexpr int kMakers = 3;
  constexpr int kCalls = 12;
  const Scratch scratch;
  struct Outcome {
    int zero;
    long strange;
    int ended_during, restricted, left;
  };
  const auto seen = InChild(
      [&] {
        Siblings makers = StartSiblings(kMakers);
        std::atomic<bool> stop{false};
        for (auto& maker : makers) {
          maker->Begin([&stop] {
            pthread_t thread{};
            while (!stop.load()) Spawn(EndAtOnce, nullptr, true, &thread);
            return 0L;
          });
        }
        while (ended.load() < 20) SleepMs(1);
        Outcome outcome{};
        const UniqueFd ruleset = Ruleset(kFsReadFile);
        for (int call = 0; call < kCalls; ++call) {
          const int before = ended.load();
          const long result = RestrictSelf(ruleset.Get(), kTsync);
          outcome.ended_during += ended.load() - before;
          outcome.zero += result == 0 ? 1 : 0;
          if (result != 0) outcome.strange = result;
        }
        stop.store(true);
        for (auto& maker : makers) maker->Finish();
        outcome.restricted = CountSeeing(makers, scratch.File(), kNoRead);
        outcome.left = LayersThatStillFit();
        return outcome;
      },
      100);
  ASSERT_TRUE(seen.value) << seen.Describe();
  RecordMeasure("rounds", kCalls);
  RecordMeasure("threads that ended during the calls", seen.value->ended_during);
  EXPECT_THAT(seen.value->zero, Eq(kCalls)) << ErrnoName(static_cast<int>(-seen.value->strange));
  EXPECT_THAT(seen.value->restricted, Eq(kMakers));
  EXPECT_THAT(seen.value->left, Eq(kMaxLayers - kCalls));
  if (seen.value->ended_during == 0) KASSAY_UNMET("no thread ever ended during a call");
}

// A process whose leader is gone: its other threads live on, and the one that looks answers.
struct Orphans {
  long result;
  char leader_state;
  Seen caller, sibling;
};

[[noreturn]] void LiveWithoutLeader(const Scratch& scratch, int answer_fd) {
  // Never joined or destroyed: the thread that would do it is the one that goes.
  static Sibling caller;
  static Sibling sibling;
  static const UniqueFd leader(open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
  static const UniqueFd ruleset = Ruleset(kFsReadFile);
  caller.Begin([&scratch, answer_fd] {
    Orphans orphans{};
    for (int i = 0; i < 1000 && orphans.leader_state != 'Z'; ++i) {
      std::array<char, 128> text{};
      if (pread(leader.Get(), text.data(), text.size() - 1, 0) > 0)
        orphans.leader_state =
            std::string(text.data()).substr(std::string(text.data()).rfind(')') + 2, 1)[0];
      SleepMs(5);
    }
    orphans.result = RestrictSelf(ruleset.Get(), kTsync);
    orphans.caller = Look(scratch.File());
    orphans.sibling = sibling.Look(scratch.File());
    const ssize_t put = write(answer_fd, &orphans, sizeof orphans);
    _exit(put == sizeof orphans ? 0 : 1);
    return 0L;
  });
  syscall(SYS_exit, 0);
  __builtin_unreachable();
}

KASSAY_CASE(Exit, ZombieLeaderIsNoObstacle, Cites("LLK-044")) {
  const Scratch scratch;
  const auto seen = InChild([&] {
    std::array<int, 2> ends{};
    Orphans orphans{};
    if (pipe(ends.data()) != 0) return orphans;
    const pid_t process = fork();
    if (process == 0) LiveWithoutLeader(scratch, ends[1]);
    close(ends[1]);
    [[maybe_unused]] const ssize_t got = read(ends[0], &orphans, sizeof orphans);
    waitpid(process, nullptr, 0);
    return orphans;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->leader_state, Eq('Z'));
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->caller, Eq(kNoRead));
  EXPECT_THAT(seen.value->sibling, Eq(kNoRead));
}

KASSAY_HELPER(Arrived) {
  printf("no_new_privs %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  return 0;
}

KASSAY_CASE(Exit, ExecOfASiblingEndsTheCallAndTheProgramStarts, Cites("LLK-074").Timeout(120)) {
  // execve takes the same lock and kills the caller: whoever wins, the new program runs and is
  // alone, and the process does not hang.
  constexpr int kRounds = 10;
  int arrived_restricted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const HelperResult seen = RunHelper("Arrived", {}, [round] {
      static Siblings siblings = StartSiblings(10);
      static const UniqueFd ruleset = Ruleset(kFsWriteFile);
      SetNoNewPrivs();
      siblings[0]->Begin([] { return RestrictSelf(ruleset.Get(), kTsync); });
      if (round % 2 == 0) {
        siblings[1]->Begin([] { return ExecHelper("Arrived"); });
        SleepMs(5000);  // the other thread's exec ends this one
        return 1;
      }
      return 0;
    });
    EXPECT_TRUE(seen.Exited(0)) << ::testing::PrintToString(seen);
    // Both the leader (1) and a sibling may have been the one that went on; only the leader had the
    // flag for sure.
    if (round % 2 == 1) {
      EXPECT_THAT(seen.output, Eq("no_new_privs 1\n"));
    }
    arrived_restricted += seen.output == "no_new_privs 1\n" ? 1 : 0;
  }
  RecordMeasure("rounds", kRounds);
  RecordMeasure("rounds that began with no_new_privs", arrived_restricted);
}

}  // namespace
}  // namespace kassay::landlock
