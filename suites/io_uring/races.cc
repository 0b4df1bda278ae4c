// Registration, submission, fork, exit and exec against each other. On an ordinary kernel the
// verdicts and the refcount warnings speak; under KASAN also what is freed too early.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/privilege.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/restriction_list.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/helper.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;

long Taint() {
  std::ifstream file("/proc/sys/kernel/tainted");
  long taint = -1;
  file >> taint;
  return taint;
}

// The kernel is as clean after the case as before it.
class StaysUntainted : public ::testing::Test {
 protected:
  void TearDown() override {
    usleep(100'000);  // rings and filters are torn down by workers
    EXPECT_EQ(Taint(), before_);
  }

 private:
  long before_ = Taint();
};

using UringRace = StaysUntainted;

// A request that begins after the registration has returned must be denied.
KASSAY_CASE_F(UringRace, NoRequestPassesAfterTheRegistrationReturned,
              Cites("IOU-128", "IOU-131").Timeout(60)) {
  for (int round = 0; round < 5; ++round) {
    Ring ring;
    std::atomic<bool> registered{false};
    std::atomic<int> before{0};
    int after = 0;
    int passed_after = 0;
    int unexpected = 0;
    std::thread submitter([&] {
      const auto end = steady_clock::now() + milliseconds(10'000);
      while (after < 200 && steady_clock::now() < end) {
        const bool was_registered = registered.load();
        const int result = ring.Do(Nop());
        if (was_registered) {
          ++after;
          passed_after += result == 0 ? 1 : 0;
        } else {
          ++before;
        }
        unexpected += result != 0 && result != -EACCES ? 1 : 0;
      }
    });
    while (before < 50) std::this_thread::yield();
    int failures = 0;
    for (unsigned op = 0; op < kOpCount70; ++op)
      failures += Filter(op, AllowAll()).ApplyTo(ring) == 0 ? 0 : 1;
    failures += DenyOn(ring, kNop) == 0 ? 0 : 1;
    registered = true;
    submitter.join();
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(unexpected, 0);
    EXPECT_EQ(after, 200);
    EXPECT_EQ(passed_after, 0);
  }
}

// Each generation adds to what it inherited, on itself and on a ring, and forks; the oldest filter
// must hold.
int Generation(int depth) {
  if (Filter(kClose, AllowAll()).ApplyToTask() != 0) return 1;
  Ring ring;
  if (Filter(kNop, AllowAll()).ApplyTo(ring) != 0) return 2;
  if (ring.Do(Socket(0x7f)) != -EACCES || ring.Do(Nop()) != 0) return 3;
  if (depth == 0) return 0;
  return InChild([=] { return Generation(depth - 1); }).value.value_or(4);
}

KASSAY_CASE_F(UringRace, GenerationsThatStackKeepTheOldestFilter,
              Cites("IOU-127", "IOU-049", "IOU-131").Timeout(90)) {
  EXPECT_THAT(InChild(
                  [] {
                    if (DenyOnTask(kSocket) != 0) return 9;
                    for (int round = 0; round < 40; ++round) {
                      if (Filter(kNop, AllowAll()).ApplyToTask() != 0) return 8;
                      const auto seen = InChild([] { return Generation(2); });
                      if (seen.value != 0) return 100 + seen.value.value_or(99);
                    }
                    return 0;
                  },
                  80),
              Returned(0));
}

// Forks, submissions, stacking on ring and task, and rings that come and go, all from threads of
// one task.
int RunMix(milliseconds duration) {
  if (DenyOnTask(kSocket) != 0) return 1;
  const auto end = steady_clock::now() + duration;
  std::atomic<int> wrong{0};
  Ring shared;
  std::thread forks([&] {
    while (steady_clock::now() < end) {
      const pid_t pid = fork();
      if (pid == 0) {
        Ring ring;
        const bool stacked = DenyOnTask(kClose) == 0 && Filter(kNop, AllowAll()).ApplyTo(ring) == 0;
        _exit(stacked && Ring().Do(CloseNothing()) == -EACCES && ring.Do(Socket(0x7f)) == -EACCES
                  ? 0
                  : 1);
      }
      int status = 1;
      if (pid > 0) waitpid(pid, &status, 0);
      wrong += status == 0 ? 0 : 1;
    }
  });
  std::thread submits([&] {
    while (steady_clock::now() < end) wrong += shared.Do(Socket(0x7f)) == -EACCES ? 0 : 1;
  });
  while (steady_clock::now() < end) {
    Ring short_lived;
    wrong += Filter(kNop, AllowAll()).ApplyTo(shared) == 0 ? 0 : 1;
    wrong += Filter(kOpenAt, AllowAll()).ApplyToTask() == 0 ? 0 : 1;
    wrong += short_lived.Do(Nop()) == 0 ? 0 : 1;
  }
  forks.join();
  submits.join();
  return wrong == 0 ? 0 : 1000 + wrong;
}

KASSAY_CASE_F(UringRace, MixOfForksRingsAndStackingKeepsVerdicts,
              Cites("IOU-131", "IOU-120", "IOU-121").Timeout(90)) {
  EXPECT_THAT(InChild([] { return RunMix(milliseconds(2000)); }, 60), Returned(0));
}

// Rings that share a task's set and each add their own, closed in random order after the task is
// gone.
int CloseInRandomOrder(unsigned seed) {
  if (DenyOnTask(kSocket) != 0) return 1;
  std::vector<std::unique_ptr<Ring>> rings;
  for (int i = 0; i < 8; ++i) {
    rings.push_back(std::make_unique<Ring>());
    if (i % 2 == 0 && Filter(kSocket, AllowAll()).ApplyTo(*rings.back()) != 0) return 2;
  }
  if (fork() != 0) return 0;  // the task that gave the set exits; its child closes the rings
  std::shuffle(rings.begin(), rings.end(), std::mt19937(seed));
  while (!rings.empty()) {
    if (rings.back()->Do(Socket(0x7f)) != -EACCES) _exit(3);
    rings.pop_back();
  }
  _exit(0);
}

KASSAY_CASE_F(UringRace, RingsThatShareASetCloseInAnyOrder,
              Cites("IOU-127", "IOU-131").Timeout(60)) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    EXPECT_THAT(InChild([=] { return CloseInRandomOrder(seed); }), Returned(0));
  }
}

