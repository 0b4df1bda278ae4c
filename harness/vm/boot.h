// A machine booted for one use, without a snapshot, and what its boot is made of.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"
#include "harness/target/lab.h"
#include "harness/vm/live_machine.h"
#include "harness/vm/machine.h"
#include "harness/vm/uefi.h"

namespace kassay {

struct BootedMachine {
  std::unique_ptr<LiveMachine> guest;
  TargetFacts facts;
  protocol::Hello hello;
};

// Boots and waits for the agent's hello. A boot that never comes up is an Error that carries the
// console's last lines.
[[nodiscard]] Result<BootedMachine> BootFresh(const MachineSpec& spec, const VmOptions& options);

// An interactive machine on the caller's terminal (standard input and output): a shell as root, the
// suites below /kassay/suites. Returns when the user leaves it (`exit` or Ctrl-A x).
[[nodiscard]] Status RunShell(const MachineSpec& spec, const VmOptions& options);

// The QEMU that options name, else the architecture's, with its version ("7.2.22 (Debian ...)"); an
// Error says how to install it.
struct QemuBinary {
  std::filesystem::path path;
  std::string version;
};
[[nodiscard]] Result<QemuBinary> FindQemu(const VmOptions& options,
                                          const Architecture& architecture);

// --- which way a kernel boots, and whether its image can go that way ---

// QEMU enters an ELF over PVH whatever it was asked for: only an image of the kind that vendors
// ship boots through the firmware. A usage error if `kernel`'s image cannot take this path. What a
// direct boot needs of a bzImage beyond that shows when it is unpacked (direct_image.h).
[[nodiscard]] Status CheckBootPath(const Kernel& kernel, BootMode boot);
// The same of the image's first bytes.
[[nodiscard]] Status CheckBootPath(const Kernel& kernel, std::string_view head, BootMode boot);

// The options' boot mode, else the profile's, which is kDirect where a profile asks for UEFI and
// the image has no EFI stub; a usage error if the kernel's image cannot be booted that way. Reads
// the image's beginning and starts nothing.
[[nodiscard]] Result<BootMode> BootModeFor(const Kernel& kernel, const Profile& profile,
                                           const VmOptions& options);

// --- one boot with a given accelerator and way ---

struct BootPlan {
  const MachineSpec* spec = nullptr;
  QemuBinary qemu;
  Accelerator accelerator = Accelerator::kTcg;
  std::string why_slow;  // why that is not KVM, one line; empty when it is
  BootMode boot = BootMode::kDirect;
  std::string cpu = kDefaultCpu;
  int memory = -1;  // a file that becomes the guest's memory, shared; -1 for none
  std::chrono::seconds limit{120};
  std::shared_ptr<const Uefi> uefi;  // none: past the firmware, or through QEMU's own
};
// What `options` come to for this machine; `spec` must outlive the plan (kvm.h tells whether KVM
// works).
[[nodiscard]] Result<BootPlan> PlanBoot(const MachineSpec& spec, const VmOptions& options);

// Without descriptors: the machine of a plan and its kernel's command line.
[[nodiscard]] MachineArguments ArgumentsOf(const BootPlan& plan);

// The files that QEMU boots from, in memory.
struct BootFiles {
  UniqueFd kernel;
  UniqueFd initramfs;
  UniqueFd disk;   // blank, of the profile's size; not open if the profile has none
  UefiFiles uefi;  // then there is neither kernel nor initramfs
};
// Opens them and names them in `arguments`, whose command line they may hold.
[[nodiscard]] Result<BootFiles> OpenBootFiles(const BootPlan& plan, MachineArguments& arguments);
// The kernel that QEMU is given, sealed in memory.
[[nodiscard]] Result<UniqueFd> KernelFor(const MachineSpec& spec, BootMode boot);
// A blank disk of the profile's size; not open if the profile has none.
[[nodiscard]] Result<UniqueFd> BlankDisk(const Profile& profile);

[[nodiscard]] BootResult<BootedMachine> AttemptBoot(const BootPlan& plan);
// The same; the error names the kernel and carries the console's last lines. What is the emulator's
// doing (a stray int3, a clock that runs ahead) is noted in `options` and the machine booted again,
// twice at most; what the guest could not do when it booted is noted too.
[[nodiscard]] Result<BootedMachine> BootOrExplain(const BootPlan& plan, const VmOptions& options);

inline void Note(const VmOptions& options, const std::string& line) {
  if (options.note) options.note(line);
}

}  // namespace kassay
