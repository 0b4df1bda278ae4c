// A machine booted for one use, without a snapshot.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "harness/base/result.h"
#include "harness/target/lab.h"
#include "harness/vm/machine.h"

namespace kassay {

struct BootedGuest {
  std::unique_ptr<Guest> guest;
  TargetFacts facts;
};

// Boots and waits for the agent's hello. A boot that never comes up is an Error that carries the
// console's last lines (boot_failure.h).
[[nodiscard]] Result<BootedGuest> BootFresh(const MachineSpec& spec, const VmOptions& options);

// An interactive machine on the caller's terminal (standard input and output): a shell as root, the
// suites below /kassay/suites. Returns when the user leaves it (`exit` or Ctrl-A x).
[[nodiscard]] Status RunShell(const MachineSpec& spec, const VmOptions& options);

// Which accelerator `options` come to for this kernel, proven by a boot, and why: for
// `kassay doctor`. KVM's answer is remembered in VmOptions::cache_dir until the host reboots or
// QEMU changes.
struct AcceleratorChoice {
  Accelerator accelerator = Accelerator::kTcg;
  std::string reason;  // one line; empty when KVM works
};
[[nodiscard]] Result<AcceleratorChoice> ChooseAccelerator(const MachineSpec& spec,
                                                          const VmOptions& options);

// The QEMU that options name, else the architecture's, with its version ("7.2.22 (Debian ...)"); an
// Error says how to install it.
struct QemuBinary {
  std::filesystem::path path;
  std::string version;
};
[[nodiscard]] Result<QemuBinary> FindQemu(const VmOptions& options,
                                          const Architecture& architecture);

}  // namespace kassay
