// The ELF inside a bzImage, which QEMU enters directly through PVH.
#pragma once

#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace kassay {

// The uncompressed kernel of `image` (Documentation/arch/x86/boot.rst: payload_offset,
// payload_length), or `image` itself if it is an ELF already. Fails if it is neither, if it cannot
// be unpacked, or if the kernel has no PVH entry (CONFIG_PVH). The error names --boot bzimage where
// that image boots with it, and nowhere else.
[[nodiscard]] Result<std::string> ExtractDirectImage(std::string_view image);

}  // namespace kassay
