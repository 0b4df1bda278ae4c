// Where a kernel's configuration is found, as its text.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/kernel/kernel.h"

namespace kassay {

// A configuration file: plain, or compressed with gzip (as /proc/config.gz is), bzip2, XZ, LZMA or
// Zstandard. At most 16 MiB of text.
[[nodiscard]] Result<std::string> ReadConfigText(const std::filesystem::path& file);

// What CONFIG_IKCONFIG keeps within the kernel (kernel/configs.c: gzip between IKCFG_ST and
// IKCFG_ED); `elf` is the uncompressed kernel. Empty if there is none.
[[nodiscard]] std::string ConfigWithin(std::string_view elf);
// The same of an image file, a bzImage or a vmlinux.
[[nodiscard]] std::string ConfigWithinImage(const std::filesystem::path& image);

// A usage error if the configuration's third line ("# Linux/x86 7.0.13 Kernel Configuration",
// scripts/kconfig/confdata.c) names another version than `kernel`. A text without such a line says
// nothing.
[[nodiscard]] Status CheckConfigVersion(std::string_view text, const KernelVersion& kernel);

}  // namespace kassay
