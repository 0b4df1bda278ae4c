#include "harness/protocol/frame.h"

namespace kassay::protocol {

std::string EncodeFrame(std::uint8_t type, std::string_view payload) {
  const auto size = static_cast<std::uint32_t>(payload.size());
  std::string bytes;
  bytes.reserve(kFrameHeaderBytes + payload.size());
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((size >> shift) & 0xff);
  bytes += static_cast<char>(type);
  bytes += payload;
  return bytes;
}

void FrameReader::Append(std::string_view bytes) {
  // Consumed bytes are dropped here and not in Next(), so that a burst of small frames is not moved
  // once for each of them.
  buffer_.erase(0, start_);
  start_ = 0;
  buffer_ += bytes;
}

Result<std::optional<Frame>> FrameReader::Next() {
  const std::string_view rest = std::string_view(buffer_).substr(start_);
  if (rest.size() < kFrameHeaderBytes) return std::optional<Frame>();
  std::uint32_t size = 0;
  for (int i = 3; i >= 0; --i) size = (size << 8) | static_cast<unsigned char>(rest[i]);
  if (size > kMaxPayloadBytes) {
    return Fail("a frame announces " + std::to_string(size) + " bytes, more than the " +
                std::to_string(kMaxPayloadBytes) + " allowed");
  }
  if (rest.size() < kFrameHeaderBytes + size) return std::optional<Frame>();
  Frame frame{static_cast<std::uint8_t>(rest[4]),
              std::string(rest.substr(kFrameHeaderBytes, size))};
  start_ += kFrameHeaderBytes + size;
  return std::optional<Frame>(std::move(frame));
}

}  // namespace kassay::protocol
