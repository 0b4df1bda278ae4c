#include <cstddef>
#include <cstdint>
#include <string_view>

#include "harness/profile/profile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)kassay::ParseProfile({reinterpret_cast<const char*>(data), size}, "fuzz", "fuzz.toml");
  return 0;
}
