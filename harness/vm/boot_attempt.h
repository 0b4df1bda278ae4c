// One boot of a kernel with a given accelerator and way to boot, up to the agent's hello.
#pragma once

#include <memory>
#include <string>

#include "harness/vm/boot.h"
#include "harness/vm/boot_failure.h"
#include "harness/vm/live_machine.h"

namespace kassay {

// What a machine is booted with.
struct BootPlan {
  const MachineSpec* spec = nullptr;
  QemuBinary qemu;
  Accelerator accelerator = Accelerator::kTcg;
  std::string why_slow;  // why that is not KVM
  BootMode boot = BootMode::kDirect;
  int memory = -1;  // a file that becomes the guest's memory, shared; -1 for none
  std::chrono::seconds limit{120};
};
// What `options` come to for this machine; `spec` must outlive the plan.
[[nodiscard]] Result<BootPlan> PlanBoot(const MachineSpec& spec, const VmOptions& options);

// Without descriptors: the machine of a plan and its kernel's command line.
[[nodiscard]] MachineArguments ArgumentsOf(const BootPlan& plan);

// The files that QEMU boots from, in memory.
struct BootFiles {
  UniqueFd kernel;
  UniqueFd initramfs;
  UniqueFd disk;  // blank, of the profile's size; not open if the profile has none
};
// Opens them and names them in `fds`.
[[nodiscard]] Result<BootFiles> OpenBootFiles(const BootPlan& plan, MachineFds& fds);

struct BootedMachine {
  std::unique_ptr<LiveMachine> machine;
  TargetFacts facts;
  protocol::Hello hello;
};

[[nodiscard]] BootResult<BootedMachine> AttemptBoot(const BootPlan& plan);
// The same; the error names the kernel and carries the console's last lines. What is the emulator's
// doing (a stray int3, a clock that runs ahead) is noted in `options` and the machine booted again,
// twice at most.
[[nodiscard]] Result<BootedMachine> BootOrExplain(const BootPlan& plan, const VmOptions& options);

// The kernel that QEMU is given, sealed in memory.
[[nodiscard]] Result<UniqueFd> KernelFor(const MachineSpec& spec, BootMode boot);
// A blank disk of the profile's size; not open if the profile has none.
[[nodiscard]] Result<UniqueFd> BlankDisk(const Profile& profile);

// What the guest could not do when it booted, as notes for a person.
void NoteTroubles(const MachineSpec& spec, const protocol::Hello& hello, const VmOptions& options);

inline void Note(const VmOptions& options, const std::string& line) {
  if (options.note) options.note(line);
}

}  // namespace kassay
