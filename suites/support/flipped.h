// Bytes with one of them damaged.
#pragma once

#include <string>

namespace kassay {

// The bits of `mask` are inverted in the byte at `at`.
[[nodiscard]] inline std::string Flipped(std::string bytes, std::size_t at, int mask = 1) {
  bytes.at(at) = static_cast<char>(bytes.at(at) ^ mask);
  return bytes;
}

}  // namespace kassay
