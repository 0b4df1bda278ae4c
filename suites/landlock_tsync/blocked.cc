// Siblings that sit in a system call. They are reached at once by a signal-like notification that
// is no signal: no handler runs, most calls go on as if nothing had been, and a few return EINTR.
// Which do what follows from the error each returns inside: -ERESTARTSYS, -ERESTARTNOHAND,
// -ERESTARTNOINTR and -ERESTART_RESTARTBLOCK start again, -EINTR does not (arch/x86/kernel/
// signal.c:arch_do_signal_or_restart with no signal to deliver).
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <array>
#include <atomic>

#include "suites/landlock_tsync/sibling.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/kernel_config.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::landlock {
namespace {

using ::testing::Eq;

// The things that calls wait for; made before anybody is restricted.
struct Surroundings {
  std::array<int, 2> pipe{};
  std::array<int, 2> sockets{};
  int epoll = -1;
  int message_queue = -1;
  int semaphores = -1;
  int lock_holder = -1, lock_seeker = -1;
  std::atomic<int> word{0};
  std::array<int, 2> child_ends{};
  pid_t child = -1;
  pid_t blocked_tid = 0;
  std::string fifo;

  explicit Surroundings(const Scratch& scratch) : fifo(std::string(scratch.Folder()) + "/fifo") {
    [[maybe_unused]] int made = pipe2(pipe.data(), O_CLOEXEC);
    made += socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data());
    epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{EPOLLIN, {}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, pipe[0], &event);
    message_queue = msgget(IPC_PRIVATE, 0600);
    semaphores = semget(IPC_PRIVATE, 1, 0600);
    lock_holder = open(scratch.Other(), O_RDWR | O_CLOEXEC);
    lock_seeker = open(scratch.Other(), O_RDWR | O_CLOEXEC);
    struct flock lock {
      F_WRLCK, SEEK_SET, 0, 0, 0
    };
    fcntl(lock_holder, F_OFD_SETLK, &lock);
    mkfifo(fifo.c_str(), 0666);
    made += pipe2(child_ends.data(), O_CLOEXEC);
    child = fork();
    if (child == 0) {
      char byte = 0;
      _exit(read(child_ends[0], &byte, 1) == 1 ? 7 : 1);
    }
  }
  ~Surroundings() {
    kill(child, SIGKILL);
    unlink(fifo.c_str());
    msgctl(message_queue, IPC_RMID, nullptr);
    semctl(semaphores, 0, IPC_RMID);
  }
};

void WritePipe(Surroundings& around) {
  [[maybe_unused]] const ssize_t put = write(around.pipe[1], "p", 1);
}
void WakeFutex(Surroundings& around) {
  around.word.store(1);
  syscall(SYS_futex, &around.word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}
void SignalThread(Surroundings& around) {
  syscall(SYS_tgkill, getpid(), around.blocked_tid, SIGUSR2);
}
void NothingToDo(Surroundings&) {}

constexpr long kNapMs = 1500;
const timespec kNap{kNapMs / 1000, kNapMs % 1000 * 1000000};

struct Blocking {
  const char* name;
  long system_call;
  long (*enter)(Surroundings&);    // in the sibling; libc's result, -errno
  void (*release)(Surroundings&);  // gives it what it waits for
  long expected;                   // its result then
  long at_least_ms = 0;            // how long it must have lasted
  int handlers = 0;                // signal handlers that must have run in the end
  const char* option = nullptr;    // of the kernel, by which it has the call
};
void PrintTo(const Blocking& blocking, std::ostream* os) { *os << blocking.name; }
std::string NameOf(const ::testing::TestParamInfo<Blocking>& parameter) {
  return parameter.param.name;
}

std::atomic<int> handlers_run;

struct Outcome {
  bool was_blocked;
  long result;
  int no_new_privs_meanwhile;  // of the sibling, while it is still in its call
  bool returned_by_itself;     // within 300 ms after the call
  long sibling_result;
  long sibling_ms;
  int handlers;
  bool mask_kept;
  Seen before, sibling;
};

Outcome CallWhileOneIsBlocked(const Blocking& blocking) {
  const Scratch scratch;
  Surroundings around(scratch);
  struct sigaction action {};
  action.sa_handler = [](int) { handlers_run.fetch_add(1); };
  sigaction(SIGUSR2, &action, nullptr);
  Sibling sibling;
  around.blocked_tid = sibling.Tid();
  const ThreadWatch watch(sibling.Tid());
  Outcome outcome{};
  outcome.before = sibling.Look(scratch.File());
  SetNoNewPrivs();
  const UniqueFd ruleset = Ruleset(kFsReadFile);
  std::atomic<long> lasted{0};
  std::atomic<bool> mask_kept{false};
  sibling.Begin([&] {
    sigset_t mask_before;
    sigset_t mask_after;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask_before);
    const long start = NowMs();
    const long result = blocking.enter(around);
    lasted.store(NowMs() - start);
    pthread_sigmask(SIG_SETMASK, nullptr, &mask_after);
    bool same = true;
    for (int i = 1; i < SIGRTMAX; ++i)
      same = same && sigismember(&mask_before, i) == sigismember(&mask_after, i);
    mask_kept.store(same);
    return result;
  });
  outcome.was_blocked = watch.WaitUntilIn(blocking.system_call, 1000);
  outcome.result = RestrictSelf(ruleset.Get(), kTsync);
  outcome.no_new_privs_meanwhile = watch.NoNewPrivs();
  for (int i = 0; i < 30 && !sibling.Finished(); ++i) SleepMs(10);
  outcome.returned_by_itself = sibling.Finished();
  blocking.release(around);
  outcome.sibling_result = sibling.Finish();
  outcome.sibling_ms = lasted.load();
  outcome.mask_kept = mask_kept.load();
  outcome.handlers = handlers_run.load();
  outcome.sibling = sibling.Look(scratch.File());
  return outcome;
}

