#include "harness/guest/program.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "harness/base/process/pipe.h"
#include "harness/base/text/line_cutter.h"
#include "harness/guest/small_file.h"

namespace kassay::guest {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using protocol::Ended;

// Between fork and exec; does not return. `status` learns the errno of what failed.
[[noreturn]] void Become(const protocol::RunRequest& request, int records, int output, int status) {
  constexpr int kRecordFd = 3;
  static const char* const kEnvironment[] = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOME=/root",
      "TMPDIR=/tmp",
      "LC_ALL=C.UTF-8",
      "TERM=dumb",
      "KASSAY_RECORD_FD=3",
      nullptr};
  std::vector<char*> argv;
  for (const std::string& argument : request.argv)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::setsid();
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ::dup2(null.Get(), STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  // The lowest free descriptor is likely 3 itself, where dup2 would leave O_CLOEXEC in place.
  const int high = ::fcntl(records, F_DUPFD_CLOEXEC, 64);
  const int high_status = ::fcntl(status, F_DUPFD_CLOEXEC, 64);
  ::dup2(high, kRecordFd);
  static_cast<void>(!::chdir("/tmp"));
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(argv[0], argv.data(), const_cast<char* const*>(kEnvironment));
  const int error = errno;
  static_cast<void>(!::write(high_status, &error, sizeof error));
  ::_exit(127);
}

// "[<0>] io_ring_exit_work+0x12/0x34" a line, outermost last; the first few functions say enough.
std::string Stack(const std::string& folder) {
  std::istringstream lines(ReadSmallFile(folder + "/stack", 8192));
  std::string text;
  std::string line;
  for (int i = 0; i < 6 && std::getline(lines, line); ++i) {
    const std::size_t name = line.rfind(' ');
    text += (i == 0 ? " at " : " < ") + line.substr(name == std::string::npos ? 0 : name + 1);
  }
  return text;
}

std::string DescribeProcess(const std::string& pid) {
  constexpr unsigned long kKernelThread = 0x00200000;  // PF_KTHREAD, include/linux/sched.h
  const std::string folder = "/proc/" + pid;
  // "PID (NAME) STATE PPID PGRP SESSION TTY TPGID FLAGS ..", proc_pid_stat(5); NAME may hold ")".
  const std::string stat = ReadSmallFile(folder + "/stat", 4096);
  const std::size_t open = stat.find('(');
  const std::size_t close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  std::istringstream rest(stat.substr(close + 1));
  std::string state;
  long ignored = 0;
  unsigned long flags = 0;
  rest >> state >> ignored >> ignored >> ignored >> ignored >> ignored >> flags;
  if (!rest || (flags & kKernelThread) != 0 || state == "Z" || state == "X") return {};
  return "pid " + pid + " " + stat.substr(open, close - open + 1) + " in state " + state +
         Stack(folder);
}

// Processes that a SIGKILL does not end: "pid 12 (io_uring) in state D at io_cancel_pending < ...";
// empty if user space is empty but for PID 1. At most protocol::kMaxTextBytes.
std::string DescribeLeftovers() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), &::closedir);
  std::string text;
  while (folder && text.size() < protocol::kMaxTextBytes) {
    const dirent* entry = ::readdir(folder.get());  // NOLINT(concurrency-mt-unsafe): one thread
    if (entry == nullptr) break;
    const std::string pid = entry->d_name;
    if (std::isdigit(static_cast<unsigned char>(pid[0])) == 0 || pid == "1") continue;
    if (const std::string process = DescribeProcess(pid); !process.empty())
      text += (text.empty() ? "" : "; ") + process;
  }
  return text.substr(0, protocol::kMaxTextBytes);
}

