// Levels and waivers come from outside: whatever the bytes are, no crash.
#include <cstdint>

#include "harness/certify/level.h"
#include "harness/certify/waiver.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT
  (void)kassay::ParseLevel(text, "level");
  if (const auto waivers = kassay::ParseWaivers(text, "waivers")) {
    kassay::RunResult run;
    run.kernel.version = "7.0.13";
    (void)kassay::ApplyWaivers(run, *waivers, "2026-11-24");
  }
  return 0;
}