void ExpectReached(const Outcome& seen, const Blocking& blocking) {
  ASSERT_TRUE(seen.was_blocked) << "the sibling never sat in system call " << blocking.system_call;
  EXPECT_THAT(seen.result, Eq(0));
  EXPECT_THAT(seen.no_new_privs_meanwhile, Eq(1)) << "restricted when the call returns, not later";
  EXPECT_THAT(seen.sibling_result, Eq(blocking.expected))
      << (seen.sibling_result < 0 ? ErrnoName(static_cast<int>(-seen.sibling_result)) : "");
  EXPECT_THAT(seen.handlers, Eq(blocking.handlers));
  EXPECT_THAT(seen.before, Eq(kFree));
  EXPECT_THAT(seen.sibling, Eq(kNoReadNnp));
  EXPECT_TRUE(seen.mask_kept);
}

// A kernel without the call has nobody blocked in it.
class InACall : public ::testing::TestWithParam<Blocking> {
 protected:
  void SetUp() override {
    if (GetParam().option != nullptr) RequireOption(GetParam().option);
  }
};

class StaysBlocked : public InACall {};

KASSAY_CASE_P(StaysBlocked, AndEndsAsIfNothingHadBeen, Cites("LLK-038", "LLK-016")) {
  const auto seen = InChild([] { return CallWhileOneIsBlocked(GetParam()); });
  ASSERT_TRUE(seen.value) << seen.Describe();
  ExpectReached(*seen.value, GetParam());
  EXPECT_FALSE(seen.value->returned_by_itself);
  EXPECT_THAT(seen.value->sibling_ms, ::testing::Ge(GetParam().at_least_ms));
}

constexpr timespec kLong{30, 0};

