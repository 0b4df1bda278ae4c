// What the rights and scopes mean for siblings that got them by TSYNC. Source:
// security/landlock/{fs,net,task}.c.
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <cstring>

#include "suites/landlock_tsync/sibling.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::landlock {
namespace {

using ::testing::Eq;

int TryRead(const char* path) {
  const UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));
  return fd.IsOpen() ? 0 : -errno;
}

KASSAY_CASE(Access, OpenFilesStayUsableAndReopeningIsChecked, Cites("LLK-048")) {
  const Scratch scratch;
  struct Outcome {
    long result;
    long read_old;
    int reopen;
  };
  const auto seen = InChild([&] {
    Sibling sibling;
    const UniqueFd old(open(scratch.File(), O_RDONLY | O_CLOEXEC));
    const std::string link = "/proc/self/fd/" + std::to_string(old.Get());
    Outcome outcome{};
    outcome.result = RestrictSelf(Ruleset(kFsReadFile).Get(), kTsync);
    outcome.read_old = sibling.Do([&] {
      char byte = 0;
      return OrErrno(read(old.Get(), &byte, 1));
    });
    outcome.reopen = sibling.Do([&] { return TryRead(link.c_str()); });
    return outcome;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->read_old, Eq(1));
  EXPECT_THAT(seen.value->reopen, IsErrno(EACCES));
}

KASSAY_CASE(Access, PathRulesReachSiblings, Cites("LLK-049")) {
  const Scratch scratch;
  struct Outcome {
    long rule, result;
    int beneath, outside, caller_beneath, caller_outside;
  };
  const auto seen = InChild([&] {
    Sibling sibling;
    Outcome outcome{};
    const UniqueFd ruleset = Ruleset(kFsReadFile);
    const UniqueFd folder(open(scratch.SubFolder(), O_PATH | O_CLOEXEC));
    const PathBeneathAttr attr{kFsReadFile, folder.Get()};
    outcome.rule = AddRule(ruleset.Get(), kRulePathBeneath, &attr);
    outcome.result = RestrictSelf(ruleset.Get(), kTsync);
    outcome.beneath = sibling.Do([&] { return TryRead(scratch.Other()); });
    outcome.outside = sibling.Do([&] { return TryRead(scratch.File()); });
    outcome.caller_beneath = TryRead(scratch.Other());
    outcome.caller_outside = TryRead(scratch.File());
    return outcome;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->rule, Eq(0));
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->beneath, Eq(0));
  EXPECT_THAT(seen.value->outside, IsErrno(EACCES));
  EXPECT_THAT(seen.value->caller_beneath, Eq(0));
  EXPECT_THAT(seen.value->caller_outside, IsErrno(EACCES));
}

KASSAY_CASE(Access, RulesAddedAfterwardsChangeNothing, Cites("LLK-049")) {
  const Scratch scratch;
  const auto seen = InChild([&] {
    Sibling sibling;
    const UniqueFd ruleset = Ruleset(kFsReadFile);
    RestrictSelf(ruleset.Get(), kTsync);
    const UniqueFd folder(open(scratch.Folder(), O_PATH | O_CLOEXEC));
    const PathBeneathAttr attr{kFsReadFile, folder.Get()};
    const long rule = AddRule(ruleset.Get(), kRulePathBeneath, &attr);
    return std::array<long, 2>{rule, sibling.Do([&] { return TryRead(scratch.File()); })};
  });
  EXPECT_THAT(seen, Returned(Eq(std::array<long, 2>{0, -EACCES})));
}

// Port 0 lets the kernel choose.
int TryTcp(bool connecting, std::uint16_t port) {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.IsOpen()) return -errno;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  const int result = connecting ? connect(fd.Get(), generic, sizeof address)
                                : bind(fd.Get(), generic, sizeof address);
  return result == 0 ? 0 : -errno;
}

