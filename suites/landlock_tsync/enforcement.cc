// Who is restricted when the call returns, with which domain and which no_new_privs. Source:
// security/landlock/tsync.c.
#include <sys/capability.h>

#include <sched.h>
#include <sys/mman.h>
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
using ::testing::Field;

struct Outcome {
  long result = 1;
  Seen before;  // of a sibling
  Seen caller, sibling;
};
void PrintTo(const Outcome& outcome, std::ostream* os) {
  *os << "{result " << outcome.result << ", sibling before "
      << ::testing::PrintToString(outcome.before) << ", caller after "
      << ::testing::PrintToString(outcome.caller) << ", sibling after "
      << ::testing::PrintToString(outcome.sibling) << "}";
}
auto Leaves(const Seen& before, const Seen& caller, const Seen& sibling) {
  return Returned(AllOf(Field("result", &Outcome::result, Eq(0)),
                        Field("before", &Outcome::before, Eq(before)),
                        Field("caller", &Outcome::caller, Eq(caller)),
                        Field("sibling", &Outcome::sibling, Eq(sibling))));
}

// The child: a sibling, `prepare(sibling)`, then `call()`, then both look.
template <typename Prepare, typename Call>
ChildResult<Outcome> InProcess(Prepare prepare, Call call) {
  const Scratch scratch;
  return InChild([&] {
    Outcome outcome;
    Sibling sibling;
    prepare(sibling);
    outcome.before = sibling.Look(scratch.File());
    outcome.result = call();
    outcome.caller = Look(scratch.File());
    outcome.sibling = sibling.Look(scratch.File());
    return outcome;
  });
}

long Enforce(std::uint64_t fs, std::uint32_t flags) {
  return RestrictSelf(Ruleset(fs).Get(), flags);
}

KASSAY_CASE(Enforcement, PrivilegedCallerNeedsNoNoNewPrivsAndSpreadsNone, Cites("LLK-011")) {
  EXPECT_THAT(InProcess([](Sibling&) {}, [] { return Enforce(kFsReadFile, kTsync); }),
              Leaves(kFree, kNoRead, kNoRead));
}

KASSAY_CASE(Enforcement, SiblingNeedsNoPrivilegeOfItsOwn, Cites("LLK-012")) {
  EXPECT_THAT(InProcess(
                  [](Sibling& sibling) {
                    sibling.Do([] {
                      const cap_t none = cap_init();
                      cap_set_proc(none);
                      return cap_free(none);
                    });
                  },
                  [] { return Enforce(kFsReadFile, kTsync); }),
              Leaves(kFree, kNoRead, kNoRead));
}

KASSAY_CASE(Enforcement, NoNewPrivsOfTheCallerSpreads, Cites("LLK-013")) {
  EXPECT_THAT(InProcess([](Sibling&) {},
                        [] {
                          SetNoNewPrivs();
                          return Enforce(kFsReadFile, kTsync);
                        }),
              Leaves(kFree, kNoReadNnp, kNoReadNnp));
}

KASSAY_CASE(Enforcement, NoNewPrivsOfASiblingIsKeptAndNotTakenOver, Cites("LLK-011", "LLK-013")) {
  EXPECT_THAT(InProcess([](Sibling& sibling) { sibling.Do([] { return SetNoNewPrivs(), 0; }); },
                        [] { return Enforce(kFsReadFile, kTsync); }),
              Leaves(kFreeNnp, kNoRead, kNoReadNnp));
}

KASSAY_CASE(Enforcement, WithoutTheFlagOnlyTheCallerIsRestricted, Cites("LLK-017")) {
  EXPECT_THAT(InProcess([](Sibling&) {},
                        [] {
                          SetNoNewPrivs();
                          return Enforce(kFsReadFile, 0);
                        }),
              Leaves(kFree, kNoReadNnp, kFree));
}

KASSAY_CASE(Enforcement, CallersDomainReplacesTheSiblings, Cites("LLK-018")) {
  EXPECT_THAT(
      InProcess([](Sibling& sibling) { sibling.Do([] { return Enforce(kFsReadFile, 0); }); },
                [] { return Enforce(kFsWriteFile, kTsync); }),
      Leaves(kNoRead, kNoWrite, kNoWrite));
}

