// Who gets a task's restrictions: processes and threads, workers and poll threads, and rings that
// change hands.
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/privilege.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/restriction_list.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/held_child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

template <size_t N>
using Seen = std::array<int, N>;

// What a task sees of its own restrictions: a NOP and a CLOSE on a new ring, and a further list.
using View = Seen<3>;
View Look() {
  Ring ring;
  const int nop = ring.Do(Nop());
  const int close = ring.Do(CloseNothing());
  return {nop, close, RestrictionList().AllowOp(kNop).ApplyToTask()};
}
auto IsRestrictedToClose() { return ElementsAre(IsErrno(EACCES), IsErrno(EBADF), IsErrno(EPERM)); }
auto IsFree() { return ElementsAre(0, IsErrno(EBADF), 0); }

int AllowOnlyClose() { return RestrictionList().AllowOp(kClose).ApplyToTask(); }

View InThread(View (*look)()) {
  View seen{};
  std::thread([&] { seen = look(); }).join();
  return seen;
}

KASSAY_CASE(Inheritance, ReachesAForkedChild, Cites("IOU-049", "IOU-039")) {
  for (int (*restrict_task)() :
       {+[] { return AllowOnlyClose(); }, +[] { return DenyOnTask(kNop); }}) {
    EXPECT_THAT(InChild([=] {
                  if (restrict_task() != 0) return View{};
                  return InChild(Look).value.value_or(View{2, 2, 2});
                }),
                Returned(IsRestrictedToClose()));
  }
}

KASSAY_CASE(Inheritance, ReachesAGrandchild, Cites("IOU-049", "IOU-039")) {
  for (int (*restrict_task)() :
       {+[] { return AllowOnlyClose(); }, +[] { return DenyOnTask(kNop); }}) {
    EXPECT_THAT(InChild([=] {
                  if (restrict_task() != 0) return View{};
                  return InChild([] {
                           return InChild(Look).value.value_or(View{3, 3, 3});
                         })
                      .value.value_or(View{2, 2, 2});
                }),
                Returned(IsRestrictedToClose()));
  }
}

KASSAY_CASE(Inheritance, ReachesAThread, Cites("IOU-049", "IOU-039", "IOU-048")) {
  for (int (*restrict_task)() :
       {+[] { return AllowOnlyClose(); }, +[] { return DenyOnTask(kNop); }}) {
    EXPECT_THAT(InChild([=] {
                  if (restrict_task() != 0) return View{};
                  return InThread(Look);
                }),
                Returned(IsRestrictedToClose()));
  }
}

KASSAY_CASE(Inheritance, ReachesAProcessThatSharesMemory, Cites("IOU-049")) {
  EXPECT_THAT(InChild([] {
                static View seen{};
                if (AllowOnlyClose() != 0) return seen;
                alignas(16) static std::array<std::byte, 256 * 1024> stack;
                const pid_t pid = clone(
                    [](void*) {
                      seen = Look();
                      return 0;
                    },
                    stack.data() + stack.size(), CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD,
                    nullptr);
                if (pid < 0) return View{-1, -1, -1};
                waitpid(pid, nullptr, 0);
                return seen;
              }),
              Returned(IsRestrictedToClose()));
}

KASSAY_CASE(Inheritance, SurvivesTheRestrictedParent, Cites("IOU-049")) {
  EXPECT_THAT(InChild([] {
                // The middle process restricts itself and exits; its child looks afterwards.
                std::array<int, 2> ends{};
                if (pipe(ends.data()) != 0) return View{};
                const pid_t middle = fork();
                if (middle == 0) {
                  if (AllowOnlyClose() != 0) _exit(1);
                  const pid_t parent = getpid();
                  if (fork() == 0) {
                    while (getppid() == parent) usleep(1000);
                    const View seen = Look();
                    _exit(write(ends[1], &seen, sizeof seen) > 0 ? 0 : 1);
                  }
                  _exit(0);
                }
                waitpid(middle, nullptr, 0);
                close(ends[1]);
                View seen{};
                return read(ends[0], &seen, sizeof seen) == sizeof seen ? seen : View{2, 2, 2};
              }),
              Returned(IsRestrictedToClose()));
}