class Supervision {
 public:
  Supervision(Port& port, pid_t child, UniqueFd records, UniqueFd output)
      : port_(port),
        child_(child),
        records_(std::move(records)),
        output_(std::move(output)),
        lines_(kMaxRecordBytes,
               [&port](std::string line) { port.Send(protocol::Record{std::move(line)}); }) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &mask, nullptr);
    signals_.Reset(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  // Until the program is over or the limit is; then kills all that is left.
  Ended Watch(Milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    bool more = Reap();
    while (!over_ && Clock::now() < deadline) {
      Wait(deadline);
      more = Reap();
    }
    Ended ended = end_;
    if (more) ended.detail = EndLeftovers();
    Collect();
    lines_.Finish();
    return ended;
  }

 private:
  void Wait(Clock::time_point deadline) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - Clock::now());
    pollfd fds[] = {{signals_.Get(), POLLIN, 0},
                    {port_.fd(), POLLIN, 0},
                    {records_.Get(), POLLIN, 0},
                    {output_.Get(), POLLIN, 0}};
    static_cast<void>(::poll(fds, 4, static_cast<int>(std::max<long>(0, left.count()))));
    if (fds[0].revents != 0) {
      signalfd_siginfo ignored;
      static_cast<void>(!::read(signals_.Get(), &ignored, sizeof ignored));
    }
    if (fds[1].revents != 0) static_cast<void>(port_.Receive());  // a ping, or nothing of use
    Collect();
  }

  void Collect() {
    static_assert(protocol::kMaxOutputBytes >= kMaxDrainedBytes);
    Drain(records_, [this](std::string_view bytes) { lines_.Add(bytes); });
    Drain(output_,
          [this](std::string_view bytes) { port_.Send(protocol::Output{std::string(bytes)}); });
  }

  // Takes every child that ended, orphans too. False once there are no children any more.
  bool Reap() {
    while (true) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid == 0) return true;
      if (pid < 0) return false;
      if (pid != child_) continue;
      over_ = true;
      end_ = WIFSIGNALED(status) ? Ended{Ended::How::kSignalled, WTERMSIG(status), ""}
                                 : Ended{Ended::How::kExited, WEXITSTATUS(status), ""};
    }
  }

  // Returns what would not end, for Ended::detail.
  std::string EndLeftovers() {
    const auto patience = Clock::now() + std::chrono::seconds(2);
    // From PID 1 this reaches every process but PID 1 (kill(2)), in whatever namespace or session.
    while (::kill(-1, SIGKILL) == 0 && Clock::now() < patience) {
      if (!Reap()) return {};
      Wait(std::min(patience, Clock::now() + Milliseconds(50)));
    }
    return Reap() ? DescribeLeftovers() : std::string();
  }

  Port& port_;
  pid_t child_;
  UniqueFd records_;
  UniqueFd output_;
  LineCutter lines_;  // of the record descriptor
  UniqueFd signals_;
  bool over_ = false;
  Ended end_{Ended::How::kTimedOut, 0, ""};  // until it is over
};

}  // namespace

void RunProgram(const protocol::RunRequest& request, Port& port) {
  Result<Pipe> records = MakePipe();
  Result<Pipe> output = MakePipe();
  Result<Pipe> start = MakePipe();
  const pid_t child = records && output && start ? ::fork() : -1;
  if (child == 0)
    Become(request, records->writing.Get(), output->writing.Get(), start->writing.Get());
  if (child < 0) {
    port.Send(Ended{Ended::How::kNotStarted, errno, "fork"});
    return;
  }
  for (Pipe* pipe : {&*records, &*output, &*start}) pipe->writing.Reset();
  Supervision supervision(port, child, std::move(records->reading), std::move(output->reading));
  Ended ended = supervision.Watch(Milliseconds(request.limit_ms));
  Drain(start->reading, [&ended](std::string_view bytes) {
    int error = 0;
    std::memcpy(&error, bytes.data(), std::min(bytes.size(), sizeof error));
    ended = {Ended::How::kNotStarted, error, "execve"};
  });
  port.Send(ended);
}

}  // namespace kassay::guest
