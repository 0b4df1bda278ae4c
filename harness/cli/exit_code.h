// The exit codes of the process; README.md and `kassay --help` say the same.
#pragma once

#include "harness/base/result.h"
#include "harness/result/run_result.h"

namespace kassay::cli {

enum class ExitCode : int {
  kConformant = 0,     // everything that had to hold does (absent, disabled and waived included)
  kNonconformant = 1,  // at least one requirement does not hold
  kUsage = 2,          // wrong usage
  kCouldNotTest = 3,   // the surroundings' trouble, or what had to be tested was not
  kRegressed = 4,      // worse than the baseline
  kNoBoot = 5,         // the kernel comes up in no machine
  kInterrupted = 130,  // Ctrl-C; what was finished is kept
};

[[nodiscard]] constexpr ExitCode ExitCodeOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUnable:
      return ExitCode::kCouldNotTest;
    case ErrorKind::kUsage:
      return ExitCode::kUsage;
    case ErrorKind::kRefuted:
      return ExitCode::kNonconformant;
    case ErrorKind::kNoBoot:
      return ExitCode::kNoBoot;
    case ErrorKind::kInterrupted:
      return ExitCode::kInterrupted;
  }
  return ExitCode::kCouldNotTest;
}

[[nodiscard]] constexpr ExitCode ExitCodeOf(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::kConformant:
      return ExitCode::kConformant;
    case RunOutcome::kNonconformant:
      return ExitCode::kNonconformant;
    case RunOutcome::kCouldNotTest:
      return ExitCode::kCouldNotTest;
    case RunOutcome::kRegressed:
      return ExitCode::kRegressed;
    case RunOutcome::kInterrupted:
      return ExitCode::kInterrupted;
  }
  return ExitCode::kCouldNotTest;
}

}  // namespace kassay::cli
