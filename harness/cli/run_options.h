// The options of a run, for every subcommand that makes one.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "harness/run/run.h"

namespace kassay::cli {

// What machines are asked for.
struct MachineFlags {
  std::string accelerator = "auto";  // "auto", "kvm" or "tcg"
  std::string boot;                  // "direct" or "bzimage"; empty: what the profile says
};
// --accel, --boot.
void AddMachineFlags(CLI::App& command, MachineFlags& flags);

struct RunFlags {
  RunOptions run;
  MachineFlags machine;
  std::string headers;  // folder of the kernel's headers; empty: those that are pinned, if any
};

// --suite, --case, --profile, --jobs, --isolation, --accel, --boot, --repeat, --limit-scale,
// --headers.
void AddRunFlags(CLI::App& command, RunFlags& flags);

// What the flags come to. CLI11 has checked their values already.
[[nodiscard]] RunOptions RunOptionsOf(const RunFlags& flags, const Installation& installation);

}  // namespace kassay::cli