KASSAY_CASE(Enforcement, CallersOwnEarlierLayersGoAlong, Cites("LLK-018")) {
  constexpr Seen kNeither{-EACCES, -EACCES, 0};
  EXPECT_THAT(InProcess([](Sibling&) { Enforce(kFsReadFile, 0); },
                        [] { return Enforce(kFsWriteFile, kTsync); }),
              Leaves(kFree, kNeither, kNeither));
}

KASSAY_CASE(Enforcement, CallerWithoutDomainStripsTheSiblings, Cites("LLK-019", "LLK-022")) {
  EXPECT_THAT(
      InProcess([](Sibling& sibling) { sibling.Do([] { return Enforce(kFsReadFile, 0); }); },
                [] { return RestrictSelf(-1, kLogSubdomainsOff | kTsync); }),
      Leaves(kNoRead, kFree, kFree));
}

KASSAY_CASE(Enforcement, MutingAloneSpreadsNoNewPrivs, Cites("LLK-013", "LLK-022")) {
  EXPECT_THAT(InProcess([](Sibling&) {},
                        [] {
                          SetNoNewPrivs();
                          return RestrictSelf(-1, kLogSubdomainsOff | kTsync);
                        }),
              Leaves(kFree, kFreeNnp, kFreeNnp));
}

KASSAY_CASE(Enforcement, AllFlagsTogetherAreTaken, Cites("LLK-026")) {
  for (std::uint32_t flags = 0; flags < 8; ++flags) {
    SCOPED_TRACE(flags);
    EXPECT_THAT(
        InProcess([](Sibling&) {}, [flags] { return Enforce(kFsReadFile, flags | kTsync); }),
        Leaves(kFree, kNoRead, kNoRead));
  }
}

KASSAY_CASE(Enforcement, NoNewPrivsFlagSetsItOnEveryThread, Cites("LLK-069")) {
  EXPECT_THAT(InProcess([](Sibling&) {},
                        [] {
                          const cap_t none = cap_init();
                          cap_set_proc(none);
                          cap_free(none);
                          return Enforce(kFsReadFile, kTsync | kNoNewPrivs);
                        }),
              Leaves(kFree, kNoReadNnp, kNoReadNnp));
  // Without TSYNC it is the caller's alone.
  EXPECT_THAT(InProcess([](Sibling&) {}, [] { return Enforce(kFsReadFile, kNoNewPrivs); }),
              Leaves(kFree, kNoReadNnp, kFree));
}

KASSAY_CASE(Enforcement, RefusedNoNewPrivsFlagSetsNothing, Cites("LLK-070")) {
  const Scratch scratch;
  const auto seen = InChild([&] {
    Sibling sibling;
    Outcome outcome;
    outcome.before = sibling.Look(scratch.File());
    outcome.result = RestrictSelf(-1, kNoNewPrivs | kTsync);
    outcome.caller = Look(scratch.File());
    outcome.sibling = sibling.Look(scratch.File());
    return outcome;
  });
  EXPECT_THAT(seen, Returned(AllOf(Field(&Outcome::result, IsErrno(EBADF)),
                                   Field(&Outcome::caller, Eq(kFree)),
                                   Field(&Outcome::sibling, Eq(kFree)))));
}

KASSAY_CASE(Enforcement, SingleThreadRestrictsItself, Cites("LLK-015")) {
  const Scratch scratch;
  EXPECT_THAT(InChild([&] {
                Outcome outcome;
                outcome.before = outcome.sibling = Look(scratch.File());
                outcome.result = Enforce(kFsReadFile, kTsync);
                outcome.caller = Look(scratch.File());
                return outcome;
              }),
              Leaves(kFree, kNoRead, kFree));
}

// Which thread calls: the leader must be reached like any other, and so must the oldest and the
// newest thread of the list that the kernel walks.
struct Position {
  const char* name;
  int caller;  // of five siblings; -1 is the leader
};
void PrintTo(const Position& position, std::ostream* os) { *os << position.name; }
std::string NameOf(const ::testing::TestParamInfo<Position>& parameter) {
  return parameter.param.name;
}
class CallerPosition : public ::testing::TestWithParam<Position> {};

