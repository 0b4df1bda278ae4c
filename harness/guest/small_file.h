// A file of /proc, /sys or the image as text.
#pragma once

#include <string>

namespace kassay::guest {

// At most `most` bytes of it; empty if it cannot be read.
[[nodiscard]] std::string ReadSmallFile(const std::string& path, std::size_t most = 1 << 20);

}  // namespace kassay::guest
