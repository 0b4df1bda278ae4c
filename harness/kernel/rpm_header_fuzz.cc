#include <cstddef>
#include <cstdint>
#include <string_view>

#include "harness/kernel/rpm_header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)kassay::ParseRpmHeader({reinterpret_cast<const char*>(data), size});
  return 0;
}
