// Matchers for the result of a system call as libc's wrappers and syscall(2) give it: -1 and errno
// on failure.
//
//   EXPECT_THAT(dup2(a, b), SyscallFailsWithErrno(EBADF));
//   EXPECT_THAT(open(path, O_RDONLY), SyscallSucceeds());
//
// and for results that carry the error in the value (io_uring's CQE res, raw register calls):
// IsErrno(EACCES) matches -EACCES and prints both sides by name. errno is read when the matcher
// runs, so nothing may come between.
#pragma once

#include <gmock/gmock.h>

#include <cerrno>
#include <cstring>
#include <ostream>
#include <string>

namespace kassay {

// "EACCES (13: Permission denied)", or "0".
inline std::string ErrnoName(int error_number) {
  if (error_number == 0) return "0";
  const char* name = strerrorname_np(error_number);
  if (name == nullptr) return std::to_string(error_number) + " (no errno)";
  return std::string(name) + " (" + std::to_string(error_number) + ": " +
         strerrordesc_np(error_number) + ")";
}

class SyscallSucceedsMatcher {
 public:
  using is_gtest_matcher = void;
  template <typename T>
  bool MatchAndExplain(const T& result, ::testing::MatchResultListener* listener) const {
    if (static_cast<long>(result) >= 0) return true;
    *listener << "with errno " << ErrnoName(errno);
    return false;
  }
  void DescribeTo(std::ostream* os) const { *os << "succeeds"; }
  void DescribeNegationTo(std::ostream* os) const { *os << "fails"; }
};
inline SyscallSucceedsMatcher SyscallSucceeds() { return {}; }

class SyscallFailsMatcher {
 public:
  using is_gtest_matcher = void;
  explicit SyscallFailsMatcher(int error_number) : expected_(error_number) {}
  template <typename T>
  bool MatchAndExplain(const T& result, ::testing::MatchResultListener* listener) const {
    const int seen = errno;
    if (static_cast<long>(result) != -1) {
      *listener << "which succeeded";
      return false;
    }
    if (seen == expected_) return true;
    *listener << "with errno " << ErrnoName(seen);
    return false;
  }
  void DescribeTo(std::ostream* os) const { *os << "fails with errno " << ErrnoName(expected_); }
  void DescribeNegationTo(std::ostream* os) const {
    *os << "does not fail with errno " << ErrnoName(expected_);
  }

 private:
  int expected_;
};
inline SyscallFailsMatcher SyscallFailsWithErrno(int error_number) {
  return SyscallFailsMatcher(error_number);
}

class NegativeErrnoMatcher {
 public:
  using is_gtest_matcher = void;
  explicit NegativeErrnoMatcher(int error_number) : expected_(error_number) {}
  template <typename T>
  bool MatchAndExplain(const T& result, ::testing::MatchResultListener* listener) const {
    const long value = static_cast<long>(result);
    if (value == -static_cast<long>(expected_)) return true;
    if (value < 0) *listener << "which is -" << ErrnoName(static_cast<int>(-value));
    return false;
  }
  void DescribeTo(std::ostream* os) const { *os << "is -" << ErrnoName(expected_); }
  void DescribeNegationTo(std::ostream* os) const { *os << "is not -" << ErrnoName(expected_); }

 private:
  int expected_;
};
inline NegativeErrnoMatcher IsErrno(int error_number) { return NegativeErrnoMatcher(error_number); }

}  // namespace kassay
