// The options of a run, for every subcommand that makes one.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "harness/cli/kernel_options.h"
#include "harness/run/run.h"

namespace kassay::cli {

// What machines are asked for.
struct MachineFlags {
  std::string accelerator = "auto";  // "auto", "kvm" or "tcg"
  std::string boot;                  // "direct" or "bzimage"; empty: what the profile says
  std::string cpu;                   // QEMU's -cpu; empty: what the profile says
};
// --cpu.
void AddCpuFlag(CLI::App& command, MachineFlags& flags);
// --accel, --cpu, --boot.
void AddMachineFlags(CLI::App& command, MachineFlags& flags);

struct RunFlags {
  KernelOptions kernel;
  RunOptions run;  // its installation and boot are filled in by RunOn (labs.h)
  MachineFlags machine;
  std::string headers;  // folder of the kernel's headers; empty: those that are pinned, if any
};

// --suite, --case, --profile, --jobs, --isolation, --accel, --cpu, --boot, --repeat,
// --limit-scale, --headers; nothing of the kernel's.
void AddRunFlags(CLI::App& command, RunFlags& flags);

}  // namespace kassay::cli
