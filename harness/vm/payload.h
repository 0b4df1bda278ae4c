// The compressed kernel inside a bzImage.
#pragma once

#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace kassay {

// The uncompressed kernel of a bzImage (Documentation/arch/x86/boot.rst: payload_offset,
// payload_length). The error is said of the image ("its payload is damaged"); where another way to
// boot or a package helps, it says so.
[[nodiscard]] Result<std::string> UnpackPayload(std::string_view image);

}  // namespace kassay
