// What filters cost and when they go: number, memory, the last user of a shared set.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/memory_cgroup.h"
#include "suites/io_uring/privilege.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/held_child.h"
#include "suites/support/scoped_sysctl.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

using ::testing::ElementsAre;

template <size_t N>
using Seen = std::array<int, N>;

Sqe NopWithWord(uint32_t value) {
  Sqe nop = Nop();
  std::memcpy(&nop.user_data, &value, sizeof value);
  return nop;
}

constexpr int kBigFilters = 100;
// A program keeps at least one 8-byte instruction for each of the 4096 it was made from.
constexpr long kBytesOfBigFilters = long{kBigFilters} * BPF_MAXINSNS * 8;
// Charges are drawn in batches of 64 pages a CPU.
constexpr long kNoise = 1L << 20;

Program BiggestAllowing() {
  Program program(BPF_MAXINSNS, Load(kUserDataWord));
  program.back() = Return(1);
  return program;
}
int AddBigFilters(const Ring& ring, int count = kBigFilters) {
  const Filter big(kNop, BiggestAllowing());
  for (int i = 0; i < count; ++i) {
    if (const int failed = big.ApplyTo(ring); failed != 0) return failed;
  }
  return 0;
}

// Lets the grace periods pass in which the kernel frees filters, and fills the memory that they
// left with others of the same size, so that a use after free shows in the verdict.
void LetFreedMemoryBeReused() {
  usleep(200'000);
  const Ring ring;
  for (int i = 0; i < 200; ++i) static_cast<void>(Filter(kNop, AllowAll()).ApplyTo(ring));
}

KASSAY_CASE(Lifetime, FiltersStackWithoutLimit, Cites("IOU-124", "IOU-083").Timeout(90)) {
  Ring ring;
  ASSERT_EQ(Filter(kNop, DenyIfWord(kUserDataWord, 1)).ApplyTo(ring), 0);
  const Filter allow(kNop, AllowAll());
  for (int i = 0; i < 1998; ++i) ASSERT_EQ(allow.ApplyTo(ring), 0) << i;
  ASSERT_EQ(Filter(kNop, DenyIfWord(kUserDataWord, 2)).ApplyTo(ring), 0);
  EXPECT_EQ(ring.Do(NopWithWord(0)), 0);
  EXPECT_THAT(ring.Do(NopWithWord(1)), IsErrno(EACCES)) << "the oldest of 2000";
  EXPECT_THAT(ring.Do(NopWithWord(2)), IsErrno(EACCES)) << "the newest of 2000";
}

KASSAY_CASE(Lifetime, ProgramsAreChargedAndReturn, Cites("IOU-125", "IOU-126").Timeout(90)) {
  const MemoryCgroup group("charged");
  const ScopedSysctl interpreted("net/core/bpf_jit_enable", "0");  // loads faster, weighs the same
  if (!group.Missing().empty()) KASSAY_UNMET(group.Missing());
  struct Charged {
    long before, with_filters, mapped_only, after;
  };
  const auto charged = InChild(
      [&] {
        if (!group.Enter()) return Charged{-1, -1, -1, -1};
        Charged seen{};
        auto ring = std::make_unique<Ring>();
        ring->Do(Nop());
        seen.before = group.Current();
        if (AddBigFilters(*ring) != 0) return Charged{-1, -1, -1, -1};
        seen.with_filters = group.Current();
        ring->CloseFd();
        usleep(300'000);
        seen.mapped_only = group.Current();
        ring.reset();
        seen.after = group.WaitUntilAtMost(seen.before + kNoise);
        return seen;
      },
      60);
  ASSERT_TRUE(charged.value) << charged.Describe();
  RecordMeasure("charged for the filters", charged.value->with_filters - charged.value->before,
                "bytes");
  EXPECT_GE(charged.value->with_filters, charged.value->before + kBytesOfBigFilters);
  EXPECT_GE(charged.value->mapped_only, charged.value->before + kBytesOfBigFilters)
      << "a mapping keeps the ring";
  EXPECT_LE(charged.value->after, charged.value->before + kNoise);
}

// Two filters of 36 KiB or more on a task, one more on its ring, one more on its child.
int ShareAndSplit() {
  const Filter big(kNop, BiggestAllowing());
  if (big.ApplyToTask() != 0 || big.ApplyToTask() != 0) return 1;
  Ring ring;
  if (big.ApplyTo(ring) != 0 || ring.Do(Nop()) != 0) return 2;
  return InChild([&] { return big.ApplyToTask() == 0 ? Ring().Do(Nop()) : 3; }).value.value_or(4);
}

// A miscount that kept one filter a round would keep more than 1 MiB.
KASSAY_CASE(Lifetime, FiltersOfTasksReturnWithThem, Cites("IOU-126", "IOU-125").Timeout(90)) {
  const MemoryCgroup group("task");
  const ScopedSysctl interpreted("net/core/bpf_jit_enable", "0");  // loads faster, weighs the same
  if (!group.Missing().empty()) KASSAY_UNMET(group.Missing());
  for (int round = 0; round < 30; ++round) {
    ASSERT_THAT(InChild([&] { return group.Enter() ? ShareAndSplit() : 9; }), Returned(0)) << round;
  }
  const long left = group.WaitUntilAtMost(kNoise);
  RecordMeasure("left after 30 tasks", left, "bytes");
  EXPECT_LE(left, kNoise);
}

// Not ENOMEM: the charge goes through the allocator, which calls for a victim in the group.
KASSAY_CASE(Lifetime, WhoRegistersTooMuchIsKilledAndLeavesNothing,
            Cites("IOU-125", "IOU-126").Timeout(90)) {
  const MemoryCgroup group("limited");
  if (!group.Missing().empty()) KASSAY_UNMET(group.Missing());
  if (!group.Limit(4L << 20)) KASSAY_UNMET("memory.max cannot be set");
  const auto registrant = InChild(
      [&] {
        if (!group.Enter()) return 1;
        return AddBigFilters(Ring(), 1000);
      },
      60);
  EXPECT_FALSE(registrant.value) << *registrant.value;
  EXPECT_TRUE(WIFSIGNALED(registrant.wait_status) && WTERMSIG(registrant.wait_status) == SIGKILL &&
              !registrant.timed_out)
      << registrant.Describe();
  EXPECT_LE(group.WaitUntilAtMost(kNoise), kNoise);
}

// A refused program must not stay charged either.
KASSAY_CASE(Lifetime, RefusedProgramsReturn, Cites("IOU-126", "IOU-153").Timeout(90)) {
  const MemoryCgroup group("refused");
  const ScopedSysctl interpreted("net/core/bpf_jit_enable", "0");  // loads faster, weighs the same
  if (!group.Missing().empty()) KASSAY_UNMET(group.Missing());
  Program refused = BiggestAllowing();
  refused[BPF_MAXINSNS / 2] = Statement(BPF_LD | BPF_B | BPF_ABS, 0);
  const auto grown = InChild(
      [&] {
        if (!group.Enter()) return -1L;
        const Ring ring;
        const Filter filter(kNop, refused);
        for (int i = 0; i < 20; ++i) static_cast<void>(filter.ApplyTo(ring));
        const long before = group.Current();
        for (int i = 0; i < kBigFilters; ++i) {
          if (filter.ApplyTo(ring) != -EINVAL) return -1L;
        }
        return group.WaitUntilAtMost(before + kNoise) - before;
      },
      60);
  EXPECT_THAT(grown, Returned(::testing::Le(kNoise)));
}

KASSAY_CASE(Lifetime, SetOutlivesTheParentThatGaveIt, Cites("IOU-127").Timeout(60)) {
  EXPECT_THAT(InChild([] {
                std::array<int, 2> ends{};
                if (pipe(ends.data()) != 0) return Seen<4>{9};
                const pid_t parent = fork();
                if (parent == 0) {
                  if (DenyOnTask(kSocket) != 0) _exit(1);
                  const pid_t self = getpid();
                  if (fork() == 0) {
                    while (getppid() == self) usleep(1000);
                    LetFreedMemoryBeReused();
                    Ring ring;
                    const int added = DenyOn(ring, kClose);
                    const Seen<4> seen{added, ring.Do(Nop()), ring.Do(CloseNothing()),
                                       ring.Do(Socket(0x7f))};
                    _exit(write(ends[1], &seen, sizeof seen) > 0 ? 0 : 1);
                  }
                  // Splits the shared set, and goes with its half.
                  _exit(Filter(kClose, AllowAll()).ApplyToTask() == 0 ? 0 : 1);
                }
                int status = 0;
                waitpid(parent, &status, 0);
                close(ends[1]);
                Seen<4> seen{8};
                return read(ends[0], &seen, sizeof seen) == sizeof seen && status == 0 ? seen
                                                                                       : Seen<4>{7};
              }),
              Returned(ElementsAre(0, 0, IsErrno(EACCES), IsErrno(EACCES))));
}

KASSAY_CASE(Lifetime, SetOutlivesTheRingsThatSharedIt, Cites("IOU-127", "IOU-120").Timeout(60)) {
  EXPECT_THAT(InChild([] {
                if (Filter(kNop, DenyIfWord(kUserDataWord, 1)).ApplyToTask() != 0)
                  return Seen<4>{9};
                for (int i = 0; i < 8; ++i) {
                  const Ring sharing;
                  const Ring splitting;
                  if (Filter(kNop, DenyIfWord(kUserDataWord, 2)).ApplyTo(splitting) != 0)
                    return Seen<4>{9};
                }
                Ring keeping;
                if (Filter(kNop, DenyIfWord(kUserDataWord, 3)).ApplyTo(keeping) != 0)
                  return Seen<4>{9};
                LetFreedMemoryBeReused();
                return Seen<4>{Ring().Do(NopWithWord(1)), Ring().Do(NopWithWord(2)),
                               keeping.Do(NopWithWord(1)), keeping.Do(NopWithWord(3))};
              }),
              Returned(ElementsAre(IsErrno(EACCES), 0, IsErrno(EACCES), IsErrno(EACCES))));
}

KASSAY_CASE(Lifetime, RingKeepsTheSetOfATaskThatIsGone, Cites("IOU-127", "IOU-055").Timeout(60)) {
  struct Made {
    int fd;
    Params params;
  };
  HeldChild maker([] {
    if (DenyOnTask(kNop) != 0) return Made{-1, {}};
    static Ring kept;
    return Made{kept.Fd(), kept.SetupParams()};
  });
  ASSERT_TRUE(maker.Value() && maker.Value()->fd >= 0);
  Ring taken(maker.TakeFd(maker.Value()->fd), maker.Value()->params);
  ASSERT_TRUE(taken.IsOpen()) << taken.SetupResult();
  maker.End();
  LetFreedMemoryBeReused();
  EXPECT_THAT(taken.Do(Nop()), IsErrno(EACCES));
  EXPECT_THAT(taken.Do(CloseNothing()), IsErrno(EBADF));
}

KASSAY_CASE(Lifetime, ForkThatFailsLeavesEverything, Cites("IOU-129", "IOU-131")) {
  EXPECT_THAT(InChild([] {
                if (SwitchToUser() != 0 || SetNoNewPrivs() != 0 || DenyOnTask(kNop) != 0)
                  return Seen<3>{9};
                const rlimit none{0, 0};
                if (setrlimit(RLIMIT_NPROC, &none) != 0) return Seen<3>{8};
                int failures = 0;
                for (int i = 0; i < 50; ++i) {
                  const pid_t pid = fork();
                  if (pid == 0) _exit(0);
                  if (pid < 0 && errno == EAGAIN) ++failures;
                  if (pid > 0) waitpid(pid, nullptr, 0);
                }
                LetFreedMemoryBeReused();
                Ring ring;
                return Seen<3>{failures, ring.Do(Nop()), ring.Do(CloseNothing())};
              }),
              Returned(ElementsAre(50, IsErrno(EACCES), IsErrno(EBADF))));
}

long SlabKib() {
  std::ifstream file("/proc/meminfo");
  std::string word;
  long value = 0;
  while (file >> word) {
    if (word == "Slab:" && file >> value) return value;
  }
  return -1;
}

// Each denied request had a path copied or an address stored for it; a leak of 8192 of the smallest
// such objects (192 bytes) would be 1.5 MiB.
KASSAY_CASE(Lifetime, DeniedRequestsReleaseWhatTheyHeld, Cites("IOU-130").Timeout(90)) {
  const std::string path = "/" + std::string(180, 'x');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  open_how how{};
  Ring ring({.flags = kSubmitAll, .entries = 64});
  for (const uint8_t op : {kOpenAt, kOpenAt2, kConnect}) ASSERT_EQ(DenyOn(ring, op), 0);
  const auto submit_rounds = [&](int rounds) {
    int denied = 0;
    for (int i = 0; i < rounds; ++i) {
      std::vector<Sqe> batch;
      for (int k = 0; k < 16; ++k) {
        batch.push_back(OpenAt(path.c_str(), O_RDONLY));
        batch.push_back(OpenAt2(path.c_str(), &how));
        batch.push_back(Connect(-1, &address, sizeof address));
      }
      for (const Cqe& cqe : SubmitTogether(ring, batch).seen) denied += cqe.res == -EACCES ? 1 : 0;
    }
    return denied;
  };
  submit_rounds(64);
  const long before = SlabKib();
  constexpr int kRounds = 512;
  EXPECT_EQ(submit_rounds(kRounds), kRounds * 48);
  usleep(200'000);
  const long grown = SlabKib() - before;
  RecordMeasure("slab growth", grown, "KiB");
  EXPECT_LT(grown, 1024);
}

}  // namespace
}  // namespace kassay::uring
