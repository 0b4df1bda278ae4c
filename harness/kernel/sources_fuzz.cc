// apt's configuration and the pins: read from files that others write.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "harness/kernel/apt_sources.h"
#include "harness/kernel/store.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)kassay::ParseOneLineSources(text);
  (void)kassay::ParseDeb822Sources(text);
  const auto pins = kassay::ParsePins(text, "fuzz");
  if (pins) {
    for (const auto& pin : *pins) {
      for (const auto& file : pin.files) {
        if (file.Name().empty() || file.Name().find('/') != std::string::npos) __builtin_trap();
      }
    }
  }
  return 0;
}