KASSAY_CASE_P(CallerPosition, EveryOtherThreadIsRestricted, Cites("LLK-016", "LLK-013")) {
  const Scratch scratch;
  constexpr int kCount = 5;
  struct Threads {
    long result;
    Seen leader;
    std::array<Seen, kCount> siblings;
  };
  const int caller = GetParam().caller;
  const auto seen = InChild([&] {
    Siblings siblings = StartSiblings(kCount);
    const auto call = [] {
      SetNoNewPrivs();
      return Enforce(kFsReadFile, kTsync);
    };
    Threads threads{};
    threads.result = caller < 0 ? call() : siblings[caller]->Do(call);
    threads.leader = Look(scratch.File());
    for (int i = 0; i < kCount; ++i) threads.siblings[i] = siblings[i]->Look(scratch.File());
    return threads;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->leader, Eq(kNoReadNnp));
  EXPECT_THAT(seen.value->siblings, ::testing::Each(Eq(kNoReadNnp)));
}
INSTANTIATE_TEST_SUITE_P(From, CallerPosition,
                         ::testing::Values(Position{"Leader", -1}, Position{"Oldest", 0},
                                           Position{"Middle", 2}, Position{"Newest", 4}),
                         NameOf);

class ThreadCount : public ::testing::TestWithParam<int> {};

KASSAY_CASE_P(ThreadCount, NoThreadIsMissed, Cites("LLK-016", "LLK-065").Timeout(240)) {
  const Scratch scratch;
  const int count = GetParam();
  struct Counts {
    long result;
    long milliseconds;
    int free_before, restricted_after;
  };
  const auto seen = InChild(
      [&] {
        Siblings siblings = StartSiblings(count);
        Counts counts{};
        counts.free_before = CountSeeing(siblings, scratch.File(), kFree);
        SetNoNewPrivs();
        const long start = NowMs();
        counts.result = Enforce(kFsReadFile, kTsync);
        counts.milliseconds = NowMs() - start;
        counts.restricted_after = CountSeeing(siblings, scratch.File(), kNoReadNnp);
        return counts;
      },
      200);
  ASSERT_TRUE(seen.value) << seen.Describe();
  RecordMeasure("returned after", seen.value->milliseconds, "ms");
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->free_before, Eq(count));
  EXPECT_THAT(seen.value->restricted_after, Eq(count));
}
INSTANTIATE_TEST_SUITE_P(Siblings, ThreadCount, ::testing::Values(1, 2, 10, 100, 1000),
                         ::testing::PrintToStringParamName());

KASSAY_CASE(Enforcement, ChildrenMadeAfterwardsInherit, Cites("LLK-047")) {
  const Scratch scratch;
  const auto seen = InChild([&] {
    Sibling sibling;
    SetNoNewPrivs();
    Enforce(kFsReadFile, kTsync);
    const auto look_in_child = [&] {
      return InChild([&] { return Look(scratch.File()); }).value.value_or(Seen{});
    };
    return std::array<Seen, 2>{look_in_child(), sibling.Do(look_in_child)};
  });
  EXPECT_THAT(seen, Returned(::testing::Each(Eq(kNoReadNnp))));
}

// What another process sees after it was told to look. Lives in memory that is shared with it.
struct Onlooker {
  std::atomic<int> go;
  std::atomic<int> done;
  const char* file;
  Seen seen;
};
int LookWhenTold(void* argument) {
  auto* onlooker = static_cast<Onlooker*>(argument);
  while (onlooker->go.load() == 0) usleep(2000);
  onlooker->seen = Look(onlooker->file);
  onlooker->done.store(1);
  _exit(0);
}

KASSAY_CASE(Enforcement, OtherProcessesAreUntouched, Cites("LLK-046")) {
  const Scratch scratch;
  const auto seen = InChild([&] {
    void* shared = mmap(nullptr, 2 * sizeof(Onlooker), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    auto* onlookers = static_cast<Onlooker*>(shared);
    onlookers[0].file = onlookers[1].file = scratch.File();
    // One that shares nothing, one that shares everything but the thread group.
    if (fork() == 0) LookWhenTold(&onlookers[0]);
    static std::array<char, 65536> stack;
    clone(LookWhenTold, stack.data() + stack.size(),
          CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD, &onlookers[1]);
    Sibling sibling;
    Outcome outcome;
    SetNoNewPrivs();
    outcome.result = Enforce(kFsReadFile, kTsync);
    outcome.sibling = sibling.Look(scratch.File());
    for (int i = 0; i < 2; ++i) {
      onlookers[i].go.store(1);
      while (onlookers[i].done.load() == 0) SleepMs(2);
    }
    outcome.before = onlookers[0].seen;
    outcome.caller = onlookers[1].seen;
    return outcome;
  });
  EXPECT_THAT(seen, Leaves(kFree, kFree, kNoReadNnp));
}

}  // namespace
}  // namespace kassay::landlock
