// QEMU's command line and the kernel's.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/vm/machine.h"

namespace kassay {

// Descriptors that QEMU inherits; -1 where there is none. Files are named as /proc/self/fd/N, so
// that QEMU needs no right to walk to them.
struct MachineFds {
  int qmp = -1;
  int console = -1;  // -1: the console is QEMU's own standard input and output
  int agent = -1;
  // A file that the guest writes into when it boots (how a snapshot is made), copy on write on a
  // restore; -1: memory of its own, not in a file.
  int memory = -1;
  int kernel = -1;  // -1 on a restore and through UEFI, together with initramfs
  int initramfs = -1;
  int disk = -1;
  int state = -1;  // the device state to restore
  // Through UEFI: the firmware's code, the store of its variables, which is this machine's own, and
  // the disk that it boots from.
  int firmware_code = -1;
  int firmware_variables = -1;
  int boot_disk = -1;

  [[nodiscard]] std::vector<int> Open() const;  // those that there are
};

struct MachineArguments {
  const Architecture* architecture = &kX86_64;
  const Profile* profile = nullptr;
  Accelerator accelerator = Accelerator::kTcg;
  std::string cpu = kDefaultCpu;
  MachineFds fds;
  std::string kernel_command_line;
  bool restored = false;  // waits for a state instead of booting
};

// argv without argv[0]. The devices depend on architecture, profile, accelerator and CPU model
// alone, so that a restored machine is the saved one.
[[nodiscard]] std::vector<std::string> QemuArguments(const MachineArguments& machine);

// What kassay needs, in direct mode its shortcuts, then the profile's words (the last one wins).
[[nodiscard]] std::string KernelCommandLine(const Architecture& architecture,
                                            const Profile& profile, BootMode boot);

}  // namespace kassay
