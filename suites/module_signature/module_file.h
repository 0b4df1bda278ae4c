// A module file and its appended signature:
//   body | PKCS#7 message | 12 bytes that describe it | marker (include/linux/module_signature.h)
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kassay::modules {

inline constexpr std::string_view kMarker = "~Module signature appended~\n";

// struct module_signature, before the marker.
struct SignatureInfo {
  std::uint8_t algo = 0;
  std::uint8_t hash = 0;
  std::uint8_t id_type = 2;  // PKEY_ID_PKCS7
  std::uint8_t signer_len = 0;
  std::uint8_t key_id_len = 0;
  std::array<std::uint8_t, 3> pad{};
  std::uint32_t sig_len = 0;  // big-endian in the file

  [[nodiscard]] std::string Bytes() const;
};

struct SignedModule {
  std::string body;
  std::string pkcs7;
  SignatureInfo info;
  std::string marker{kMarker};

  // With info.sig_len as it is.
  [[nodiscard]] std::string Bytes() const { return body + pkcs7 + info.Bytes() + marker; }
};

// `body` with a signature whose length is filled in.
[[nodiscard]] SignedModule WithSignature(std::string_view body, std::string_view pkcs7);
// nullopt if there is no signature, or not a well-formed one.
[[nodiscard]] std::optional<SignedModule> Split(std::string_view file);

// The small module that the profile brings: no dependencies, nothing uses it.
inline constexpr const char* kModuleName = "xcbc";
// Its file as the vendor ships it (decompressed); empty if it is not in the image.
[[nodiscard]] std::string VendorsModule();

}  // namespace kassay::modules
