// How the UEFI specification (2.10) writes numbers, names and GUIDs down. Headers alone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace kassay::efi {

// The number in `bytes` bytes, lowest first.
inline std::string Le(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}
// The number of `bytes` bytes at `at`, which are there.
inline std::uint64_t ReadLe(std::string_view text, std::size_t at, int bytes) {
  std::uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i)
    value = value << 8 | static_cast<unsigned char>(text[at + static_cast<std::size_t>(i)]);
  return value;
}

// CHAR16 text with its terminating NUL, of ASCII.
inline std::string Char16(std::string_view ascii) {
  std::string text;
  for (const char c : ascii) text += Le(static_cast<unsigned char>(c), 2);
  return text + Le(0, 2);
}

// EFI_GUID (appendix A): the first three fields are numbers, the rest are bytes.
struct Guid {
  std::uint32_t first = 0;
  std::uint16_t second = 0;
  std::uint16_t third = 0;
  std::array<std::uint8_t, 8> rest{};

  [[nodiscard]] std::string Bytes() const {
    std::string bytes = Le(first, 4) + Le(second, 2) + Le(third, 2);
    for (const std::uint8_t byte : rest) bytes += static_cast<char>(byte);
    return bytes;
  }
};

// EFI_GLOBAL_VARIABLE: PK, KEK, Boot####, BootOrder (section 3.3).
inline constexpr Guid kGlobalVariable{
    0x8be4df61, 0x93ca, 0x11d2, {0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}};
// EFI_IMAGE_SECURITY_DATABASE_GUID: db, dbx (section 32.4.1).
inline constexpr Guid kImageSecurityDatabase{
    0xd719b2cb, 0x3d3a, 0x4596, {0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f}};
// EFI_CERT_X509_GUID and EFI_CERT_SHA256_GUID (section 32.4.1).
inline constexpr Guid kCertX509{
    0xa5c059a1, 0x94e4, 0x4aa7, {0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72}};
inline constexpr Guid kCertSha256{
    0xc1c41626, 0x504c, 0x4092, {0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28}};
// EDK II's switch beside the keys: SecureBootEnable, one byte (SecurityPkg, AuthVariableLib).
inline constexpr Guid kSecureBootEnableDisable{
    0xf0a30bc7, 0xaf08, 0x4556, {0x99, 0xc4, 0x00, 0x10, 0x09, 0xc9, 0x3a, 0x44}};
// The owner of what kassay enrols; the specification leaves it to whoever enrols.
inline constexpr Guid kOwner{
    0x6b617373, 0x6179, 0x4d0e, {0x8a, 0x5f, 0x1c, 0x6a, 0x9d, 0xe0, 0xf3, 0xc1}};

}  // namespace kassay::efi
