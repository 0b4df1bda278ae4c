// Where commands get their labs from. What machines are made of is known here; commands and rooms
// behind this see target/lab.h.
#pragma once

#include <memory>
#include <string>

#include "harness/base/result.h"
#include "harness/cli/run_options.h"
#include "harness/target/lab.h"
#include "harness/vm/vm_lab.h"

namespace kassay::cli {

// The installation's machines for the kernel of the options, which is fetched if needed, with
// nothing in them yet. The flags' values were checked by CLI11.
[[nodiscard]] Result<VmLabOptions> MachinesOf(const KernelOptions& options,
                                              const MachineFlags& flags);

// These machines, and this one for suites that run on it.
[[nodiscard]] std::unique_ptr<Lab> WithThisMachine(const VmLabOptions& machines);

// What carries machines here, with its version and place; the Error says how to install it.
[[nodiscard]] Result<std::string> WhatCarriesMachines();
// The firmware of profiles that boot through UEFI is installed; the Error says how to install it.
[[nodiscard]] Status UefiIsThere();
// The command that lets QEMU open KVM; empty if nothing is known to be in its way.
[[nodiscard]] std::string KvmRemedy();

// A usage error if the kernel's image cannot be booted as its vendor ships it.
[[nodiscard]] Status CheckBootsAsShipped(const Kernel& kernel);

// A run of this kernel with the machines that its flags ask for; see run/run.h.
[[nodiscard]] Result<RunResult> RunOn(const Kernel& kernel, const RunFlags& flags,
                                      RunObserver& observer);

}  // namespace kassay::cli
