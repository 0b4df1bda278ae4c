// The setup header of a kernel image under test. What comes out becomes part of paths.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "harness/kernel/image_header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto release = kassay::ParseBzImageRelease({reinterpret_cast<const char*>(data), size});
  if (release && (release->empty() || release->size() > 64 ||
                  release->find('/') != std::string::npos || release->front() == '.')) {
    __builtin_trap();
  }
  return 0;
}
