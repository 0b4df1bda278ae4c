// Everything that a guest may send during a run.
#include <cstddef>
#include <cstdint>

#include "harness/vm/transcript.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kassay::Transcript transcript([](const std::string&) {});
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const std::size_t step = std::min<std::size_t>(rest.size(), 97);
    if (!transcript.Append(rest.substr(0, step))) break;
    rest.remove_prefix(step);
  }
  static_cast<void>(transcript.Take());
  return 0;
}