KASSAY_CASE_F(UringRace, PolledRingClosesWhileItDenies, Cites("IOU-110", "IOU-131").Timeout(60)) {
  for (int round = 0; round < 10; ++round) {
    Ring ring({.flags = kSqPoll | kSubmitAll, .entries = 64});
    ASSERT_TRUE(ring.IsOpen()) << ring.SetupResult();
    ASSERT_EQ(DenyOn(ring, kSocket), 0);
    for (int i = 0; i < 64; ++i) ring.Queue(Socket());
    EXPECT_EQ(ring.SubmitQueued(), 64);
    ring.CloseFd();
  }
}

KASSAY_HELPER(UringAfterThreadedExec) {
  std::cout << Ring().Do(Nop()) << "\n";
  return 0;
}

// The thread that executes has no ring of its own, so this also holds where IOU-051 does not.
KASSAY_CASE_F(UringRace, ExecWhileOtherThreadsSubmitKeepsTheFilter,
              Cites("IOU-052", "IOU-050", "IOU-131").Timeout(60)) {
  for (int round = 0; round < 5; ++round) {
    EXPECT_THAT(RunHelper("UringAfterThreadedExec", {},
                          [] {
                            if (DenyOnTask(kNop) != 0) return 1;
                            for (int i = 0; i < 3; ++i) {
                              std::thread([] {
                                Ring ring;
                                for (;;) ring.Do(WithFlags(CloseNothing(), kAsync));
                              }).detach();
                            }
                            usleep(20'000);
                            std::thread([] { ExecHelper("UringAfterThreadedExec"); }).join();
                            return 1;
                          }),
                HelperPrinted("-13\n"));
  }
}

}  // namespace
}  // namespace kassay::uring
