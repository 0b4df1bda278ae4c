// The kernel's source out of a distribution's linux-source package.
#pragma once

#include <filesystem>

#include "harness/base/result.h"

namespace kassay {

// Unpacks the usr/src/linux-source-*.tar.* of a .deb into `into` (by way of a temporary folder
// beside it). What an x86 virtual machine's kernel never compiles (other architectures, graphics,
// sound, documentation) is left out, its Kconfig and Makefiles excepted: a third of the size and of
// the time. Paths that lead out of the folder, and symbolic links to such, are refused.
[[nodiscard]] Status UnpackSource(const std::filesystem::path& package,
                                  const std::filesystem::path& into);

}  // namespace kassay
