// What a kernel image says about itself.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace kassay {

// How much of an image's beginning the parsers need at most: a bzImage's kernel_version is a 16-bit
// offset.
inline constexpr size_t kBzImageHeadBytes = size_t{128} << 10;

enum class ImageKind {
  kBzImage,  // boots through the firmware; holds a compressed vmlinux
  kVmlinux,  // the ELF itself, which a loader enters past the firmware (PVH)
};

// By its first bytes (kBzImageHeadBytes or the whole file), and of a file. Fails if it is neither.
[[nodiscard]] Result<ImageKind> ParseImageKind(std::string_view head);
[[nodiscard]] Result<ImageKind> ReadImageKind(const std::filesystem::path& image);

// uname -r of a bzImage from its first bytes (kBzImageHeadBytes or the whole file): the string that
// the setup header's kernel_version points to (Documentation/arch/x86/boot.rst), up to its first
// space.
[[nodiscard]] Result<std::string> ParseBzImageRelease(std::string_view head);

// uname -r of a bzImage, or of a vmlinux from its banner (init/version-timestamp.c:linux_banner).
// Fails with one line if the file is neither.
[[nodiscard]] Result<std::string> ReadImageRelease(const std::filesystem::path& image);

}  // namespace kassay
