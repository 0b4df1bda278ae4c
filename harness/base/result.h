// Errors as values. Every function that can fail for a reason outside the program returns
// Result<T>.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace kassay {

// Who or what is to blame: what a caller decides by. The command line makes exit codes of it
// (harness/cli/exit_code.h).
enum class ErrorKind {
  kUnable,   // the surroundings: no QEMU, no kernel, a full disk; nothing was said about a kernel
  kUsage,    // what was asked for: an unknown option, suite, case or kernel; a damaged file
  kRefuted,  // what is claimed does not hold: a certificate, a level
  kNoBoot,   // the kernel under test: it comes up in no machine
  kInterrupted,  // Ctrl-C
};

// One line for a person: what went wrong and, where there is a remedy, what to do about it.
struct Error {
  std::string message;
  ErrorKind kind = ErrorKind::kUnable;

  // Puts context in front: "cannot unpack linux.deb: " + what happened below.
  [[nodiscard]] Error Within(const std::string& context) const {
    return {context + ": " + message, kind};
  }
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = tl::expected<void, Error>;

inline tl::unexpected<Error> Fail(std::string message, ErrorKind kind = ErrorKind::kUnable) {
  return tl::unexpected<Error>(Error{std::move(message), kind});
}
inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

// `what` and the meaning of errno at the moment of the call: "open /x: No such file or directory".
inline tl::unexpected<Error> FailErrno(const std::string& what, int error_number = errno) {
  return Fail(what + ": " + std::strerror(error_number));  // NOLINT(concurrency-mt-unsafe)
}

// Returns the error of `expression` to the caller, or binds its value: KASSAY_TRY(auto file,
// Open(path));
#define KASSAY_CONCAT_INNER(a, b) a##b
#define KASSAY_CONCAT(a, b) KASSAY_CONCAT_INNER(a, b)
#define KASSAY_TRY(binding, expression) \
  KASSAY_TRY_IMPL(KASSAY_CONCAT(kassay_try_, __LINE__), binding, expression)
#define KASSAY_TRY_IMPL(temporary, binding, expression)                \
  auto temporary = (expression);                                       \
  if (!temporary) return ::kassay::Fail(std::move(temporary).error()); \
  binding = std::move(*temporary)
#define KASSAY_CHECK(expression)                           \
  do {                                                     \
    if (auto kassay_status = (expression); !kassay_status) \
      return ::kassay::Fail(kassay_status.error());        \
  } while (false)

}  // namespace kassay
