// Distinguished Encoding Rules (X.690) as far as keys, certificates and signed messages need them,
// written so that a case can also put down what an encoder would refuse to: nothing here checks
// what it is given.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace kassay::trust::der {

[[nodiscard]] std::string Tlv(std::uint8_t tag, std::string_view content);
[[nodiscard]] std::string Sequence(std::initializer_list<std::string_view> parts);
[[nodiscard]] std::string Set(std::initializer_list<std::string_view> parts);
// A small non-negative number; and one from its big-endian bytes (a leading zero is put where the
// first bit would make it negative).
[[nodiscard]] std::string Integer(std::uint64_t value);
[[nodiscard]] std::string Integer(std::string_view big_endian);
// From "1.2.840.113549.1.7.2".
[[nodiscard]] std::string Oid(std::string_view dotted);
[[nodiscard]] std::string OctetString(std::string_view bytes);
[[nodiscard]] std::string BitString(std::string_view bytes, std::uint8_t unused_bits = 0);
[[nodiscard]] std::string Null();
[[nodiscard]] std::string Boolean(bool value);
[[nodiscard]] std::string Utf8(std::string_view text);
// "YYMMDDHHMMSSZ" and "YYYYMMDDHHMMSSZ".
[[nodiscard]] std::string UtcTime(std::string_view text);
[[nodiscard]] std::string GeneralizedTime(std::string_view text);
// [number], constructed; and the same tag on a primitive value.
[[nodiscard]] std::string Context(std::uint8_t number, std::string_view content);
[[nodiscard]] std::string ContextPrimitive(std::uint8_t number, std::string_view content);

}  // namespace kassay::trust::der
