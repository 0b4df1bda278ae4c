// What execve keeps. The sharpest difference between kernels: task restrictions live in the task,
// but the teardown of the io_uring context at exec reaches them on some kernels, and only if the
// thread had a ring.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <string>
#include <thread>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/privilege.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/restriction_list.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/helper.h"

namespace kassay::uring {
namespace {

// Prints what a NOP and a CLOSE meet on a new ring, and what a further list of restrictions meets.
KASSAY_HELPER(UringAfterExec) {
  Ring ring;
  const int nop = ring.Do(Nop());
  const int close = ring.Do(CloseNothing());
  const int list = RestrictionList().AllowOp(kNop).ApplyToTask();
  std::cout << "nop=" << nop << " close=" << close << " list=" << list << "\n";
  return 0;
}

// NOP is denied (EACCES 13), CLOSE works (EBADF 9), the list is taken (EPERM 1); and nothing of it.
constexpr const char* kRestricted = "nop=-13 close=-9 list=-1\n";
constexpr const char* kFree = "nop=0 close=-9 list=0\n";

int RestrictToClose() { return RestrictionList().AllowOp(kClose).ApplyToTask(); }

// A ring that is set up is enough: it gives the thread its io_uring context.
int SetUpRing() { return Ring().IsOpen() ? 0 : 1; }

// vfork: the child borrows the parent's memory until it execs.
int VforkAndExec() {
  const pid_t pid = vfork();
  if (pid == 0) {
    ExecHelper("UringAfterExec");
    _exit(kHelperNotExecuted);
  }
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return kHelperNotExecuted;
  return WIFEXITED(status) ? WEXITSTATUS(status) : kHelperNotExecuted;
}
KASSAY_HELPER(UringVforkExec) {
  if (SetNoNewPrivs() != 0 || RestrictToClose() != 0) return kHelperNotPrepared;
  return VforkAndExec();
}

KASSAY_CASE(Exec, LeavesAnUnrestrictedTaskFree, Cites("IOU-050", "IOU-052")) {
  EXPECT_THAT(RunHelper("UringAfterExec"), HelperPrinted(kFree));
  EXPECT_THAT(RunHelper("UringAfterExec", {}, SetUpRing), HelperPrinted(kFree));
}

KASSAY_CASE(Exec, KeepsTheListIfNoRingWasUsed, Cites("IOU-050")) {
  EXPECT_THAT(RunHelper("UringAfterExec", {}, RestrictToClose), HelperPrinted(kRestricted));
}

KASSAY_CASE(Exec, KeepsTheFilterIfNoRingWasUsed, Cites("IOU-050")) {
  EXPECT_THAT(RunHelper("UringAfterExec", {}, [] { return DenyOnTask(kNop); }),
              HelperPrinted(kRestricted));
}

KASSAY_CASE(Exec, KeepsTheListAfterARingWasUsed, Cites("IOU-051")) {
  EXPECT_THAT(RunHelper("UringAfterExec", {},
                        [] {
                          if (const int failed = RestrictToClose(); failed != 0) return failed;
                          return SetUpRing();
                        }),
              HelperPrinted(kRestricted));
}

KASSAY_CASE(Exec, KeepsTheFilterAfterARingWasUsed, Cites("IOU-051")) {
  EXPECT_THAT(RunHelper("UringAfterExec", {},
                        [] {
                          if (const int failed = DenyOnTask(kNop); failed != 0) return failed;
                          return SetUpRing();
                        }),
              HelperPrinted(kRestricted));
}

KASSAY_CASE(Exec, KeepsAListThatCameAfterTheRing, Cites("IOU-051")) {
  EXPECT_THAT(RunHelper("UringAfterExec", {},
                        [] {
                          Ring ring;
                          if (ring.Do(Nop()) != 0) return 1;
                          return RestrictToClose();
                        }),
              HelperPrinted(kRestricted));
}

// The filters are a shared, counted object: losing the task's reference on a failed exec would free
// it early.
KASSAY_CASE(Exec, ThatFailsKeepsEverything, Cites("IOU-050")) {
  EXPECT_THAT(RunHelper("UringAfterExec", {},
                        [] {
                          if (DenyOnTask(kNop) != 0) return 1;
                          execl("/proc/self/nothing", "nothing", nullptr);
                          return 0;
                        }),
              HelperPrinted(kRestricted));
}

KASSAY_CASE(Exec, AfterVforkKeepsTheList, Cites("IOU-049")) {
  EXPECT_THAT(RunHelper("UringVforkExec"), HelperPrinted(kRestricted));
}

KASSAY_CASE(Exec, FromARestrictedThreadStaysRestricted, Cites("IOU-052")) {
  EXPECT_THAT(RunHelper("UringAfterExec", {},
                        [] {
                          std::thread([] {
                            if (RestrictToClose() == 0) ExecHelper("UringAfterExec");
                          }).join();
                          return 1;
                        }),
              HelperPrinted(kRestricted));
}

// The other thread must still be there when the main thread executes.
KASSAY_CASE(Exec, FromAFreeThreadBesideARestrictedOneIsFree, Cites("IOU-052")) {
  EXPECT_THAT(RunHelper("UringAfterExec", {},
                        [] {
                          static std::atomic<int> restricted{-1};
                          std::thread([] {
                            restricted = RestrictToClose() == 0 ? 1 : 0;
                            for (;;) pause();
                          }).detach();
                          while (restricted < 0) usleep(1000);
                          return restricted == 1 ? 0 : 1;
                        }),
              HelperPrinted(kFree));
}

}  // namespace
}  // namespace kassay::uring
