// A program started by kassay: it ends with its owner, and with kassay, whatever happens.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"

namespace kassay {

// Whom a program runs as when kassay itself is root.
struct UserIdentity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

struct ProgramSpec {
  std::string program;            // a path
  std::vector<std::string> argv;  // whole, argv[0] included
  std::vector<int> inherited;     // descriptors that it keeps, under the same number
  int input = -1;                 // its standard streams; -1 is /dev/null
  int output = -1;
  int errors = -1;
  bool foreground = false;  // stays in the terminal's session, else it gets one of its own
  std::optional<UserIdentity> user;
};

class ChildProcess {
 public:
  // Every other descriptor is closed. The kernel kills the program when kassay dies
  // (PR_SET_PDEATHSIG).
  [[nodiscard]] static Result<ChildProcess> Start(const ProgramSpec& spec);

  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  // Kills and reaps.
  ~ChildProcess();

  // Polls readable once the program has ended.
  [[nodiscard]] int pidfd() const { return pidfd_.Get(); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // The wait status (waitpid(2)) if it ended within `patience`.
  [[nodiscard]] std::optional<int> Wait(std::chrono::milliseconds patience);
  void Kill();

 private:
  ChildProcess(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  std::optional<int> status_;
};

// "ended with exit code 1", "was killed by signal 6 (Aborted)".
[[nodiscard]] std::string DescribeWaitStatus(int status);

}  // namespace kassay
