// Whatever the bytes are: no crash, and what is accepted comes back from its own file unchanged.
#include <cstdint>
#include <cstdlib>

#include "harness/compare/compare_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto baseline =
      kassay::BaselineFromJson({reinterpret_cast<const char*>(data), size});  // NOLINT
  if (!baseline) return 0;
  const std::string text = kassay::ToJson(*baseline);
  const auto back = kassay::BaselineFromJson(text);
  if (!back || kassay::ToJson(*back) != text) std::abort();
  if (kassay::Compare(*baseline, *back).Worse()) std::abort();
  (void)kassay::ToMarkdown(kassay::Compare(*baseline, {}));
  return 0;
}
