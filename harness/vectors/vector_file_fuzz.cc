// Vector files come from outside.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "harness/vectors/vector_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto file = kassay::ParseVectorFile(std::string_view(reinterpret_cast<const char*>(data), size));
  if (file) static_cast<void>(kassay::ApplyResults(file->vectors, file->results));
  return 0;
}
