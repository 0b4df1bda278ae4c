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
  std::vector<std::string> enroll{};  // the profile's certificates, as DER
};

struct VmOptions {
  Accelerator accelerator = Accelerator::kAuto;
  std::string boot;                 // "direct" or "bzimage"; empty: what the profile says
  std::string cpu;                  // QEMU's -cpu; empty: what the profile says
  std::filesystem::path qemu;       // empty: $KASSAY_QEMU, else the architecture's from PATH
  std::filesystem::path cache_dir;  // where KVM's answer is remembered; empty: nowhere
  std::filesystem::path kvm_device = "/dev/kvm";
  bool kvm_anew = false;  // whatever is remembered
  // From the start of QEMU until the agent's hello; passed over, the boot is an Error with the
  // console's last lines.
  std::chrono::seconds boot_limit{120};
  // Called with one line for a person, maybe from several threads: fallback to emulation, a damaged
  // snapshot that is made again, a module that did not load. May be empty.
  std::function<void(const std::string&)> note;
};

}  // namespace kassay
