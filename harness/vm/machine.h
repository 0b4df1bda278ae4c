// What is booted and how: the input of snapshot.h and boot.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/image/initramfs.h"
#include "harness/kernel/kernel.h"
#include "harness/profile/profile.h"

namespace kassay {

enum class Accelerator { kAuto, kKvm, kTcg };
enum class BootMode {
  kDirect,   // the ELF inside the bzImage through PVH, with shortcuts on the command line
  kBzImage,  // the vendor's image through the firmware, no shortcuts
};

[[nodiscard]] Result<Accelerator> ParseAccelerator(
    const std::string& text);  // "auto", "kvm", "tcg"
[[nodiscard]] std::string Name(Accelerator accelerator);
[[nodiscard]] Result<BootMode> ParseBootMode(const std::string& text);  // "direct", "bzimage"
[[nodiscard]] std::string Name(BootMode mode);

struct MachineSpec {
  Kernel kernel;
  Profile profile;
  Initramfs initramfs;
};

struct VmOptions {
  Accelerator accelerator = Accelerator::kAuto;
  std::string boot;            // "direct" or "bzimage"; empty: what the profile says
  std::filesystem::path qemu;  // empty: $KASSAY_QEMU, else qemu-system-x86_64 from PATH
  // From the start of QEMU until the agent's hello; passed over, the boot is an Error with the
  // console's last lines.
  std::chrono::seconds boot_limit{120};
  // Called with one line for a person, maybe from several threads: fallback to emulation, a damaged
  // snapshot that is made again, a module that did not load. May be empty.
  std::function<void(const std::string&)> note;
};

// What a guest turned out to be; goes into the run's Environment.
struct MachineFacts {
  std::string qemu_version;                     // "7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)"
  Accelerator accelerator = Accelerator::kTcg;  // never kAuto
  BootMode boot = BootMode::kDirect;
  std::string command_line;                // the kernel's, whole
  std::string kernel_release;              // uname -r as the guest said
  std::chrono::milliseconds boot_time{0};  // from the start of QEMU to the agent's hello
};

}  // namespace kassay
