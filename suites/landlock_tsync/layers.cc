// At most 16 layers lie upon each other; source: landlock_merge_ruleset in
// security/landlock/ruleset.c (before any sibling is touched).
#include "suites/landlock_tsync/layers.h"

#include "suites/landlock_tsync/sibling.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::landlock {

int LayersThatStillFit() {
  const UniqueFd ruleset = Ruleset(kFsExecute);
  int count = 0;
  while (count <= kMaxLayers && RestrictSelf(ruleset.Get(), 0) == 0) ++count;
  return count;
}

namespace {

using ::testing::Eq;

KASSAY_CASE(Layers, SeventeenthIsRefusedForAllThreads, Cites("LLK-027", "LLK-014")) {
  const Scratch scratch;
  struct Outcome {
    int successes;
    long over, again;
    Seen caller, sibling;
    long mute;
    Seen caller_muted, sibling_muted;
    long sibling_over;
  };
  const auto seen = InChild([&] {
    Sibling sibling;
    Outcome outcome{};
    const UniqueFd writing = Ruleset(kFsWriteFile);
    for (int i = 0; i < kMaxLayers; ++i)
      outcome.successes += RestrictSelf(writing.Get(), kTsync) == 0 ? 1 : 0;
    SetNoNewPrivs();  // must not travel with a refused call
    const UniqueFd reading = Ruleset(kFsReadFile);
    outcome.over = RestrictSelf(reading.Get(), kTsync);
    outcome.again = RestrictSelf(reading.Get(), 0);
    outcome.caller = Look(scratch.File());
    outcome.sibling = sibling.Look(scratch.File());
    outcome.mute = RestrictSelf(-1, kTsync | kLogSubdomainsOff);
    outcome.caller_muted = Look(scratch.File());
    outcome.sibling_muted = sibling.Look(scratch.File());
    outcome.sibling_over = sibling.Do([&] { return RestrictSelf(reading.Get(), 0); });
    return outcome;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->successes, Eq(kMaxLayers));
  EXPECT_THAT(seen.value->over, IsErrno(E2BIG));
  EXPECT_THAT(seen.value->again, IsErrno(E2BIG));
  EXPECT_THAT(seen.value->caller, Eq(kNoWriteNnp));
  EXPECT_THAT(seen.value->sibling, Eq(kNoWrite));
  EXPECT_THAT(seen.value->sibling_over, IsErrno(E2BIG));
}

KASSAY_CASE(Layers, MutingUsesNone, Cites("LLK-028")) {
  const Scratch scratch;
  struct Outcome {
    long mute;
    Seen sibling;
    int left_before_limit;
    long mute_at_limit;
  };
  const auto seen = InChild([&] {
    Sibling sibling;
    Outcome outcome{};
    outcome.mute = RestrictSelf(-1, kTsync | kLogSubdomainsOff);
    outcome.left_before_limit = LayersThatStillFit();
    outcome.mute_at_limit = RestrictSelf(-1, kTsync | kLogSubdomainsOff);
    outcome.sibling = sibling.Look(scratch.File());
    return outcome;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->mute, Eq(0));
  EXPECT_THAT(seen.value->left_before_limit, Eq(kMaxLayers));
  EXPECT_THAT(seen.value->mute_at_limit, Eq(0));
  EXPECT_THAT(seen.value->sibling, Eq(kFree));
}

KASSAY_CASE(Layers, SiblingAtItsLimitIsNoObstacle, Cites("LLK-020", "LLK-018")) {
  const Scratch scratch;
  struct Outcome {
    int sibling_layers;
    Seen before;
    long result;
    Seen after;
    int caller_left, sibling_left;
  };
  const auto seen = InChild([&] {
    Sibling sibling;
    Outcome outcome{};
    outcome.sibling_layers = sibling.Do([] {
      const UniqueFd reading = Ruleset(kFsReadFile);
      int count = 0;
      while (count <= kMaxLayers && RestrictSelf(reading.Get(), 0) == 0) ++count;
      return count;
    });
    outcome.before = sibling.Look(scratch.File());
    outcome.result = RestrictSelf(Ruleset(kFsWriteFile).Get(), kTsync);
    outcome.after = sibling.Look(scratch.File());
    outcome.caller_left = LayersThatStillFit();
    outcome.sibling_left = sibling.Do(LayersThatStillFit);
    return outcome;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->sibling_layers, Eq(kMaxLayers));
  EXPECT_THAT(seen.value->before, Eq(kNoRead));
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->after, Eq(kNoWrite));
  // The caller's one layer is all that either has.
  EXPECT_THAT(seen.value->caller_left, Eq(kMaxLayers - 1));
  EXPECT_THAT(seen.value->sibling_left, Eq(kMaxLayers - 1));
}

KASSAY_CASE(Layers, EachCallAddsExactlyOneToEveryThread, Cites("LLK-016", "LLK-020")) {
  struct Left {
    int caller, first, second;
  };
  for (const int calls : {1, 2, 15}) {
    SCOPED_TRACE(calls);
    const auto seen = InChild([calls] {
      Siblings siblings = StartSiblings(2);
      const UniqueFd ruleset = Ruleset(kFsWriteFile);
      // Turn by turn: a sibling's layers reach the caller as well.
      for (int i = 0; i < calls; ++i) {
        const auto call = [&] { return RestrictSelf(ruleset.Get(), kTsync); };
        i % 2 == 0 ? call() : siblings[0]->Do(call);
      }
      return Left{LayersThatStillFit(), siblings[0]->Do(LayersThatStillFit),
                  siblings[1]->Do(LayersThatStillFit)};
    });
    ASSERT_TRUE(seen.value) << seen.Describe();
    EXPECT_THAT(seen.value->caller, Eq(kMaxLayers - calls));
    EXPECT_THAT(seen.value->first, Eq(kMaxLayers - calls));
    EXPECT_THAT(seen.value->second, Eq(kMaxLayers - calls));
  }
}

}  // namespace
}  // namespace kassay::landlock
