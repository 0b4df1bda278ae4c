#include "harness/kernel/build_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "harness/base/interrupt.h"
#include "harness/base/unique_fd.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

struct Running {
  pid_t pid = -1;
  UniqueFd output;
};

Result<Running> Start(const std::vector<std::string>& argv,
                      const std::vector<std::string>& environment, const fs::path& folder) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return FailErrno("pipe");
  Running running;
  running.output = UniqueFd(ends[0]);
  const UniqueFd writing(ends[1]);
  std::vector<char*> arguments;
  for (const std::string& argument : argv)
    arguments.push_back(const_cast<char*>(argument.c_str()));  // NOLINT: execvp's signature
  arguments.push_back(nullptr);
  running.pid = fork();
  if (running.pid < 0) return FailErrno("fork");
  if (running.pid == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int null = open("/dev/null", O_RDONLY);  // NOLINT(cppcoreguidelines-pro-type-vararg)
    if (null < 0 || dup2(null, 0) < 0 || dup2(ends[1], 1) < 0 || dup2(ends[1], 2) < 0) _exit(126);
    if (!folder.empty() && chdir(folder.c_str()) != 0) _exit(126);
    for (const std::string& variable : environment)
      putenv(const_cast<char*>(variable.c_str()));  // NOLINT: the child's own, until exec
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  setpgid(running.pid, running.pid);
  return running;
}

void Finish(pid_t pid, int signal) {
  if (signal != 0) kill(-pid, signal);
}

// Hands whole lines on; keeps the last one that speaks of an error.
class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view)>& on_line) : on_line_(on_line) {}
  void Add(std::string_view bytes) {
    pending_ += bytes;
    for (std::size_t end; (end = pending_.find('\n')) != std::string::npos;) {
      const std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      if (error_.empty() && (line.find("rror") != std::string::npos)) error_ = line;
      if (on_line_) on_line_(line);
    }
  }
  // The first error is the cause; what follows is its consequence.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  const std::function<void(std::string_view)>& on_line_;
  std::string pending_;
  std::string error_;
};

}  // namespace

Status RunLogged(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
                 const fs::path& folder, const fs::path& log,
                 const std::function<void(std::string_view)>& on_line) {
  std::ofstream file(log, std::ios::app | std::ios::binary);
  if (!file) return Fail("cannot write " + log.string());
  KASSAY_TRY(const Running running, Start(argv, environment, folder));
  Lines lines(on_line);
  std::array<char, 1 << 14> buffer{};
  for (;;) {
    pollfd waiting[2] = {{running.output.Get(), POLLIN, 0}, {InterruptFd(), POLLIN, 0}};
    if (poll(waiting, 2, -1) < 0 && errno != EINTR) break;
    if ((waiting[1].revents & POLLIN) != 0 || Interrupted()) {
      // make removes half-written targets on SIGTERM.
      Finish(running.pid, SIGTERM);
      waitpid(running.pid, nullptr, 0);
      return Fail(Interruption());
    }
    if (waiting[0].revents == 0) continue;
    const ssize_t got = read(running.output.Get(), buffer.data(), buffer.size());
    if (got <= 0) break;
    file.write(buffer.data(), got);
    file.flush();  // whoever watches the log sees where it is
    lines.Add({buffer.data(), static_cast<std::size_t>(got)});
  }
  int status = 0;
  waitpid(running.pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    return Fail(fmt::format("'{}' is not installed", argv[0]));
  return Fail(fmt::format("'{}' failed: {}; all of it is in {}", argv[0],
                          lines.error().empty() ? "no error line" : lines.error(), log.string()));
}

std::string FirstLineOf(const std::vector<std::string>& argv) {
  const auto running = Start(argv, {}, {});
  if (!running) return {};
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t got; (got = read(running->output.Get(), buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(got));
  int status = 0;
  waitpid(running->pid, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return {};
  return text.substr(0, text.find('\n'));
}

}  // namespace kassay