KASSAY_CASE(Access, PortRulesReachSiblings, Cites("LLK-050")) {
  struct Outcome {
    int before;
    long rule, result;
    int bind_allowed, bind_other, bind_any, connect;
  };
  const auto seen = InChild([] {
    Sibling sibling;
    Outcome outcome{};
    outcome.before = sibling.Do([] { return TryTcp(false, 8081); });
    const UniqueFd ruleset = Ruleset(0, kNetBindTcp | kNetConnectTcp);
    const NetPortAttr attr{kNetBindTcp, 8080};
    outcome.rule = AddRule(ruleset.Get(), kRuleNetPort, &attr);
    outcome.result = RestrictSelf(ruleset.Get(), kTsync);
    outcome.bind_allowed = sibling.Do([] { return TryTcp(false, 8080); });
    outcome.bind_other = sibling.Do([] { return TryTcp(false, 8081); });
    outcome.bind_any = sibling.Do([] { return TryTcp(false, 0); });
    outcome.connect = sibling.Do([] { return TryTcp(true, 8080); });
    return outcome;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  if (seen.value->before == -EAFNOSUPPORT) KASSAY_UNMET("no IPv4 in this kernel");
  if (seen.value->before == -EADDRNOTAVAIL) KASSAY_UNMET("the loopback interface is down");
  EXPECT_THAT(seen.value->before, Eq(0));
  EXPECT_THAT(seen.value->rule, Eq(0));
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->bind_allowed, Eq(0));
  EXPECT_THAT(seen.value->bind_other, IsErrno(EACCES));
  EXPECT_THAT(seen.value->bind_any, IsErrno(EACCES));
  EXPECT_THAT(seen.value->connect, IsErrno(EACCES));
}

std::atomic<int> arrived;
void CountArrival(int) { arrived.fetch_add(1); }

// 0 or -errno of the null signal: the permission alone is tested.
int MaySignal(pid_t pid) { return kill(pid, 0) == 0 ? 0 : -errno; }

KASSAY_CASE(Scope, SignalsBetweenThreadsOfOneProcessAlwaysPass, Cites("LLK-052")) {
  struct Outcome {
    long result;
    int to_sibling, to_child, to_parent;
    int arrived;
    int sibling_to_parent;
  };
  const auto seen = InChild([] {
    const pid_t outside = getppid();
    Sibling sibling;
    struct sigaction action {};
    action.sa_handler = CountArrival;
    sigaction(SIGUSR1, &action, nullptr);
    Outcome outcome{};
    outcome.result = RestrictSelf(Ruleset(0, 0, kScopeSignal).Get(), 0);
    outcome.to_sibling =
        static_cast<int>(OrErrno(syscall(SYS_tgkill, getpid(), sibling.Tid(), SIGUSR1)));
    for (int i = 0; i < 400 && arrived.load() == 0; ++i) SleepMs(5);
    outcome.arrived = arrived.load();
    const pid_t child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    outcome.to_child = MaySignal(child);
    outcome.to_parent = MaySignal(outside);
    outcome.sibling_to_parent = sibling.Do([&] { return MaySignal(outside); });
    kill(child, SIGKILL);
    return outcome;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->to_sibling, Eq(0));
  EXPECT_THAT(seen.value->arrived, Eq(1));
  EXPECT_THAT(seen.value->to_child, Eq(0));
  EXPECT_THAT(seen.value->to_parent, IsErrno(EPERM));
  EXPECT_THAT(seen.value->sibling_to_parent, Eq(0)) << "the sibling is not in the scope";
}

// Connects to an abstract name that the parent listens on.
int TryConnect(const sockaddr_un& address, socklen_t length) {
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return connect(fd.Get(), reinterpret_cast<const sockaddr*>(&address), length) == 0 ? 0 : -errno;
}

KASSAY_CASE(Scope, BothScopesReachSiblings, Cites("LLK-075")) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  constexpr char kName[] = "kassay-landlock-scope";
  memcpy(address.sun_path + 1, kName, sizeof kName);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + sizeof kName);
  const UniqueFd listening(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_THAT(bind(listening.Get(), reinterpret_cast<sockaddr*>(&address), length),
              SyscallSucceeds());
  ASSERT_THAT(listen(listening.Get(), 5), SyscallSucceeds());
  struct Outcome {
    int connect_before, signal_before;
    long result;
    int connect_after, signal_after, signal_own;
  };
  const auto seen = InChild([&] {
    const pid_t outside = getppid();
    Sibling sibling;
    Outcome outcome{};
    outcome.connect_before = sibling.Do([&] { return TryConnect(address, length); });
    outcome.signal_before = sibling.Do([&] { return MaySignal(outside); });
    outcome.result =
        RestrictSelf(Ruleset(0, 0, kScopeSignal | kScopeAbstractUnixSocket).Get(), kTsync);
    outcome.connect_after = sibling.Do([&] { return TryConnect(address, length); });
    outcome.signal_after = sibling.Do([&] { return MaySignal(outside); });
    outcome.signal_own = sibling.Do([] { return MaySignal(getpid()); });
    return outcome;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->connect_before, Eq(0));
  EXPECT_THAT(seen.value->signal_before, Eq(0));
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->connect_after, IsErrno(EPERM));
  EXPECT_THAT(seen.value->signal_after, IsErrno(EPERM));
  EXPECT_THAT(seen.value->signal_own, Eq(0));
}

KASSAY_CASE(Scope, SignalsByFileOwnershipDoNotLeaveIt, Cites("LLK-073")) {
  // A scoped process names a process group with an outsider in it as owner of a pipe, and lets data
  // arrive. With itself as the group's newest member the kernel once took that for its own process.
  struct Outcome {
    int own_group, before;
    long result;
    int direct, after;
  };
  const auto seen = InChild([] {
    setpgid(0, 0);
    struct sigaction action {};
    action.sa_handler = CountArrival;
    sigaction(SIGUSR1, &action, nullptr);
    const auto count_after = [](bool scoped, Outcome* outcome) {
      const int old = arrived.load();
      const pid_t outside = getpid();
      const pid_t child = fork();
      if (child == 0) {
        signal(SIGUSR1, SIG_IGN);
        setpgid(0, outside);  // the newest member
        const long result = scoped ? RestrictSelf(Ruleset(0, 0, kScopeSignal).Get(), 0) : 0;
        const int direct = kill(outside, 0) == 0 ? 0 : errno;
        std::array<int, 2> ends{};
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) _exit(255);
        fcntl(ends[0], F_SETSIG, SIGUSR1);
        fcntl(ends[0], F_SETOWN, -outside);
        fcntl(ends[0], F_SETFL, O_ASYNC);
        const ssize_t put = write(ends[1], "x", 1);
        SleepMs(50);
        _exit(result != 0 || put != 1 ? 255 : direct);
      }
      int status = 0;
      while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
      }
      outcome->result = WEXITSTATUS(status) == 255 ? -1 : 0;
      outcome->direct = -WEXITSTATUS(status);
      return arrived.load() - old;
    };
    Outcome outcome{};
    outcome.own_group = getpgrp() == getpid() ? 1 : 0;
    outcome.before = count_after(false, &outcome);
    outcome.after = count_after(true, &outcome);
    return outcome;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->own_group, Eq(1));
  EXPECT_THAT(seen.value->before, ::testing::Ge(1)) << "unscoped it arrives";
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->direct, IsErrno(EPERM));
  EXPECT_THAT(seen.value->after, Eq(0)) << "the signal left the scope";
}

}  // namespace
}  // namespace kassay::landlock