const Blocking kStaying[] = {
    {"Read", SYS_read,
     [](Surroundings& around) {
       char byte = 0;
       return OrErrno(read(around.pipe[0], &byte, 1));
     },
     WritePipe, 1},
    {"ReadWithAllSignalsBlocked", SYS_read,
     [](Surroundings& around) {
       sigset_t all;
       sigset_t old;
       sigfillset(&all);
       pthread_sigmask(SIG_SETMASK, &all, &old);
       char byte = 0;
       const long result = OrErrno(read(around.pipe[0], &byte, 1));
       pthread_sigmask(SIG_SETMASK, &old, nullptr);
       return result;
     },
     WritePipe, 1},
    {"Futex", SYS_futex,
     [](Surroundings& around) {
       return OrErrno(syscall(SYS_futex, &around.word, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0));
     },
     WakeFutex, 0},
    {"FutexWithTimeout", SYS_futex,
     [](Surroundings& around) {
       return OrErrno(syscall(SYS_futex, &around.word, FUTEX_WAIT_PRIVATE, 0, &kLong, nullptr, 0));
     },
     WakeFutex, 0},
    {"FutexThatTimesOut", SYS_futex,
     [](Surroundings& around) {
       return OrErrno(syscall(SYS_futex, &around.word, FUTEX_WAIT_PRIVATE, 0, &kNap, nullptr, 0));
     },
     NothingToDo, -ETIMEDOUT, kNapMs},
    {"Nanosleep", SYS_nanosleep,
     [](Surroundings&) { return OrErrno(syscall(SYS_nanosleep, &kNap, nullptr)); }, NothingToDo, 0,
     kNapMs},
    {"ClockNanosleep", SYS_clock_nanosleep,
     [](Surroundings&) {
       return OrErrno(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &kNap, nullptr));
     },
     NothingToDo, 0, kNapMs},
    {"Poll", SYS_poll,
     [](Surroundings& around) {
       pollfd waiting{around.pipe[0], POLLIN, 0};
       return OrErrno(syscall(SYS_poll, &waiting, 1, 30000));
     },
     WritePipe, 1},
    {"PollThatTimesOut", SYS_poll,
     [](Surroundings&) { return OrErrno(syscall(SYS_poll, nullptr, 0, kNapMs)); }, NothingToDo, 0,
     kNapMs},
    {"PpollWithMask", SYS_ppoll,
     [](Surroundings& around) {
       pollfd waiting{around.pipe[0], POLLIN, 0};
       timespec limit = kLong;
       const std::uint64_t mask = ~std::uint64_t{0};
       return OrErrno(syscall(SYS_ppoll, &waiting, 1, &limit, &mask, sizeof mask));
     },
     WritePipe, 1},
    {"Select", SYS_select,
     [](Surroundings& around) {
       fd_set set;
       FD_ZERO(&set);
       FD_SET(around.pipe[0], &set);
       timeval limit{30, 0};
       return OrErrno(syscall(SYS_select, around.pipe[0] + 1, &set, nullptr, nullptr, &limit));
     },
     WritePipe, 1},
    {"Pause", SYS_pause, [](Surroundings&) { return OrErrno(syscall(SYS_pause)); }, SignalThread,
     -EINTR, 0, 1},
    {"Sigsuspend", SYS_rt_sigsuspend,
     [](Surroundings&) {
       const std::uint64_t none = 0;
       return OrErrno(syscall(SYS_rt_sigsuspend, &none, sizeof none));
     },
     SignalThread, -EINTR, 0, 1},
    {"Waitpid", SYS_wait4,
     [](Surroundings& around) {
       int status = 0;
       const pid_t ended = waitpid(around.child, &status, 0);
       return ended < 0 ? -errno : static_cast<long>(WEXITSTATUS(status));
     },
     [](Surroundings& around) {
       [[maybe_unused]] const ssize_t put = write(around.child_ends[1], "c", 1);
     },
     7},
    {"Msgrcv", SYS_msgrcv,
     [](Surroundings& around) {
       struct {
         long type;
         char text;
       } message{};
       return OrErrno(msgrcv(around.message_queue, &message, 1, 0, 0));
     },
     [](Surroundings& around) {
       const struct {
         long type;
         char text;
       } message{1, 'm'};
       msgsnd(around.message_queue, &message, 1, 0);
     },
     1, 0, 0, "CONFIG_SYSVIPC"},
    {"FileLock", SYS_fcntl,
     [](Surroundings& around) {
       struct flock lock {
         F_WRLCK, SEEK_SET, 0, 0, 0
       };
       return OrErrno(fcntl(around.lock_seeker, F_OFD_SETLKW, &lock));
     },
     [](Surroundings& around) {
       struct flock lock {
         F_UNLCK, SEEK_SET, 0, 0, 0
       };
       fcntl(around.lock_holder, F_OFD_SETLK, &lock);
     },
     0, 0, 0, "CONFIG_FILE_LOCKING"},
    {"RecvWithoutTimeout", SYS_recvfrom,
     [](Surroundings& around) {
       char byte = 0;
       return OrErrno(syscall(SYS_recvfrom, around.sockets[0], &byte, 1, 0, nullptr, nullptr));
     },
     [](Surroundings& around) {
       [[maybe_unused]] const ssize_t put = write(around.sockets[1], "s", 1);
     },
     1},
};
INSTANTIATE_TEST_SUITE_P(In, StaysBlocked, ::testing::ValuesIn(kStaying), NameOf);

