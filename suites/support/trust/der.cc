#include "suites/support/trust/der.h"

#include <charconv>

namespace kassay::trust::der {
namespace {

std::string Joined(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (const std::string_view part : parts) all += part;
  return all;
}

}  // namespace

std::string Tlv(std::uint8_t tag, std::string_view content) {
  std::string length;
  if (content.size() < 0x80) {
    length = static_cast<char>(content.size());
  } else {
    for (std::size_t rest = content.size(); rest > 0; rest >>= 8)
      length.insert(length.begin(), static_cast<char>(rest & 0xff));
    length.insert(length.begin(), static_cast<char>(0x80 | length.size()));
  }
  return static_cast<char>(tag) + length + std::string(content);
}

std::string Sequence(std::initializer_list<std::string_view> parts) {
  return Tlv(0x30, Joined(parts));
}
std::string Set(std::initializer_list<std::string_view> parts) { return Tlv(0x31, Joined(parts)); }

std::string Integer(std::uint64_t value) {
  std::string bytes;
  for (; value > 0; value >>= 8) bytes.insert(bytes.begin(), static_cast<char>(value & 0xff));
  return Integer(bytes.empty() ? std::string_view("\0", 1) : std::string_view(bytes));
}
std::string Integer(std::string_view big_endian) {
  const bool negative =
      !big_endian.empty() && (static_cast<std::uint8_t>(big_endian.front()) & 0x80) != 0;
  return Tlv(0x02, (negative ? std::string(1, '\0') : std::string()) + std::string(big_endian));
}

std::string Oid(std::string_view dotted) {
  std::string content;
  std::uint64_t first = 0;
  int arc_number = 0;
  while (!dotted.empty()) {
    std::uint64_t arc = 0;
    const auto parsed = std::from_chars(dotted.data(), dotted.data() + dotted.size(), arc);
    dotted.remove_prefix(static_cast<std::size_t>(parsed.ptr - dotted.data()));
    if (!dotted.empty()) dotted.remove_prefix(1);
    if (arc_number++ == 0) {
      first = arc;
      continue;
    }
    if (arc_number == 2) arc += 40 * first;
    std::string base128(1, static_cast<char>(arc & 0x7f));
    for (arc >>= 7; arc > 0; arc >>= 7)
      base128.insert(base128.begin(), static_cast<char>(0x80 | (arc & 0x7f)));
    content += base128;
  }
  return Tlv(0x06, content);
}

std::string OctetString(std::string_view bytes) { return Tlv(0x04, bytes); }
std::string BitString(std::string_view bytes, std::uint8_t unused_bits) {
  return Tlv(0x03, static_cast<char>(unused_bits) + std::string(bytes));
}
std::string Null() { return Tlv(0x05, {}); }
std::string Boolean(bool value) { return Tlv(0x01, value ? "\xff" : std::string(1, '\0')); }
std::string Utf8(std::string_view text) { return Tlv(0x0c, text); }
std::string UtcTime(std::string_view text) { return Tlv(0x17, text); }
std::string GeneralizedTime(std::string_view text) { return Tlv(0x18, text); }
std::string Context(std::uint8_t number, std::string_view content) {
  return Tlv(static_cast<std::uint8_t>(0xa0 | number), content);
}
std::string ContextPrimitive(std::uint8_t number, std::string_view content) {
  return Tlv(static_cast<std::uint8_t>(0x80 | number), content);
}

}  // namespace kassay::trust::der
