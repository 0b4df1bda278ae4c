// One boot of a kernel with a given accelerator and way to boot, up to the agent's hello.
#pragma once

#include <memory>
#include <string>

#include "harness/vm/boot.h"
#include "harness/vm/live_machine.h"

namespace kassay {

struct BootPlan {
  const MachineSpec* spec = nullptr;
  QemuBinary qemu;
  Accelerator accelerator = Accelerator::kTcg;
  BootMode boot = BootMode::kDirect;
  int memory = -1;  // a file that becomes the guest's memory, shared; -1 for none
  std::chrono::seconds limit{120};
};

struct BootedMachine {
  std::unique_ptr<LiveMachine> machine;
  MachineFacts facts;
  protocol::Hello hello;
};

[[nodiscard]] Result<BootedMachine> AttemptBoot(const BootPlan& plan);
// The same; the error names the kernel. What is the emulator's doing (a stray int3, a clock that
// runs ahead) is noted in `options` and the machine booted again, twice at most.
[[nodiscard]] Result<BootedMachine> BootOrExplain(const BootPlan& plan, const VmOptions& options);

// The kernel that QEMU is given, sealed in memory.
[[nodiscard]] Result<UniqueFd> KernelFor(const MachineSpec& spec, BootMode boot);
// The initramfs likewise.
[[nodiscard]] Result<UniqueFd> InitramfsFor(const MachineSpec& spec);
// A blank disk of the profile's size; not open if the profile has none.
[[nodiscard]] Result<UniqueFd> BlankDisk(const Profile& profile);

// What the guest could not do when it booted, as notes for a person.
void NoteTroubles(const MachineSpec& spec, const protocol::Hello& hello, const VmOptions& options);

inline void Note(const VmOptions& options, const std::string& line) {
  if (options.note) options.note(line);
}

}  // namespace kassay
