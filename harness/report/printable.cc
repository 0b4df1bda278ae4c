#include "harness/report/printable.h"

#include <cstdint>

namespace kassay {
namespace {

struct Decoded {
  char32_t code;
  size_t bytes;  // 0: not UTF-8
};

// One character at the beginning of `text` (RFC 3629: no overlong forms, no surrogates).
Decoded Decode(std::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0};
  };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return {0, 0};
  char32_t code = first & (0xffU >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {0, 0};
    code = code << 6U | (byte(i) & 0x3fU);
  }
  const bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  if (overlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {0, 0};
  return {code, bytes};
}

// U+2028 and U+2029 among them: they end a line for Python's splitlines(), for one.
bool IsControl(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

}  // namespace

std::string PrintableLine(std::string_view text, std::size_t max_bytes) {
  std::string line;
  while (!text.empty()) {
    const Decoded next = Decode(text);
    const size_t bytes = next.bytes == 0 ? 1 : next.bytes;
    if (line.size() + bytes > max_bytes) return line + "...";
    if (next.code == '\n' || next.code == '\t') {
      line += ' ';
    } else if (next.bytes == 0 || IsControl(next.code)) {
      line += '?';
    } else {
      line += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return line;
}

std::string XmlText(std::string_view text) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  std::string out;
  while (!text.empty()) {
    const Decoded next = Decode(text);
    const size_t bytes = next.bytes == 0 ? 1 : next.bytes;
    const bool allowed = next.bytes > 0 &&
                         (next.code >= 0x20 || next.code == '\n' || next.code == '\t') &&
                         next.code != 0xfffe && next.code != 0xffff;
    if (next.code == '\r' && bytes == 1) {
      // Console lines end with CR LF; XML readers would make two line ends of it.
    } else {
      out += allowed ? text.substr(0, bytes) : kReplacement;
    }
    text.remove_prefix(bytes);
  }
  return out;
}

}  // namespace kassay
