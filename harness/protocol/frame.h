// How messages travel over the virtio-serial port: a 4-byte little-endian payload length, one byte
// of type, the payload. Both sides use this code; on the host its input is untrusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace kassay::protocol {

inline constexpr const char* kPortName = "kassay.agent";

// Bound on a frame's payload in bytes; a record (kMaxRecordBytes) fits.
inline constexpr std::size_t kMaxPayloadBytes = std::size_t{128} << 10;
inline constexpr std::size_t kFrameHeaderBytes = 5;

struct Frame {
  std::uint8_t type = 0;
  std::string payload;
};

// `payload` must not exceed kMaxPayloadBytes.
[[nodiscard]] std::string EncodeFrame(std::uint8_t type, std::string_view payload);

// Cuts a stream of bytes, however it is split, into frames.
class FrameReader {
 public:
  void Append(std::string_view bytes);
  // The next whole frame, nothing if more bytes are needed, an Error once a header announces more
  // than the bound; after an Error the stream is lost.
  [[nodiscard]] Result<std::optional<Frame>> Next();

 private:
  std::string buffer_;
  std::size_t start_ = 0;  // bytes before it are consumed
};

}  // namespace kassay::protocol
