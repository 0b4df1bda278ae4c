// Where a kernel's files are in the layouts that kernels come in.
#pragma once

#include <filesystem>
#include <string>

#include "harness/base/result.h"
#include "harness/kernel/kernel.h"

namespace kassay {

struct KernelFiles {
  std::filesystem::path image;
  std::filesystem::path modules_dir;  // empty without modules
  std::filesystem::path config_file;  // empty without a config
};

// A kernel build tree after `make` (and `make modules`).
[[nodiscard]] bool IsBuildTree(const std::filesystem::path& folder);
[[nodiscard]] Result<KernelFiles> FilesOfBuildTree(const std::filesystem::path& tree);

// The one kernel below the root of unpacked packages: boot/vmlinuz-RELEASE with
// boot/config-RELEASE, or lib/modules/RELEASE/{vmlinuz,config}; lib/modules may be usr/lib/modules.
// Fails on none or several.
[[nodiscard]] Result<KernelFiles> FilesOfRoot(const std::filesystem::path& root);

// An image with the modules and the config that the user names; modules are lib/modules/RELEASE, a
// folder that holds RELEASE or lib/modules/RELEASE, or a build tree. Without a config, the
// config-RELEASE (or config) beside the image, if there is one.
[[nodiscard]] Result<KernelFiles> FilesOfImage(const KernelFiles& named);

// Reads release and config, and hashes what there is. `identity` brings vendor and package.
[[nodiscard]] Result<Kernel> MakeKernel(const KernelFiles& files, KernelIdentity identity);

}  // namespace kassay
