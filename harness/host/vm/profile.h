// How a VM is booted for a suite: vm/profiles/NAME.toml.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

struct Profile {
  std::string name;
  std::string description;
  int memory_mib = 512;
  int cpus = 2;
  std::vector<std::string>
      command_line;  // added to what kassay itself needs (console, panic, root)
  std::vector<std::string>
      modules;  // loaded by the agent before the snapshot; their closure is in the image
  std::vector<std::string> image_modules;  // in the image but not loaded (a case loads them)
  std::vector<std::string> files;          // from fixtures/, into /kassay/fixtures of the guest
  int disk_mib = 0;                        // a blank private virtio disk, 0 for none
  std::string boot =
      "direct";  // "direct" (PVH, shortcuts on the command line) or "bzimage" (as shipped)
  bool certification = false;  // may a certificate be made from it: no shortcuts, vendor's defaults
};

// Fails on an unknown key, with file and line.
[[nodiscard]] Result<Profile> LoadProfile(const std::filesystem::path& profiles_dir,
                                          const std::string& name);

}  // namespace kassay
