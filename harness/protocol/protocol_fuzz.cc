// The stream from a guest, whatever it sends. What decodes must encode to the same bytes again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "harness/protocol/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kassay::protocol;  // NOLINT(google-build-using-namespace)
  FrameReader reader;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t half = size / 2;
  for (const std::string_view part : {bytes.substr(0, half), bytes.substr(half)}) {
    reader.Append(part);
    while (true) {
      const auto frame = reader.Next();
      if (!frame) return 0;
      if (!frame->has_value()) break;
      const auto message = Decode(**frame);
      if (message && Encode(*message) != EncodeFrame((*frame)->type, (*frame)->payload))
        std::abort();
    }
  }
  return 0;
}
