// A file of /proc, /sys or the image as text.
#pragma once

#include <fstream>
#include <string>

namespace kassay::guest {

// At most `most` bytes of it; empty if it cannot be read.
[[nodiscard]] inline std::string ReadSmallFile(const std::string& path,
                                               std::size_t most = 1 << 20) {
  std::ifstream file(path, std::ios::binary);
  std::string text(most, '\0');
  file.read(text.data(), static_cast<std::streamsize>(most));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace kassay::guest