KASSAY_CASE(Inheritance, DoesNotReachTheParent, Cites("IOU-049")) {
  EXPECT_THAT(InChild([] {
                const int in_child = InChild(AllowOnlyClose).value.value_or(-1);
                if (in_child != 0) return View{9, 9, 9};
                return Look();
              }),
              Returned(IsFree()));
}

KASSAY_CASE(Inheritance, IsPerThread, Cites("IOU-048")) {
  EXPECT_THAT(InChild([] {
                std::atomic<int> stage{0};
                Seen<7> seen{};
                View running{};
                std::thread earlier([&] {
                  stage = 1;
                  while (stage != 2) std::this_thread::yield();
                  running = Look();
                });
                while (stage != 1) std::this_thread::yield();
                seen[0] = AllowOnlyClose();
                stage = 2;
                earlier.join();
                const View later = InThread(Look);
                for (size_t i = 0; i < running.size(); ++i) {
                  seen[1 + i] = running[i];
                  seen[4 + i] = later[i];
                }
                return seen;
              }),
              Returned(ElementsAre(0, 0, IsErrno(EBADF), 0, IsErrno(EACCES), IsErrno(EBADF),
                                   IsErrno(EPERM))));
}

KASSAY_CASE(Inheritance, RestrictedThreadDoesNotRestrictItsProcess, Cites("IOU-048")) {
  EXPECT_THAT(InChild([] {
                int restricted = -1;
                std::thread([&] { restricted = AllowOnlyClose(); }).join();
                return restricted == 0 ? Look() : View{9, 9, 9};
              }),
              Returned(IsFree()));
}

// no_new_privs is a thread's own: what the leader of the process has set helps nobody else.
KASSAY_CASE(Inheritance, NoNewPrivsOfTheLeaderIsNotTheThreads, Cites("IOU-030", "IOU-061")) {
  EXPECT_THAT(InChild([] {
                if (SwitchToUser() != 0) return Seen<6>{1};
                Seen<6> seen{};
                std::atomic<int> step{0};
                std::thread sibling([&] {
                  while (step.load() == 0) sched_yield();
                  seen[0] = DenyOnTask(kNop);
                  seen[1] = AllowOnlyClose();
                  seen[2] = Ring().Do(Nop());
                });
                if (SetNoNewPrivs() != 0) return Seen<6>{1};
                step = 1;
                sibling.join();
                seen[3] = AllowOnlyClose();
                seen[4] = DenyOnTask(kClose);
                seen[5] = Ring().Do(Nop());
                return seen;
              }),
              Returned(ElementsAre(IsErrno(EACCES), IsErrno(EACCES), 0, 0, 0, IsErrno(EACCES))));
  EXPECT_THAT(InChild([] {
                if (SwitchToUser() != 0) return Seen<3>{1};
                Seen<3> seen{};
                std::thread([&] {
                  if (SetNoNewPrivs() != 0) return;
                  seen[0] = AllowOnlyClose();
                  seen[1] = DenyOnTask(kNop);
                }).join();
                seen[2] = AllowOnlyClose();
                return seen;
              }),
              Returned(ElementsAre(0, 0, IsErrno(EACCES))));
}

KASSAY_CASE(Inheritance, IsForLife, Cites("IOU-039")) {
  EXPECT_THAT(InChild([] {
                if (AllowOnlyClose() != 0) return Seen<4>{};
                const auto again = [] { return RestrictionList().AllowOp(kNop).ApplyToTask(); };
                const int self = again();
                const int child = InChild(again).value.value_or(0);
                const int grandchild =
                    InChild([=] { return InChild(again).value.value_or(0); }).value.value_or(0);
                int thread = 0;
                std::thread([&] { thread = again(); }).join();
                return Seen<4>{self, child, grandchild, thread};
              }),
              Returned(Each(IsErrno(EPERM))));
}

