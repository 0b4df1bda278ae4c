// A private key of any algorithm that the kernel can verify, for use within the guest: ML-DSA from
// its seed (mldsa.h), RSA and ECDSA from PEM (libcrypto). One interface, so that a case is written
// once and runs for all.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "suites/support/trust/mldsa.h"

namespace kassay::trust {

// AlgorithmIdentifier with no parameters, and with NULL.
[[nodiscard]] std::string AlgorithmIdentifier(std::string_view oid, bool null_parameters = false);

// A digest as X.509 and CMS name it.
struct DigestName {
  std::string_view name;  // "sha256", as libcrypto takes it
  std::string_view oid;
};
inline constexpr DigestName kSha1{"sha1", "1.3.14.3.2.26"};
inline constexpr DigestName kMd5{"md5", "1.2.840.113549.2.5"};
inline constexpr DigestName kSha256{"sha256", "2.16.840.1.101.3.4.2.1"};
inline constexpr DigestName kSha384{"sha384", "2.16.840.1.101.3.4.2.2"};
inline constexpr DigestName kSha512{"sha512", "2.16.840.1.101.3.4.2.3"};
inline constexpr DigestName kSha3x256{"sha3-256", "2.16.840.1.101.3.4.2.8"};
inline constexpr DigestName kSha3x512{"sha3-512", "2.16.840.1.101.3.4.2.10"};
inline constexpr DigestName kShake256{"shake256",
                                      "2.16.840.1.101.3.4.2.12"};  // an OID the kernel lacks

[[nodiscard]] std::string Digest(DigestName digest, std::string_view bytes);

class SigningKey {
 public:
  [[nodiscard]] static SigningKey MlDsa(MlDsaSet set, std::string_view seed);
  // PKCS#8 PEM; empty if it is not a key.
  [[nodiscard]] static SigningKey Pem(const std::string& pem);

  [[nodiscard]] bool IsValid() const { return static_cast<bool>(sign_); }
  // SubjectPublicKeyInfo, DER.
  [[nodiscard]] const std::string& spki() const { return spki_; }
  // The key's own algorithm in CMS's SignerInfo (RSA: rsaEncryption) and in a certificate's
  // signature.
  [[nodiscard]] std::string CmsAlgorithm(DigestName digest) const;
  [[nodiscard]] std::string CertificateAlgorithm(DigestName digest) const;
  // ML-DSA signs the message itself and ignores `digest`.
  [[nodiscard]] std::string Sign(std::string_view message, DigestName digest) const;

  // As in /proc/keys: "rsa", "ecdsa-nist-p384"'s family, "mldsa65".
  [[nodiscard]] bool IsMlDsa() const { return kind_ == Kind::kMlDsa; }

 private:
  enum class Kind { kNone, kRsa, kEcdsa, kMlDsa };
  Kind kind_ = Kind::kNone;
  std::string spki_;
  std::string algorithm_;  // ML-DSA only
  std::function<std::string(std::string_view, DigestName)> sign_;
};

}  // namespace kassay::trust
