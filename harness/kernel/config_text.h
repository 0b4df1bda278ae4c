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

// The version of a kernel of this release and configuration. A usage error if the configuration's
// third line ("# Linux/x86 7.0.13 Kernel Configuration", scripts/kconfig/confdata.c) names another
// one; a text without such a line says nothing. Releases of Debian up to 12 and of Ubuntu end in a
// number of their ABI ("6.1.0-57-amd64"); there the configuration alone knows the stable release.
[[nodiscard]] Result<KernelVersion> VersionWithConfig(std::string_view release,
                                                      std::string_view text);

}  // namespace kassay
