// Packages, unpacked once into a folder of the store that nothing changes afterwards.
#pragma once

#include <filesystem>
#include <vector>

#include "harness/base/result.h"
#include "harness/kernel/kernel.h"

namespace kassay {

// The kernel of an unpacked folder; fails if it is not there, or its image or config is no longer
// what was unpacked.
[[nodiscard]] Result<Kernel> OpenPackageTree(const std::filesystem::path& tree);

// Unpacks `packages` into `tree`, by MakeFolderAtomically(). The image's package gives the identity
// its name and version unless `identity` already has them.
[[nodiscard]] Result<Kernel> MakePackageTree(const std::vector<std::filesystem::path>& packages,
                                             const std::filesystem::path& tree,
                                             KernelIdentity identity);

// Unpacks the headers among `packages` into `tree`, in the same way.
[[nodiscard]] Status MakeHeadersTree(const std::vector<std::filesystem::path>& packages,
                                     const std::filesystem::path& tree);

}  // namespace kassay
