// The options of a run, for every subcommand that makes one.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "harness/base/result.h"
#include "harness/cli/kernel_options.h"
#include "harness/run/run.h"

namespace kassay::cli {

struct RunFlags {
  RunOptions run;
  std::string isolation = "case";
  std::string accelerator = "auto";
  std::string headers;  // folder of the kernel's headers; empty: those that are pinned, if any
};

// --suite, --case, --profile, --jobs, --isolation, --accel, --boot, --repeat, --limit-scale,
// --headers.
void AddRunFlags(CLI::App& command, RunFlags& flags);

// What the flags come to. CLI11 has checked their values already.
[[nodiscard]] Result<RunOptions> RunOptionsOf(const RunFlags& flags, const KernelOptions& kernel);

}  // namespace kassay::cli