// The opening of a FIFO waits after the permission was checked; started again it is checked again,
// and now it is denied.
class IsDenied : public InACall {};
KASSAY_CASE_P(IsDenied, WhenTheRestartIsCheckedAnew, Cites("LLK-038")) {
  const auto seen = InChild([] { return CallWhileOneIsBlocked(GetParam()); });
  ASSERT_TRUE(seen.value) << seen.Describe();
  ExpectReached(*seen.value, GetParam());
}
const Blocking kDenied[] = {
    {"OpenOfFifo", SYS_openat,
     [](Surroundings& around) {
       return OrErrno(syscall(SYS_openat, AT_FDCWD, around.fifo.c_str(), O_RDONLY, 0));
     },
     NothingToDo, -EACCES},
};
INSTANTIATE_TEST_SUITE_P(In, IsDenied, ::testing::ValuesIn(kDenied), NameOf);

class ReturnsEarly : public InACall {};

KASSAY_CASE_P(ReturnsEarly, WithEintrAndNoHandler, Cites("LLK-039", "LLK-016")) {
  const auto seen = InChild([] { return CallWhileOneIsBlocked(GetParam()); });
  ASSERT_TRUE(seen.value) << seen.Describe();
  ExpectReached(*seen.value, GetParam());
  EXPECT_TRUE(seen.value->returned_by_itself);
}

long WaitForSignal(const timespec* limit) {
  const std::uint64_t mask = std::uint64_t{1} << (SIGUSR2 - 1);
  return OrErrno(syscall(SYS_rt_sigtimedwait, &mask, nullptr, limit, sizeof mask));
}
long TakeSemaphore(Surroundings& around, const timespec* limit) {
  sembuf take{0, -1, 0};
  return OrErrno(
      syscall(limit == nullptr ? SYS_semop : SYS_semtimedop, around.semaphores, &take, 1, limit));
}
long WaitForEpoll(Surroundings& around, int limit_ms) {
  epoll_event event{};
  return OrErrno(syscall(SYS_epoll_wait, around.epoll, &event, 1, limit_ms));
}

const Blocking kReturning[] = {
    {"EpollWait", SYS_epoll_wait, [](Surroundings& around) { return WaitForEpoll(around, -1); },
     NothingToDo, -EINTR},
    {"EpollWaitWithTimeout", SYS_epoll_wait,
     [](Surroundings& around) { return WaitForEpoll(around, 10000); }, NothingToDo, -EINTR},
    {"Sigtimedwait", SYS_rt_sigtimedwait, [](Surroundings&) { return WaitForSignal(&kLong); },
     NothingToDo, -EINTR},
    {"Sigwaitinfo", SYS_rt_sigtimedwait, [](Surroundings&) { return WaitForSignal(nullptr); },
     NothingToDo, -EINTR},
    {"Semop", SYS_semop, [](Surroundings& around) { return TakeSemaphore(around, nullptr); },
     NothingToDo, -EINTR, 0, 0, "CONFIG_SYSVIPC"},
    {"Semtimedop", SYS_semtimedop,
     [](Surroundings& around) { return TakeSemaphore(around, &kLong); }, NothingToDo, -EINTR, 0, 0,
     "CONFIG_SYSVIPC"},
    {"RecvWithTimeout", SYS_recvfrom,
     [](Surroundings& around) {
       const timeval limit{10, 0};
       setsockopt(around.sockets[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
       char byte = 0;
       return OrErrno(syscall(SYS_recvfrom, around.sockets[0], &byte, 1, 0, nullptr, nullptr));
     },
     NothingToDo, -EINTR},
};
INSTANTIATE_TEST_SUITE_P(In, ReturnsEarly, ::testing::ValuesIn(kReturning), NameOf);

}  // namespace
}  // namespace kassay::landlock
