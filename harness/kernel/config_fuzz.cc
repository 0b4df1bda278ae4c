// The kernel configuration of a package under test.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "harness/kernel/kernel.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = kassay::KernelConfig::Parse(text);
  if (config) {
    for (const auto& [symbol, value] : config->values()) {
      if (config->Value(symbol) != value || !config->Mentions(symbol)) __builtin_trap();
    }
  }
  (void)kassay::ParseKernelVersion(text);
  return 0;
}
