#include "suites/support/helper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iostream>
#include <map>
#include <string_view>

#include "harness/base/unique_fd.h"
#include "harness/protocol/suite_program.h"
#include "suites/support/limit_scale.h"

namespace kassay {
namespace {

constexpr size_t kMostOutput = size_t{64} << 10;

std::map<std::string, HelperMain>& Helpers() {
  static std::map<std::string, HelperMain> helpers;
  return helpers;
}

// Opened once, while /proc is surely there and nothing is restricted yet.
int ExecutableFd() {
  static const UniqueFd executable(open("/proc/self/exe", O_PATH | O_CLOEXEC));
  return executable.Get();
}

// Reads until the writing ends are closed or the time is up; false means the latter.
bool ReadAll(int fd, int limit_seconds, std::string* output) {
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::milliseconds(ScaledMilliseconds(limit_seconds));
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting{fd, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    const size_t room = kMostOutput - output->size();
    output->append(buffer.data(), std::min(room, static_cast<size_t>(got)));
  }
}

}  // namespace

HelperRegistration::HelperRegistration(const char* name, HelperMain helper) {
  Helpers().insert_or_assign(name, helper);
}

void PrintTo(const HelperResult& result, std::ostream* os) {
  if (result.timed_out) {
    *os << "a helper that outlived its limit and was killed";
  } else if (WIFSIGNALED(result.wait_status)) {
    *os << "a helper killed by " << strsignal(WTERMSIG(result.wait_status));
  } else {
    *os << "a helper that exited with " << WEXITSTATUS(result.wait_status);
  }
  *os << " after printing " << ::testing::PrintToString(result.output);
}

int ExecHelper(const std::string& name, const std::vector<std::string>& args) {
  std::vector<std::string> words{"suite", std::string(kHelperOption) + name};
  words.insert(words.end(), args.begin(), args.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  syscall(SYS_execveat, ExecutableFd(), "", argv.data(), environ, AT_EMPTY_PATH);
  return errno;
}

HelperResult RunHelper(const std::string& name, const std::vector<std::string>& args,
                       const std::function<int()>& before_exec, int limit_seconds) {
  HelperResult result;
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return result;
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t pid = fork();
  if (pid == 0) {
    if (dup2(writing.Get(), STDOUT_FILENO) < 0) _exit(kHelperNotExecuted);
    if (before_exec && before_exec() != 0) _exit(kHelperNotPrepared);
    ExecHelper(name, args);
    _exit(kHelperNotExecuted);
  }
  writing.Reset();
  if (pid < 0) return result;
  result.timed_out = !ReadAll(reading.Get(), limit_seconds, &result.output);
  if (result.timed_out) kill(pid, SIGKILL);
  waitpid(pid, &result.wait_status, 0);
  return result;
}

bool RunRequestedHelper(int argc, char** argv, int* exit_code) {
  ExecutableFd();
  const std::string_view option = argc > 1 ? argv[1] : "";
  if (!option.starts_with(kHelperOption)) return false;
  const auto found = Helpers().find(std::string(option.substr(std::strlen(kHelperOption))));
  if (found == Helpers().end()) {
    *exit_code = kHelperUnknown;
    return true;
  }
  const std::vector<std::string> args(argv + 2, argv + argc);
  *exit_code = found->second(args);
  std::cout.flush();
  return true;
}

}  // namespace kassay
