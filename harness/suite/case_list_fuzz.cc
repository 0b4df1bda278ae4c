#include <cstddef>
#include <cstdint>
#include <string_view>

#include "harness/suite/case_list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(
      kassay::ParseCaseList(std::string_view(reinterpret_cast<const char*>(data), size)));
  return 0;
}
