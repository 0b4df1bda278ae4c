// What OPEN_TREE_NAMESPACE promises to save: its cost does not grow with the host's mounts, while
// copying the namespace and pruning it does. Only growth within one run is judged, never a time.
//
// One sample is one forked child that measures itself. The minimum of the samples is taken: on a
// loaded, emulated machine noise only ever adds, and the waits for grace periods in umount make
// medians wander.
#include <time.h>

#include <algorithm>
#include <limits>
#include <map>

#include "suites/mount/mount_test.h"

namespace kassay::mount {
namespace {

long Nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000L + now.tv_nsec;
}

struct Sample {
  long error;
  long nanoseconds;
};

// The way of the new call: make the namespace, enter it, drop the descriptor.
Sample NewWay(const std::string& root) {
  const long start = Nanoseconds();
  UniqueFd ns = Own(NamespaceOf(root));
  const long entered = ns.IsOpen() ? Setns(ns.Get()) : -errno;
  ns.Reset();
  return {entered, Nanoseconds() - start};
}

// The classical way: copy everything, then put the new root in its place and drop the rest.
Sample CopyAndPrune(const std::string& root) {
  const long start = Nanoseconds();
  const long done = FirstError({Unshare(CLONE_NEWNS), SetPropagation("/", MS_REC | MS_PRIVATE),
                                Bind(root, root), Chdir(root), PivotRoot(".", "."), Umount(".")});
  return {done, Nanoseconds() - start};
}

// The control: the new call told to copy everything must be seen to grow.
Sample CopyAll(const std::string& /*root*/) {
  const long start = Nanoseconds();
  UniqueFd ns = Own(NamespaceOf("/", kAtRecursive));
  const long error = ns.IsOpen() ? 0 : -errno;
  ns.Reset();
  return {error, Nanoseconds() - start};
}

}  // namespace

class Cost : public MountTest {
 protected:
  struct Minima {
    long new_way = 0, copy_and_prune = 0, copy_all = 0;
  };

  void SetUp() override {
    MountTest::SetUp();
    root_ = Tmpfs("root");
    many_ = Dir("many");
    source_ = Dir("source");
  }
  // Brings the number of extra mounts in the host namespace up to `count`.
  void GrowTo(int count) {
    for (; mounted_ < count; ++mounted_) {
      const std::string point = many_ + "/" + std::to_string(mounted_);
      ASSERT_EQ(Mkdir(point), 0);
      ASSERT_EQ(Bind(source_, point), 0);
    }
  }
  // Interleaved, so that a slow stretch of the machine meets all three; the shortest is asked most
  // often, for a machine that is taken away for a moment spoils it most.
  [[nodiscard]] Minima Measure(int samples) const {
    Minima minima;
    minima.new_way = minima.copy_and_prune = minima.copy_all = std::numeric_limits<long>::max();
    for (int i = 0; i < samples; ++i) {
      for (int j = 0; j < 5; ++j) minima.new_way = std::min(minima.new_way, Take(NewWay));
      minima.copy_all = std::min(minima.copy_all, Take(CopyAll));
      minima.copy_and_prune = std::min(minima.copy_and_prune, Take(CopyAndPrune));
    }
    return minima;
  }

 private:
  [[nodiscard]] long Take(Sample (*way)(const std::string&)) const {
    const auto sample = InChild([&] { return way(root_); }, 60);
    EXPECT_TRUE(sample.value.has_value()) << sample.Describe();
    if (!sample.value) return std::numeric_limits<long>::max();
    EXPECT_EQ(sample.value->error, 0);
    return sample.value->nanoseconds;
  }

  std::string root_, many_, source_;
  int mounted_ = 0;
};

KASSAY_CASE_F(Cost, DoesNotGrowWithTheHostsMountsWhileCopyAndPruneDoes,
              Cites("MNT-240", "MNT-241", "MNT-242", "MNT-243").Timeout(180)) {
  std::map<int, Minima> seen;
  for (const int mounts : {0, 100, 1000, 5000}) {
    GrowTo(mounts);
    ASSERT_FALSE(HasFatalFailure());
    seen[mounts] = Measure(mounts == 5000 ? 7 : 11);
    const std::string among = std::to_string(mounts) + " mounts: ";
    RecordMeasure(among + "namespace and setns", seen[mounts].new_way / 1000, "us");
    RecordMeasure(among + "copy and prune", seen[mounts].copy_and_prune / 1000, "us");
    RecordMeasure(among + "namespace of everything", seen[mounts].copy_all / 1000, "us");
  }
  // The new way stays where it was: over 50 times as many mounts as the first 100, at most 3 times
  // the cost.
  EXPECT_LE(seen[5000].new_way, 3 * std::max(seen[0].new_way, seen[100].new_way));
  EXPECT_LE(seen[1000].new_way, 3 * std::max(seen[0].new_way, seen[100].new_way));
  // The classical one grows with them, and so does the new call where it is told to copy
  // everything.
  EXPECT_GE(seen[5000].copy_and_prune, 10 * seen[100].copy_and_prune);
  EXPECT_GE(seen[5000].copy_all, 10 * seen[5000].new_way);
  // What that comes to.
  EXPECT_GE(seen[1000].copy_and_prune, 8 * seen[1000].new_way);
  EXPECT_GE(seen[5000].copy_and_prune, 30 * seen[5000].new_way);
}

}  // namespace kassay::mount
