// Helper modes of a suite's own executable, for what has to happen after execve(2):
//
//   KASSAY_HELPER(PrintUid) {                      // int (std::span<const std::string> args)
//     std::cout << getuid() << "\n";
//     return 0;
//   }
//
//   KASSAY_CASE(Exec, KeepsTheUid, Cites("X-001")) {
//     const HelperResult seen = RunHelper("PrintUid", {}, [] { return setuid(1000); });
//     EXPECT_THAT(seen, HelperPrinted("1000\n"));
//   }
//
// The suite is started again as `SUITE --kassay_helper=NAME args...`; that is handled before
// GoogleTest sees the command line. A helper has no records and no assertions: it prints what it
// saw and returns an exit code.
#pragma once

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <vector>

namespace kassay {

using HelperMain = int (*)(std::span<const std::string> args);

class HelperRegistration {
 public:
  HelperRegistration(const char* name, HelperMain helper);
};

#define KASSAY_HELPER(name)                                                                   \
  static int KassayHelper##name(std::span<const std::string> args);                           \
  static const ::kassay::HelperRegistration kassay_helper_##name(#name, &KassayHelper##name); \
  static int KassayHelper##name([[maybe_unused]] std::span<const std::string> args)

struct HelperResult {
  std::string output;      // what it wrote to its standard output, at most 64 KiB of it
  int wait_status = 0;     // as waitpid(2) gives it
  bool timed_out = false;  // killed because it outlived its limit

  [[nodiscard]] bool Exited(int code) const {
    return !timed_out && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == code;
  }
};
void PrintTo(const HelperResult& result, std::ostream* os);

// Exit codes of a helper process that never reached the helper.
inline constexpr int kHelperNotPrepared = 121;  // before_exec returned something else than 0
inline constexpr int kHelperNotExecuted = 122;  // execveat(2) failed
inline constexpr int kHelperUnknown = 123;      // no KASSAY_HELPER of that name

// Forks; the child runs `before_exec` (no assertions there; nonzero means that the preparation
// failed) and executes the helper with its standard output in a pipe. Waits for the end, at most
// `limit_seconds` times the run's --limit-scale.
HelperResult RunHelper(const std::string& name, const std::vector<std::string>& args = {},
                       const std::function<int()>& before_exec = {}, int limit_seconds = 20);

// Replaces the calling process (also from a secondary thread) by the helper; returns errno, for it
// returns only on failure. The executable was opened when the program started, so no path has to
// resolve.
int ExecHelper(const std::string& name, const std::vector<std::string>& args = {});

// Matches a helper that exited with 0 and printed exactly `output`.
MATCHER_P(HelperPrinted, output,
          std::string(negation ? "is not" : "is") + " a helper that exited with 0 after printing " +
              ::testing::PrintToString(std::string(output))) {
  return arg.Exited(0) && arg.output == output;
}

// For main() alone: runs the helper if the command line asks for one. Returns whether it did, and
// the exit code in `exit_code`.
bool RunRequestedHelper(int argc, char** argv, int* exit_code);

}  // namespace kassay
