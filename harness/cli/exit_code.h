// The exit codes of the process; README.md and `kassay --help` say the same.
#pragma once

#include "harness/base/result.h"
#include "harness/result/run_result.h"

namespace kassay::cli {

enum class ExitCode : int {
  kConformant = 0,     // everything that had to hold does (absent, disabled and waived included)
  kNonconformant = 1,  // at least one requirement does not hold
  kUsage = 2,          // wrong usage
  kCouldNotTest = 3,   // nothing was said about the kernel
  kRegressed = 4,      // worse than the baseline
  kInterrupted = 130,  // Ctrl-C; what was finished is kept
};

[[nodiscard]] constexpr ExitCode ExitCodeOf(ErrorKind kind) {
  return kind == ErrorKind::kUsage         ? ExitCode::kUsage
         : kind == ErrorKind::kRefuted     ? ExitCode::kNonconformant
         : kind == ErrorKind::kInterrupted ? ExitCode::kInterrupted
                                           : ExitCode::kCouldNotTest;
}

[[nodiscard]] constexpr ExitCode ExitCodeOf(RunOutcome outcome) {
  return outcome == RunOutcome::kConformant      ? ExitCode::kConformant
         : outcome == RunOutcome::kNonconformant ? ExitCode::kNonconformant
         : outcome == RunOutcome::kRegressed     ? ExitCode::kRegressed
         : outcome == RunOutcome::kInterrupted   ? ExitCode::kInterrupted
                                                 : ExitCode::kCouldNotTest;
}

}  // namespace kassay::cli
