// A journal may come from a bundle that somebody else made.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "harness/verdict/journal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(
      kassay::ParseJournal(std::string_view(reinterpret_cast<const char*>(data), size)));
  return 0;
}
