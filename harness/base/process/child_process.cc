#include "harness/base/process/child_process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "harness/base/process/pipe.h"
#include "harness/base/process/spawner_thread.h"

namespace kassay {
namespace {

using Clock = std::chrono::steady_clock;

// Everything that the child needs, laid out before fork: between fork and exec a program with
// threads may only make system calls.
struct Plan {
  const Command& command;
  const Attachments& attached;
  std::vector<char*> argv;
  std::vector<char*> environment;
  int null;
  int status;
  pid_t parent;
};

std::vector<std::string> Environment(const Command& command) {
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string variable = *at;
    if (!command.environment.contains(variable.substr(0, variable.find('='))))
      variables.push_back(variable);
  }
  for (const auto& [name, value] : command.environment)
    variables.emplace_back(name).append("=").append(value);
  return variables;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void GiveUp(const Plan& plan) {
  const int error = errno;
  static_cast<void>(!::write(plan.status, &error, sizeof error));
  ::_exit(127);
}

void Connect(const Plan& plan, int source, int target) {
  if (::dup2(source < 0 ? plan.null : source, target) < 0) GiveUp(plan);
}

[[noreturn]] void Become(const Plan& plan) {
  const Attachments& attached = plan.attached;
  // Handlers are reset by exec, the mask is not.
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!plan.command.foreground) ::setsid();
  Connect(plan, attached.input, STDIN_FILENO);
  Connect(plan, attached.output, STDOUT_FILENO);
  Connect(plan, attached.errors, STDERR_FILENO);
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  for (const int fd : attached.inherited) {
    if (::fcntl(fd, F_SETFD, 0) != 0) GiveUp(plan);
  }
  if (!plan.command.folder.empty() && ::chdir(plan.command.folder.c_str()) != 0) GiveUp(plan);
  if (attached.user) {
    const UserIdentity& user = *attached.user;
    if (::setgroups(user.groups.size(), user.groups.data()) != 0 ||
        ::setresgid(user.gid, user.gid, user.gid) != 0 ||
        ::setresuid(user.uid, user.uid, user.uid) != 0)
      GiveUp(plan);
  }
  // After the change of user, which clears it (kernel/cred.c:commit_creds).
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) ::_exit(127);  // too late: the parent is gone already
  ::execvpe(plan.argv[0], plan.argv.data(), plan.environment.data());
  GiveUp(plan);
}

}  // namespace

Result<ChildProcess> ChildProcess::Start(const Command& command, const Attachments& attached) {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.IsOpen()) return FailErrno("cannot start a program");
  KASSAY_TRY(Pipe status, MakePipe());
  std::vector<std::string> argv = command.argv;
  std::vector<std::string> environment = Environment(command);
  const Plan plan{
      command,   attached, Pointers(argv), Pointers(environment), null.Get(), status.writing.Get(),
      ::getpid()};
  pid_t pid = -1;
  int error = 0;
  OnSpawnerThread([&] {
    pid = ::fork();
    if (pid == 0) Become(plan);
    error = errno;
  });
  if (pid < 0) return FailErrno("fork", error);
  ChildProcess child(pid, command.foreground);
  if (!child.pidfd_.IsOpen()) return FailErrno("pidfd_open");
  status.writing.Reset();
  ssize_t got = 0;
  do {
    got = ::read(status.reading.Get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got == sizeof error) return FailErrno("cannot start " + argv[0], error);
  return child;
}

// Not through the header: glibc 2.36 declares pidfd_open without C linkage.
ChildProcess::ChildProcess(pid_t pid, bool foreground)
    : pid_(pid),
      foreground_(foreground),
      pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      foreground_(other.foreground_),
      pidfd_(std::move(other.pidfd_)),
      status_(std::exchange(other.status_, std::nullopt)) {}

ChildProcess::~ChildProcess() {
  if (pid_ >= 0) End();
}

std::optional<WaitStatus> ChildProcess::Wait(std::chrono::milliseconds patience) {
  if (status_) return status_;
  const auto deadline = Clock::now() + patience;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd ended{pidfd_.Get(), POLLIN, 0};
    const int ready = ::poll(&ended, 1, static_cast<int>(std::max(left, 0L)));
    if (ready > 0) return Reap();
    if (ready == 0) return std::nullopt;
  }
}

WaitStatus ChildProcess::End(std::chrono::milliseconds grace) {
  if (grace.count() > 0) {
    Signal(SIGTERM);
    if (const auto status = Wait(grace)) return *status;
  }
  Kill();
  return Reap();
}

void ChildProcess::Signal(int signal) const {
  if (pid_ >= 0 && !status_) ::kill(foreground_ ? pid_ : -pid_, signal);
}

WaitStatus ChildProcess::Reap() {
  if (status_) return *status_;
  siginfo_t ended{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT) < 0 &&
         errno == EINTR) {
  }
  // What it left behind in its group goes too, while its zombie still keeps the group's number.
  if (!foreground_) Kill();
  int word = 0;
  while (::waitpid(pid_, &word, 0) < 0 && errno == EINTR) {
  }
  return status_.emplace(WaitStatus::Of(word));
}

}  // namespace kassay
