// How a VM is booted for a suite: vm/profiles/NAME.toml.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

// Everything that QEMU emulates, and with KVM everything that the host's own CPU has.
inline constexpr const char* kDefaultCpu = "max";

// The "profile" of cases that run on this machine instead of in a guest; it has no file.
inline constexpr const char* kHostProfile = "host";

struct Profile {
  std::string name;
  std::string description;
  int memory_mib = 512;           // 128 to 65536
  int cpus = 2;                   // 1 to 64
  std::string cpu = kDefaultCpu;  // the model of each, as QEMU's -cpu takes it: "max,+svm"
  std::vector<std::string>
      command_line;  // added to what kassay itself needs (console, panic, root)
  // Loaded by the agent before the snapshot, in dependency order; their closure is in the image.
  std::vector<std::string> modules;
  std::vector<std::string> image_modules;  // in the image but not loaded (a case loads them)
  std::vector<std::string> files;          // from fixtures/, into /kassay/fixtures of the guest
  int disk_mib = 0;                        // a blank private virtio disk, 0 for none
  // "direct" (PVH, shortcuts on the command line) or "bzimage" (as shipped)
  std::string boot = "direct";
  // "uefi" or "uefi-secure-boot": through UEFI firmware, where the kernel has an EFI stub; then
  // `boot` is "bzimage". Empty: none.
  std::string firmware;
  // Certificates of fixtures/ that the firmware's db holds, the first of them as PK and KEK too.
  std::vector<std::string> enroll;
};

// What a profile changes of the system as its vendor boots it. Memory, CPUs and disks are hardware.
struct ProfileChanges {
  std::vector<std::string> command_line;  // words for the kernel
  std::vector<std::string> modules;       // of the package, loaded or at hand
  std::vector<std::string> files;         // brought into the guest
  std::vector<std::string> enroll{};      // in the firmware's db
  friend bool operator==(const ProfileChanges&, const ProfileChanges&) = default;
};
[[nodiscard]] ProfileChanges ChangesOf(const Profile& profile);

// Why `text` cannot be a CPU model ("is empty"); empty if it can. Whether QEMU knows the model
// shows when it starts a machine.
[[nodiscard]] std::string WhyNotCpuModel(std::string_view text);

// The profile of `profiles_dir`/NAME.toml. Fails, with file and line, on bad TOML, an unknown key,
// a value of the wrong type or out of its range; an unknown name is a usage error that lists the
// known ones.
[[nodiscard]] Result<Profile> LoadProfile(const std::filesystem::path& profiles_dir,
                                          const std::string& name);

// The same from text; `origin` stands in the messages for the file's name.
[[nodiscard]] Result<Profile> ParseProfile(std::string_view toml, const std::string& name,
                                           const std::string& origin);

}  // namespace kassay
