#include "harness/vm/child_process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "harness/vm/spawner_thread.h"

namespace kassay {
namespace {

// Everything that the child needs, laid out before fork: between fork and exec a program with
// threads may only make system calls.
struct Plan {
  const ProgramSpec& spec;
  std::vector<char*> argv;
  int null;
  int status;
  pid_t parent;
};

[[noreturn]] void GiveUp(const Plan& plan) {
  const int error = errno;
  static_cast<void>(!::write(plan.status, &error, sizeof error));
  ::_exit(127);
}

void Connect(const Plan& plan, int source, int target) {
  if (::dup2(source < 0 ? plan.null : source, target) < 0) GiveUp(plan);
}

[[noreturn]] void Become(const Plan& plan) {
  const ProgramSpec& spec = plan.spec;
  // Handlers are reset by exec, the mask is not.
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!spec.foreground) ::setsid();
  Connect(plan, spec.input, STDIN_FILENO);
  Connect(plan, spec.output, STDOUT_FILENO);
  Connect(plan, spec.errors, STDERR_FILENO);
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  for (const int fd : spec.inherited) {
    if (::fcntl(fd, F_SETFD, 0) != 0) GiveUp(plan);
  }
  if (spec.user) {
    if (::setgroups(spec.user->groups.size(), spec.user->groups.data()) != 0 ||
        ::setresgid(spec.user->gid, spec.user->gid, spec.user->gid) != 0 ||
        ::setresuid(spec.user->uid, spec.user->uid, spec.user->uid) != 0)
      GiveUp(plan);
  }
  // After the change of user, which clears it (kernel/cred.c:commit_creds).
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) ::_exit(127);  // too late: the parent is gone already
  ::execv(spec.program.c_str(), plan.argv.data());
  GiveUp(plan);
}

struct Forked {
  pid_t pid = -1;
  int error = 0;
};

}  // namespace

Result<ChildProcess> ChildProcess::Start(const ProgramSpec& spec) {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  int ends[2] = {-1, -1};
  if (!null.IsOpen() || ::pipe2(ends, O_CLOEXEC) != 0) return FailErrno("cannot start a program");
  const UniqueFd status_read(ends[0]);
  UniqueFd status_write(ends[1]);
  Plan plan{spec, {}, null.Get(), status_write.Get(), ::getpid()};
  for (const std::string& argument : spec.argv)
    plan.argv.push_back(const_cast<char*>(argument.c_str()));
  plan.argv.push_back(nullptr);

  Forked forked;
  OnSpawnerThread([&] {
    forked.pid = ::fork();
    if (forked.pid == 0) Become(plan);
    forked.error = errno;
  });
  if (forked.pid < 0) return FailErrno("fork", forked.error);
  ChildProcess child(forked.pid,
                     UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, forked.pid, 0))));
  if (!child.pidfd_.IsOpen()) return FailErrno("pidfd_open");
  status_write.Reset();
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(status_read.Get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got == sizeof error) return FailErrno("cannot start " + spec.program, error);
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      status_(std::exchange(other.status_, std::nullopt)) {}

ChildProcess::~ChildProcess() {
  if (pid_ < 0 || status_) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

std::optional<int> ChildProcess::Wait(std::chrono::milliseconds patience) {
  if (status_) return status_;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) return status_ = status;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    pollfd wait{pidfd_.Get(), POLLIN, 0};
    static_cast<void>(::poll(&wait, 1, static_cast<int>(left.count())));
  }
}

void ChildProcess::Kill() {
  if (pid_ >= 0 && !status_) ::kill(pid_, SIGKILL);
}

std::string DescribeWaitStatus(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return "was killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) +
           ")";  // NOLINT(concurrency-mt-unsafe)
  }
  return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace kassay
