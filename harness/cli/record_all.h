// kassay baseline record --all: every known kernel and suite whose baseline is out of date.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/cli/exit_code.h"
#include "harness/cli/kernel_options.h"
#include "harness/cli/run_options.h"

namespace kassay::cli {

struct RecordAllOptions {
  std::filesystem::path folder;      // of the baselines
  std::vector<std::string> kernels;  // empty: the pinned ones and the reference kernels built here
  KernelOptions kernel;              // its spec is that of the step
  RunFlags flags;                    // its suites; empty: all
  bool force = false;                // what is up to date too
  bool dry_run = false;              // the plan, and nothing is run
};

// Prints the plan, then a line a step with what changed. What is recorded is on disk when its line
// is printed. A step that fails does not end the rest; its exit code is given back. Interrupted: an
// error that says how to go on.
[[nodiscard]] Result<ExitCode> RecordAll(RecordAllOptions options);

}  // namespace kassay::cli
