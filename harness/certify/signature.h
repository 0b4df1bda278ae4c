// Signing and checking with OpenSSL: Ed25519 (RFC 8032) or, where libcrypto has it, ML-DSA (FIPS
// 204). No other kind of key is taken.
#pragma once

#include <openssl/evp.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace kassay {

class Key {
 public:
  // PEM, PKCS #8 without a passphrase or SubjectPublicKeyInfo. `private_key` tells which.
  [[nodiscard]] static Result<Key> FromPem(std::string_view pem, bool private_key);
  [[nodiscard]] static Result<Key> Load(const std::filesystem::path& file, bool private_key);

  [[nodiscard]] std::string Algorithm() const;  // "ED25519", "ML-DSA-65"
  [[nodiscard]] Result<std::string> PublicPem() const;
  // SHA-256 of the DER form of the SubjectPublicKeyInfo, hexadecimal.
  [[nodiscard]] Result<std::string> Id() const;

  [[nodiscard]] Result<std::string> Sign(std::string_view message) const;
  [[nodiscard]] bool Verifies(std::string_view message, std::string_view signature) const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  explicit Key(EVP_PKEY* key) : key_(key) {}
  std::unique_ptr<EVP_PKEY, Free> key_;
};

[[nodiscard]] std::string ToBase64(std::string_view bytes);
// Only the one canonical encoding (RFC 4648, padded, no white space) is taken.
[[nodiscard]] Result<std::string> FromBase64(std::string_view text);

}  // namespace kassay
