// A program started by kassay: it ends with its owner, and with kassay, whatever happens.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/process/wait_status.h"
#include "harness/base/result.h"
#include "harness/base/unique_fd.h"

namespace kassay {

struct Command {
  std::vector<std::string> argv;                   // argv[0] is a path, or a name in $PATH
  std::map<std::string, std::string> environment;  // added to ours
  std::filesystem::path folder;                    // where it works; empty: where we do
  // Stays in our session and process group, as a program of the terminal does. Otherwise it gets a
  // session of its own, and what it leaves behind in its group is killed when it ends.
  bool foreground = false;
};

// Whom a program runs as when kassay itself is root.
struct UserIdentity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

// What a program is given beside its command. Every descriptor that is not named is closed.
struct Attachments {
  int input = -1;  // its standard streams; -1 is /dev/null
  int output = -1;
  int errors = -1;
  std::vector<int> inherited;  // descriptors that it keeps, under the same number
  std::optional<UserIdentity> user;
};

class ChildProcess {
 public:
  // The kernel kills the program when kassay dies (PR_SET_PDEATHSIG). Fails if it cannot be
  // executed.
  [[nodiscard]] static Result<ChildProcess> Start(const Command& command,
                                                  const Attachments& attached = {});

  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  // Kills and reaps.
  ~ChildProcess();

  // Polls readable once the program has ended.
  [[nodiscard]] int pidfd() const { return pidfd_.Get(); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // How it ended, if it did within `patience`.
  [[nodiscard]] std::optional<WaitStatus> Wait(std::chrono::milliseconds patience);
  // Sends SIGKILL to it and its group, and returns at once.
  void Kill() { Signal(SIGKILL); }
  // Ends it and its group with SIGTERM, or with SIGKILL what is left after `grace`.
  WaitStatus End(std::chrono::milliseconds grace = {});

 private:
  ChildProcess(pid_t pid, bool foreground);
  void Signal(int signal) const;
  WaitStatus Reap();

  pid_t pid_ = -1;
  bool foreground_;
  UniqueFd pidfd_;
  std::optional<WaitStatus> status_;
};

}  // namespace kassay
