// A kernel image as firmware sees it, its signatures among them.
#include <cstddef>
#include <cstdint>

#include "harness/kernel/pe_image.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view image(reinterpret_cast<const char*>(data), size);
  const auto digest = kassay::AuthenticodeSha256(image);
  const auto signers = kassay::SignersOf(image);
  if ((digest && digest->size() != 32) || ((digest || signers) && !kassay::HasEfiStub(image)))
    __builtin_trap();
  return 0;
}
