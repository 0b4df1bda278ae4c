// Kernel memory that runs out in the middle of the call. The allocations of the call (credentials,
// the array of works) are accounted to the caller's control group, so a group whose limit is a few
// pages above its use makes them fail one after the other, on any kernel with CONFIG_MEMCG: the
// process is made unkillable for the memory killer, and a charge that finds no victim fails
// (mm/memcontrol.c:try_charge_memcg). Source of what must hold: tsync_works_grow_by and
// restrict_one_thread in security/landlock/tsync.c.
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <new>

#include "suites/landlock_tsync/layers.h"
#include "suites/landlock_tsync/sibling.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::landlock {
namespace {

using ::testing::Eq;

bool WriteFile(const std::string& path, const std::string& text) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd.IsOpen() &&
         write(fd.Get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// A control group of the second hierarchy with the memory controller; what failed otherwise.
class MemoryGroup {
 public:
  MemoryGroup() {
    mkdir(kRoot, 0700);
    if (mount("none", kRoot, "cgroup2", 0, nullptr) != 0 && errno != EBUSY) {
      error_ = "no cgroup2: " + ErrnoName(errno);
    } else if (!WriteFile(std::string(kRoot) + "/cgroup.subtree_control", "+memory")) {
      error_ = "no memory controller in cgroup2: " + ErrnoName(errno);
    } else if (mkdir(kGroup, 0700) != 0 && errno != EEXIST) {
      error_ = "no new control group: " + ErrnoName(errno);
    }
    current_.Reset(open((std::string(kGroup) + "/memory.current").c_str(), O_RDONLY | O_CLOEXEC));
    max_.Reset(open((std::string(kGroup) + "/memory.max").c_str(), O_WRONLY | O_CLOEXEC));
    if (error_.empty() && (!current_.IsOpen() || !max_.IsOpen())) error_ = "no memory.max";
  }
  ~MemoryGroup() {
    rmdir(kGroup);
    umount(kRoot);
  }
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;

  [[nodiscard]] const std::string& Error() const { return error_; }
  [[nodiscard]] bool Enter() const {
    return WriteFile(std::string(kGroup) + "/cgroup.procs", "0") &&
           WriteFile("/proc/self/oom_score_adj", "-1000");
  }
  // First takes back what the processors hold in reserve (writing the limit does, when it is below
  // the use), then allows `pages` more than is in use.
  [[nodiscard]] bool AllowMore(long pages) const {
    // Twice: other processors give their reserve back a little later.
    if (!Limit(0)) return false;
    SleepMs(10);
    if (!Limit(0)) return false;
    std::array<char, 32> text{};
    if (pread(current_.Get(), text.data(), text.size() - 1, 0) <= 0) return false;
    return Limit(strtol(text.data(), nullptr, 10) + pages * 4096);
  }
  [[nodiscard]] bool Unlimited() const { return pwrite(max_.Get(), "max", 3, 0) == 3; }

 private:
  [[nodiscard]] bool Limit(long bytes) const {
    std::array<char, 32> text{};
    const int size = snprintf(text.data(), text.size(), "%ld", bytes);
    return pwrite(max_.Get(), text.data(), static_cast<size_t>(size), 0) == size;
  }

  static constexpr const char* kRoot = "/tmp/landlock-cgroup";
  static constexpr const char* kGroup = "/tmp/landlock-cgroup/scarce";
  std::string error_;
  UniqueFd current_, max_;
};

// Sets the limit from outside the group: inside, with memory gone, even that write could fail.
// Asked through shared memory, because a pipe would allocate too.
class Limiter {
 public:
  // Forks; the child lives until it is told to end.
  explicit Limiter(const MemoryGroup& group) {
    void* shared =
        mmap(nullptr, sizeof(Words), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    words_ = new (shared) Words;
    if (fork() == 0) Serve(group);
  }
  ~Limiter() { static_cast<void>(Ask(kEnd)); }
  Limiter(const Limiter&) = delete;
  Limiter& operator=(const Limiter&) = delete;

  // `pages` more than in use now, after what the processors hold in reserve was taken back.
  [[nodiscard]] bool AllowMore(long pages) { return Ask(pages); }
  void Unlimited() { static_cast<void>(Ask(kUnlimited)); }

 private:
  static constexpr long kUnlimited = -1, kEnd = -2;
  struct Words {
    std::atomic<long> order{0};
    std::atomic<int> asked{0}, answered{0};
    std::atomic<bool> worked{false};
  };
  // Not std::atomic::wait: that one is for threads of one process.
  static void WaitWhile(const std::atomic<int>& word, int value) {
    while (word.load() == value) syscall(SYS_futex, &word, FUTEX_WAIT, value, nullptr, nullptr, 0);
  }
  static void Wake(std::atomic<int>& word) {
    word.fetch_add(1);
    syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  }
  [[nodiscard]] bool Ask(long order) {
    const int before = words_->answered.load();
    words_->order.store(order);
    Wake(words_->asked);
    WaitWhile(words_->answered, before);
    return words_->worked.load();
  }
  [[noreturn]] void Serve(const MemoryGroup& group) {
    for (int seen = 0;; ++seen) {
      WaitWhile(words_->asked, seen);
      const long order = words_->order.load();
      words_->worked.store(order < 0 ? group.Unlimited() : group.AllowMore(order));
      Wake(words_->answered);
      if (order == kEnd) _exit(0);
    }
  }

  Words* words_;
};

KASSAY_CASE(Memory, RunningOutChangesNobody, Cites("LLK-067", "LLK-014").Timeout(180)) {
  const MemoryGroup group;
  if (!group.Error().empty()) KASSAY_UNMET(group.Error());
  // Half of them share the caller's credentials, half must get a copy of their own made.
  constexpr int kSiblings = 400;
  constexpr int kMostPages = 200;
  const Scratch scratch;
  struct Outcome {
    bool entered;
    int out_of_memory;   // calls that failed with ENOMEM
    long strange;        // another failure
    long changed_after;  // after how many failures somebody had changed; -1 for never
    long result;         // of the call that had enough
    int restricted, left;
  };
  const auto seen = InChild(
      [&] {
        Outcome outcome{};
        outcome.changed_after = -1;
        Limiter limiter(group);
        outcome.entered = group.Enter();
        if (!outcome.entered) return outcome;
        Siblings siblings = StartSiblings(kSiblings);
        for (int i = 0; i < kSiblings; i += 2)
          siblings[i]->Do([] { return syscall(SYS_setresuid, -1, -1, 0); });
        const UniqueFd ruleset = Ruleset(kFsReadFile);
        // Nothing of our own may be missing while memory is scarce.
        if (CountSeeing(siblings, scratch.File(), kFree) != kSiblings) return Outcome{};
        SetNoNewPrivs();
        for (long pages = 0; pages <= kMostPages; ++pages) {
          if (!limiter.AllowMore(pages)) break;
          outcome.result = RestrictSelf(ruleset.Get(), kTsync);
          limiter.Unlimited();
          if (outcome.result == 0) break;
          outcome.out_of_memory += outcome.result == -ENOMEM ? 1 : 0;
          if (outcome.result != -ENOMEM) outcome.strange = outcome.result;
          if (outcome.changed_after < 0 &&
              (CountSeeing(siblings, scratch.File(), kFree) != kSiblings ||
               Look(scratch.File()) != kFreeNnp))
            outcome.changed_after = outcome.out_of_memory;
        }
        limiter.Unlimited();
        outcome.restricted = CountSeeing(siblings, scratch.File(), kNoReadNnp);
        outcome.left = LayersThatStillFit();
        return outcome;
      },
      150);
  ASSERT_TRUE(seen.value) << seen.Describe();
  ASSERT_TRUE(seen.value->entered);
  RecordMeasure("calls that ran out of memory", seen.value->out_of_memory);
  EXPECT_THAT(seen.value->strange, Eq(0));
  EXPECT_THAT(seen.value->changed_after, Eq(-1));
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->restricted, Eq(kSiblings));
  EXPECT_THAT(seen.value->left, Eq(kMaxLayers - 1));
  if (seen.value->out_of_memory == 0) KASSAY_UNMET("memory never ran out");
}

}  // namespace
}  // namespace kassay::landlock