KASSAY_CASE(Inheritance, ReachesWorkersAndPollThreads, Cites("IOU-049", "IOU-110").Timeout(60)) {
  EXPECT_THAT(
      InChild([] {
        if (DenyOnTask(kNop) != 0) return Seen<4>{};
        Ring plain;
        const int worker = plain.Do(WithFlags(Nop(), kAsync));
        const int allowed = plain.Do(WithFlags(CloseNothing(), kAsync));
        Ring polled({.flags = kSqPoll});
        return Seen<4>{worker, allowed, polled.Do(Nop()), polled.Do(CloseNothing())};
      }),
      Returned(ElementsAre(IsErrno(EACCES), IsErrno(EBADF), IsErrno(EACCES), IsErrno(EBADF))));
}

// The ring's creator is restricted, the one who takes it over and submits on it is not.
KASSAY_CASE(Inheritance, RingKeepsItsCreatorsRestrictions, Cites("IOU-055")) {
  struct Made {
    int fd;
    Params params;
  };
  for (const bool by_filter : {false, true}) {
    const HeldChild maker([&] {
      static Ring* ring = nullptr;
      if ((by_filter ? DenyOnTask(kNop) : AllowOnlyClose()) != 0) return Made{-1, {}};
      static Ring kept;
      ring = &kept;
      return Made{ring->Fd(), ring->SetupParams()};
    });
    ASSERT_TRUE(maker.Value() && maker.Value()->fd >= 0);
    Ring taken(maker.TakeFd(maker.Value()->fd), maker.Value()->params);
    ASSERT_TRUE(taken.IsOpen()) << taken.SetupResult();
    EXPECT_THAT(taken.Do(Nop()), IsErrno(EACCES));
    EXPECT_THAT(taken.Do(CloseNothing()), IsErrno(EBADF));
    EXPECT_EQ(Ring().Do(Nop()), 0);
  }
}

KASSAY_CASE(Inheritance, FreeRingStaysFreeInARestrictedTask, Cites("IOU-040", "IOU-055")) {
  struct Made {
    int fd;
    Params params;
  };
  const HeldChild maker([] {
    static Ring kept;
    return Made{kept.Fd(), kept.SetupParams()};
  });
  ASSERT_TRUE(maker.Value() && maker.Value()->fd >= 0);
  EXPECT_THAT(InChild([&] {
                if (DenyOnTask(kNop) != 0) return 1;
                return Ring(maker.TakeFd(maker.Value()->fd), maker.Value()->params).Do(Nop());
              }),
              Returned(0));
}

KASSAY_CASE(Inheritance, RingsCannotBeSent, Cites("IOU-056")) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const UniqueFd from(ends[0]);
  const UniqueFd to(ends[1]);
  const Ring ring;
  const auto send_fd = [&](int fd) {
    char byte = 'x';
    iovec data{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fd)> control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(from.Get(), &message, MSG_DONTWAIT);
  };
  EXPECT_THAT(send_fd(ring.Fd()), SyscallFailsWithErrno(EINVAL));
  char byte = 0;
  EXPECT_THAT(recv(to.Get(), &byte, 1, MSG_DONTWAIT), SyscallFailsWithErrno(EAGAIN));
  EXPECT_THAT(send_fd(to.Get()), SyscallSucceeds()) << "any other descriptor";
}

KASSAY_CASE(Inheritance, CopyIsTakenAtSetupNotAtEnable, Cites("IOU-057")) {
  EXPECT_THAT(InChild([] {
                Ring early({.flags = kDisabled});
                if (DenyOnTask(kNop) != 0) return Seen<4>{9};
                Ring late({.flags = kDisabled});
                const int enabled_early = early.Enable();
                const int enabled_late = late.Enable();
                return Seen<4>{enabled_early, enabled_late, early.Do(Nop()), late.Do(Nop())};
              }),
              Returned(ElementsAre(0, 0, 0, IsErrno(EACCES))));
  EXPECT_THAT(InChild([] {
                Ring early({.flags = kDisabled});
                if (AllowOnlyClose() != 0) return Seen<2>{9};
                const int enabled = early.Enable();
                return Seen<2>{enabled, early.Do(Nop())};
              }),
              Returned(ElementsAre(0, 0)));
}

}  // namespace
}  // namespace kassay::uring
