// Errors as values. Every function that can fail for a reason outside the program returns
// Result<T>.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace kassay {

// The process exit codes; documented in README.md and in `kassay --help`.
enum class ExitCode : int {
  kConformant = 0,     // everything that had to hold does (absent, disabled and waived included)
  kNonconformant = 1,  // at least one requirement does not hold
  kUsage = 2,          // wrong usage: unknown option, suite, case or kernel spec
  kCouldNotTest =
      3,  // no QEMU, no kernel, it does not boot, disk full: nothing was said about the kernel
  kRegressed = 4,      // worse than the baseline
  kInterrupted = 130,  // Ctrl-C; what was finished is kept
};

// One line for a person: what went wrong and, where there is a remedy, what to do about it.
struct Error {
  std::string message;
  ExitCode code = ExitCode::kCouldNotTest;

  // Puts context in front: "cannot unpack linux.deb: " + what happened below.
  [[nodiscard]] Error Within(const std::string& context) const {
    return {context + ": " + message, code};
  }
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = tl::expected<void, Error>;

inline tl::unexpected<Error> Fail(std::string message, ExitCode code = ExitCode::kCouldNotTest) {
  return tl::unexpected<Error>(Error{std::move(message), code});
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
