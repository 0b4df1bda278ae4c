// Whose right is asked must come from the token in hand, not from whatever the descriptor's number
// names a moment later. Source: selinux_bpf_map_create and selinux_bpf_token_create in
// security/selinux/hooks.c; up to 7.2 selinux_bpffs_creator_sid looks the number up again.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "suites/selinux_bpf_token/policy.h"
#include "suites/selinux_bpf_token/token.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::selinux {
namespace {

using ::testing::Eq;

constexpr auto kDuration = std::chrono::seconds(6);

struct Race {
  long setup = 1;
  int denied = 0;       // the number named the token all along, and the policy said no
  int wrong_thing = 0;  // it named the other thing
  int succeeded = 0;
  int strange = 0;  // another error
};

// `attempt` uses the descriptor `number` while another thread makes it name `right` and `wrong` in
// turn.
template <typename Attempt>
void Swap(int number, int right, int wrong, Attempt attempt, Race* race) {
  std::atomic<bool> stop{false};
  std::thread swapper([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      dup2(wrong, number);
      dup2(right, number);
    }
  });
  const auto end = std::chrono::steady_clock::now() + kDuration;
  while (std::chrono::steady_clock::now() < end) {
    const int result = bpf::Succeeded(attempt());
    if (result == 0) ++race->succeeded;
    if (result == -EACCES) ++race->denied;
    if (result == -EINVAL) ++race->wrong_thing;
    if (result != 0 && result != -EACCES && result != -EINVAL) race->strange = result;
  }
  stop.store(true);
  swapper.join();
}

void ExpectNeverAllowed(const ChildResult<Race>& seen) {
  ASSERT_TRUE(seen.value) << seen.Describe();
  ASSERT_THAT(seen.value->setup, Eq(0));
  RecordMeasure("raced for", kDuration.count(), "s");
  RecordMeasure("calls denied", seen.value->denied);
  RecordMeasure("calls that saw the other file", seen.value->wrong_thing);
  RecordMeasure("calls that succeeded", seen.value->succeeded);
  EXPECT_FALSE(seen.value->succeeded > 0) << "allowed by the right of another file's creator";
  EXPECT_THAT(seen.value->strange, Eq(0));
  if (seen.value->denied == 0 || seen.value->wrong_thing == 0)
    KASSAY_UNMET("the descriptor never changed between two attempts");
}

class Swapped : public EitherPolicy {};
KASSAY_EITHER_POLICY(Swapped);

KASSAY_CASE_P(Swapped, DescriptorDoesNotLendAnotherGrantorsRightToAMap,
              Cites("SEL-034").Timeout(60)) {
  ExpectNeverAllowed(InChild([] {
    // grant_t may not make maps for u_nomap; kern_t, who mounted the root file system, may.
    const TokenUser user({.user = "u_nomap"});
    Race race;
    race.setup = user.Error();
    const UniqueFd token(static_cast<int>(bpf::CreateToken(user.Bpffs())));
    const UniqueFd wrong(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const UniqueFd number(dup(token.Get()));
    if (race.setup == 0 && !token.IsOpen()) race.setup = token.Get();
    if (race.setup != 0) return race;
    // A large map takes long to allocate, between the two looks at the descriptor.
    Swap(
        number.Get(), token.Get(), wrong.Get(),
        [&] { return bpf::CreateMap(bpf::kMapTypeArray, number.Get(), 20000); }, &race);
    return race;
  }));
}

KASSAY_CASE_P(Swapped, DescriptorDoesNotLendAnotherGrantorsRightToAToken,
              Cites("SEL-035").Timeout(60)) {
  ExpectNeverAllowed(InChild([] {
    const TokenUser user({.user = "u_nomapas", .delegation = {kMapCreate, "any", "any", "any"}});
    Race race;
    race.setup = user.Error();
    const UniqueFd wrong(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const UniqueFd number(dup(user.Bpffs()));
    if (race.setup != 0) return race;
    Swap(
        number.Get(), user.Bpffs(), wrong.Get(), [&] { return bpf::CreateToken(number.Get()); },
        &race);
    return race;
  }));
}

}  // namespace
}  // namespace kassay::selinux
