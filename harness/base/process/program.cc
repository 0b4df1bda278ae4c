#include "harness/base/process/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "harness/base/interrupt.h"
#include "harness/base/unique_fd.h"
#include "harness/protocol/records.h"
#include "harness/protocol/suite_program.h"

extern char** environ;

namespace kassay {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  UniqueFd reading;
  UniqueFd writing;
};

Result<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return FailErrno("pipe");
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Reads what is there; `sink` gets each chunk. False once the other side is closed.
template <typename Sink>
bool Drain(const UniqueFd& fd, Sink sink) {
  std::array<char, 16384> chunk{};
  while (true) {
    const ssize_t got = ::read(fd.Get(), chunk.data(), chunk.size());
    if (got > 0) {
      sink(std::string_view(chunk.data(), static_cast<size_t>(got)));
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else {
      return got < 0 && errno == EAGAIN;
    }
  }
}

class Running {
 public:
  explicit Running(const Program& program) : program_(program) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  Status Start();
  Result<ProgramOutcome> Wait();

 private:
  [[nodiscard]] std::vector<std::string> Environment() const;
  void TakeOutput();
  void TakeRecords(std::string_view bytes);
  void Reap();

  static constexpr int kRecordFd = 3;  // in the program

  const Program& program_;
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  Pipe output_, error_, records_;
  std::string record_line_;
  ProgramOutcome outcome_;
};

std::vector<std::string> Running::Environment() const {
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string variable = *at;
    if (!program_.environment.contains(variable.substr(0, variable.find('='))))
      variables.push_back(variable);
  }
  for (const auto& [name, value] : program_.environment) variables.push_back(name + "=" + value);
  if (program_.on_record) variables.push_back(fmt::format("{}={}", kRecordFdVariable, kRecordFd));
  return variables;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Status Running::Start() {
  KASSAY_TRY(output_, MakePipe());
  KASSAY_TRY(error_, MakePipe());
  KASSAY_TRY(records_, MakePipe());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output_.writing.Get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error_.writing.Get(), STDERR_FILENO);
  if (program_.on_record)
    posix_spawn_file_actions_adddup2(&actions, records_.writing.Get(), kRecordFd);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A group of its own: everything that it starts can be ended together, and Ctrl-C of the terminal
  // reaches it only through us.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  std::vector<std::string> argv = program_.argv;
  std::vector<std::string> environment = Environment();
  const int error = posix_spawnp(&pid_, argv[0].c_str(), &actions, &attributes,
                                 Pointers(argv).data(), Pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    pid_ = -1;
    return FailErrno("cannot start " + argv[0], error);
  }
  for (Pipe* pipe : {&output_, &error_, &records_}) pipe->writing.Reset();
  // Not through the header: glibc 2.36 declares it without C linkage.
  pidfd_.Reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!pidfd_.IsOpen()) return FailErrno("pidfd_open");
  return {};
}

void Running::TakeRecords(std::string_view bytes) {
  for (const char c : bytes) {
    if (c != '\n') {
      // One byte over the bound is kept, so that the reader sees a record that is too long.
      if (record_line_.size() <= kMaxRecordBytes) record_line_ += c;
      continue;
    }
    program_.on_record(std::move(record_line_));
    record_line_.clear();
  }
}

void Running::TakeOutput() {
  const auto append_to = [&](std::string& text) {
    return [&](std::string_view bytes) {
      const size_t room = program_.max_output_bytes - text.size();
      if (bytes.size() > room) outcome_.cut = true;
      text.append(bytes.substr(0, room));
    };
  };
  if (output_.reading.IsOpen() && !Drain(output_.reading, append_to(outcome_.standard_output)))
    output_.reading.Reset();
  if (error_.reading.IsOpen() && !Drain(error_.reading, append_to(outcome_.standard_error)))
    error_.reading.Reset();
  if (records_.reading.IsOpen() && !Drain(records_.reading, [&](std::string_view bytes) {
        if (program_.on_record) TakeRecords(bytes);
      })) {
    records_.reading.Reset();
  }
}

void Running::Reap() {
  // What it left behind in its group goes too, while its zombie still keeps the group's number.
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFEXITED(status)) outcome_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome_.signal = WTERMSIG(status);
}

Result<ProgramOutcome> Running::Wait() {
  const Clock::time_point deadline = Clock::now() + program_.limit;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    // A closed pipe has descriptor -1, which poll(2) passes over.
    std::array<pollfd, 5> waiting{{{pidfd_.Get(), POLLIN, 0},
                                   {InterruptFd(), POLLIN, 0},
                                   {output_.reading.Get(), POLLIN, 0},
                                   {error_.reading.Get(), POLLIN, 0},
                                   {records_.reading.Get(), POLLIN, 0}}};
    const int ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(std::max(left, 0L)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return FailErrno("poll");
    if (waiting[1].revents != 0) return Fail(Interruption());
    outcome_.timed_out = ready == 0;
    TakeOutput();
    if (outcome_.timed_out || outcome_.cut || waiting[0].revents != 0) {
      Reap();
      TakeOutput();
      return std::move(outcome_);
    }
  }
}

}  // namespace

std::string SignalName(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? fmt::format("signal {}", signal) : std::string("SIG") + name;
}

std::string ProgramOutcome::HowItEnded() const {
  if (timed_out) return "did not end within its time limit";
  if (cut) return "printed more than it may";
  if (signal != 0) return "was killed by " + SignalName(signal);
  return fmt::format("exited with {}", exit_code);
}

Result<ProgramOutcome> RunProgram(const Program& program) {
  Running running(program);
  KASSAY_CHECK(running.Start());
  return running.Wait();
}

}  // namespace kassay
