#include "harness/guest/program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "harness/guest/leftovers.h"

namespace kassay::guest {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using protocol::Ended;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
  Pipe() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    read.Reset(ends[0]);
    write.Reset(ends[1]);
    ::fcntl(read.Get(), F_SETFL, O_NONBLOCK);
  }
};

// Cuts what comes through the record descriptor into lines.
class RecordLines {
 public:
  explicit RecordLines(Port& port) : port_(port) {}
  void Add(std::string_view bytes) {
    for (const char byte : bytes) {
      if (byte == '\n') {
        port_.Send(protocol::Record{std::move(line_)});
        line_.clear();
      } else if (line_.size() < kMaxRecordBytes) {
        line_ += byte;
      }
    }
  }
  // What a program that died left without its newline.
  void Finish() {
    if (!line_.empty()) port_.Send(protocol::Record{std::move(line_)});
    line_.clear();
  }

 private:
  Port& port_;
  std::string line_;
};

// Gives up the descriptor at its end.
void Drain(UniqueFd& fd, const std::function<void(std::string_view)>& sink) {
  static_assert(protocol::kMaxOutputBytes >= 32768);
  std::vector<char> chunk(32768);
  // Bounded, so that a program that never stops writing does not keep its limit from being seen.
  for (int i = 0; i < 16 && fd.IsOpen(); ++i) {
    const ssize_t got = ::read(fd.Get(), chunk.data(), chunk.size());
    if (got > 0) {
      sink({chunk.data(), static_cast<std::size_t>(got)});
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
      fd.Reset();
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

// Between fork and exec; does not return. `status` learns the errno of what failed.
[[noreturn]] void Become(const protocol::RunRequest& request, const Pipe& records,
                         const Pipe& output, int status) {
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
  ::dup2(output.write.Get(), STDOUT_FILENO);
  ::dup2(output.write.Get(), STDERR_FILENO);
  // The lowest free descriptor is likely 3 itself, where dup2 would leave O_CLOEXEC in place.
  const int high = ::fcntl(records.write.Get(), F_DUPFD_CLOEXEC, 64);
  const int high_status = ::fcntl(status, F_DUPFD_CLOEXEC, 64);
  ::dup2(high, kRecordFd);
  static_cast<void>(!::chdir("/tmp"));
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(argv[0], argv.data(), const_cast<char* const*>(kEnvironment));
  const int error = errno;
  static_cast<void>(!::write(high_status, &error, sizeof error));
  ::_exit(127);
}

class Supervision {
 public:
  Supervision(Port& port, pid_t child, UniqueFd records, UniqueFd output)
      : port_(port),
        child_(child),
        records_(std::move(records)),
        output_(std::move(output)),
        lines_(port) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    signals_.Reset(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  // Until the program is over or the limit is; then kills all that is left.
  Ended Watch(Milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    Ended ended;
    bool more = Reap();
    while (!over_ && Clock::now() < deadline) {
      Wait(deadline);
      more = Reap();
    }
    if (over_) {
      ended = end_;
    } else {
      ended.how = Ended::How::kTimedOut;
    }
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
    if (fds[1].revents != 0) AnswerHost();
    Collect();
  }

  void AnswerHost() {
    const auto message = port_.Receive();
    if (!message || !*message) return;
    if (const auto* ping = std::get_if<protocol::Ping>(&**message))
      port_.Send(protocol::Pong{ping->token});
  }

  void Collect() {
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
  RecordLines lines_;
  UniqueFd signals_;
  bool over_ = false;
  Ended end_;
};

}  // namespace

void RunProgram(const protocol::RunRequest& request, Port& port) {
  sigset_t child_signal;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child_signal, nullptr);

  Pipe records;
  Pipe output;
  Pipe start;
  const pid_t child = ::fork();
  if (child == 0) Become(request, records, output, start.write.Get());
  if (child < 0) {
    port.Send(Ended{Ended::How::kNotStarted, errno, "fork"});
    return;
  }
  records.write.Reset();
  output.write.Reset();
  start.write.Reset();
  Supervision supervision(port, child, std::move(records.read), std::move(output.read));
  Ended ended = supervision.Watch(Milliseconds(request.limit_ms));
  int error = 0;
  if (::read(start.read.Get(), &error, sizeof error) == sizeof error)
    ended = {Ended::How::kNotStarted, error, "execve"};
  port.Send(ended);
}

}  // namespace kassay::guest
