// Booting through UEFI firmware: OVMF, which QEMU runs from flash.
//
// The firmware finds everything where a vendor's machine has it: keys in the variables PK, KEK and
// db, the kernel and its initramfs on a disk, the command line in Boot0000. QEMU's own -kernel
// would be shorter, but changes the kernel's setup header on the way
// (hw/i386/x86.c:x86_load_linux), and with it what the image's signature is about: the firmware
// then starts the image unverified.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"
#include "harness/vm/machine.h"

namespace kassay {

// Whether machines of this profile boot through UEFI: the profile says so, `options` do not ask for
// a direct boot, and the kernel's image has an EFI stub. A kernel without one boots as under any
// other profile, and what its cases want of the firmware is not there.
[[nodiscard]] Result<bool> BootsThroughUefi(const Kernel& kernel, const Profile& profile,
                                            const VmOptions& options);

// The firmware's files are there; the Error says how to install them. $KASSAY_FIRMWARE_DIR names
// another folder for them than Debian's.
[[nodiscard]] Status FindUefi(const Architecture& architecture);

struct Uefi {
  Firmware record;
  UniqueFd code;                      // sealed in memory
  std::string store;                  // of variables: what is enrolled, and no command line yet
  std::uint64_t boot_disk_bytes = 0;  // how large the disk is
};

// For this kernel and profile. db holds the profile's certificates and whatever lets the firmware
// start the kernel: the certificates that its image was signed with by its vendor, or the image's
// digest where it was not signed.
[[nodiscard]] Result<std::shared_ptr<const Uefi>> PlanUefi(const MachineSpec& spec);

// What the command line begins with, for the initramfs to be found on the disk
// (Documentation/admin-guide/efi-stub.rst).
inline constexpr std::string_view kUefiCommandLine = "initrd=\\INITRD.IMG ";

// The files of one boot: the store with the command line in it, and the disk.
struct UefiFiles {
  UniqueFd variables;
  UniqueFd boot_disk;
};
[[nodiscard]] Result<UefiFiles> OpenUefiFiles(const Uefi& uefi, const MachineSpec& spec,
                                              const std::string& command_line);
// For a machine whose state is restored: of the same size, without content.
[[nodiscard]] Result<UefiFiles> BlankUefiFiles(const Uefi& uefi);

}  // namespace kassay
