// A kernel image from anywhere.
#include <cstddef>
#include <cstdint>

#include "harness/vm/direct_image.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(
      kassay::ExtractDirectImage({reinterpret_cast<const char*>(data), size}).has_value());
  return 0;
}
