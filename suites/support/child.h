// A forked helper whose outcome is asserted. The body runs in a child process and returns a plain
// value:
//
//   const auto seen = InChild([&] { return Submit(ring, nop); });
//   EXPECT_THAT(seen, Returned(IsErrno(EACCES)));
//
// Everything that cannot be undone (no_new_privs, task restrictions, unshare, setuid) belongs into
// a child. The body must not use GoogleTest assertions: it returns what it saw. A child that dies
// by a signal, exits by itself or outlives its limit gives no value, and Returned() says which.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "harness/base/unique_fd.h"
#include "suites/support/limit_scale.h"

namespace kassay {

template <typename T>
struct ChildResult {
  std::optional<T> value;
  int wait_status = 0;     // as waitpid(2) gives it
  bool timed_out = false;  // killed because it outlived its limit

  [[nodiscard]] std::string Describe() const {
    if (timed_out) return "a child that outlived its limit and was killed";
    if (WIFSIGNALED(wait_status))
      return std::string("a child killed by ") + strsignal(WTERMSIG(wait_status));
    return "a child that exited with " + std::to_string(WEXITSTATUS(wait_status)) +
           " without an answer";
  }
};

// The child gets `limit_seconds`, times the scale that the run asked for (--limit-scale).
template <typename Body, typename T = std::invoke_result_t<Body>>
ChildResult<T> InChild(Body body, int limit_seconds = 20) {
  static_assert(std::is_trivially_copyable_v<T>, "the value goes through a pipe byte by byte");
  ChildResult<T> result;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return result;
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t pid = fork();
  if (pid == 0) {
    const T value = body();
    const bool sent =
        write(writing.Get(), &value, sizeof value) == static_cast<ssize_t>(sizeof value);
    _exit(sent ? 0 : 125);
  }
  writing.Reset();
  if (pid < 0) return result;
  pollfd waiting{reading.Get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&waiting, 1, ScaledMilliseconds(limit_seconds));
  } while (ready < 0 && errno == EINTR);
  result.timed_out = ready == 0;
  if (result.timed_out) kill(pid, SIGKILL);
  T value{};
  if (ready > 0 &&
      read(reading.Get(), &value, sizeof value) == static_cast<ssize_t>(sizeof value)) {
    result.value = value;
  }
  waitpid(pid, &result.wait_status, 0);
  return result;
}

template <typename Inner>
class ReturnedMatcher {
 public:
  using is_gtest_matcher = void;
  explicit ReturnedMatcher(Inner inner) : inner_(std::move(inner)) {}
  template <typename T>
  bool MatchAndExplain(const ChildResult<T>& result,
                       ::testing::MatchResultListener* listener) const {
    if (!result.value) {
      *listener << "which is " << result.Describe();
      return false;
    }
    const ::testing::Matcher<const T&> matcher = ::testing::SafeMatcherCast<const T&>(inner_);
    if (matcher.Matches(*result.value)) return true;
    // Only here the value's type is known, and with it what to say about the one expected.
    if (listener->IsInterested()) {
      *listener << "where a value was expected that ";
      matcher.DescribeTo(listener->stream());
      *listener << ": ";
    }
    return matcher.MatchAndExplain(*result.value, listener);
  }
  void DescribeTo(std::ostream* os) const { *os << "is a child that returned the expected value"; }
  void DescribeNegationTo(std::ostream* os) const {
    *os << "is not a child that returned that value";
  }

 private:
  Inner inner_;
};

// Matches a ChildResult whose value matches `inner`, a value or a matcher.
template <typename Inner>
ReturnedMatcher<Inner> Returned(Inner inner) {
  return ReturnedMatcher<Inner>(std::move(inner));
}

template <typename T>
void PrintTo(const ChildResult<T>& result, std::ostream* os) {
  if (result.value) {
    *os << "a child that returned " << ::testing::PrintToString(*result.value);
  } else {
    *os << result.Describe();
  }
}

}  // namespace kassay
