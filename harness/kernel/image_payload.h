// The kernel that a bzImage holds compressed.
#pragma once

#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace kassay {

// The ELF in `image`, a bzImage, at most 512 MiB (Documentation/arch/x86/boot.rst: payload_offset,
// payload_length). Fails on a truncated or damaged payload and on a compression that nothing here
// knows; where the image boots all the same, the error names --boot bzimage.
[[nodiscard]] Result<std::string> UncompressedKernel(std::string_view image);

}  // namespace kassay
