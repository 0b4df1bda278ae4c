// A forked helper that answers and then stays as it is until its owner is done with it: somebody
// whose namespaces, descriptors and /proc entries can be looked at from outside.
//
//   HeldChild task([&] { return OpenTree(AT_FDCWD, dir, kOpenTreeNamespace); });
//   ASSERT_TRUE(task.Value().has_value());
//   const UniqueFd ns = task.TakeFd(*task.Value());
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <type_traits>

#include "harness/base/unique_fd.h"
#include "suites/support/limit_scale.h"

namespace kassay {

template <typename T>
class HeldChild {
 public:
  // `body` runs in the child under the rules of InChild. Waits up to `limit_seconds` for its
  // answer, times the run's --limit-scale.
  template <typename Body>
  explicit HeldChild(Body body, int limit_seconds = 20) {
    static_assert(std::is_trivially_copyable_v<T>, "the value goes through a pipe byte by byte");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return;
    const UniqueFd reading(ends[0]);
    UniqueFd writing(ends[1]);
    pid_ = fork();
    if (pid_ == 0) Run(body, writing.Get());
    writing.Reset();
    if (pid_ < 0) return;
    pidfd_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    pollfd waiting{reading.Get(), POLLIN, 0};
    if (poll(&waiting, 1, ScaledMilliseconds(limit_seconds)) <= 0) return;
    answered_ = read(reading.Get(), &value_, sizeof value_) == static_cast<ssize_t>(sizeof value_);
  }
  HeldChild(const HeldChild&) = delete;
  HeldChild& operator=(const HeldChild&) = delete;
  ~HeldChild() { End(); }

  // Empty if the child died or did not answer in time.
  [[nodiscard]] std::optional<T> Value() const {
    if (!answered_) return std::nullopt;
    return value_;
  }
  [[nodiscard]] pid_t Pid() const { return pid_; }
  // Does not own: -1 after End().
  [[nodiscard]] int PidFd() const { return pidfd_.Get(); }
  // "/proc/PID/" + `entry`.
  [[nodiscard]] std::string Proc(const std::string& entry) const {
    return "/proc/" + std::to_string(pid_) + "/" + entry;
  }
  // A duplicate of the child's descriptor (pidfd_getfd(2)), not open if there is none.
  [[nodiscard]] UniqueFd TakeFd(long fd_of_child) const {
    return UniqueFd(
        static_cast<int>(syscall(SYS_pidfd_getfd, pidfd_.Get(), static_cast<int>(fd_of_child), 0)));
  }
  // Kills the child and waits until it is gone.
  void End() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
    pidfd_.Reset();
  }

 private:
  template <typename Body>
  [[noreturn]] static void Run(Body& body, int answer_fd) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const T value = body();
    if (write(answer_fd, &value, sizeof value) != static_cast<ssize_t>(sizeof value)) _exit(125);
    while (true) pause();
  }

  pid_t pid_ = -1;
  UniqueFd pidfd_;
  T value_{};
  bool answered_ = false;
};

template <typename Body>
HeldChild(Body) -> HeldChild<std::invoke_result_t<Body>>;

}  // namespace kassay
