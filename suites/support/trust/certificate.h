// X.509 certificates (RFC 5280) that a case builds, with any field as wrong as it wants.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "suites/support/trust/signing_key.h"

namespace kassay::trust {

// What is in the certificate, each part as DER (TBSCertificate's order).
struct CertificateFields {
  std::string serial;           // big-endian bytes
  std::string inner_algorithm;  // the signature's AlgorithmIdentifier within the signed part
  std::string issuer;           // Name
  std::string subject;          // Name
  std::string spki;             // SubjectPublicKeyInfo
  std::string extensions;       // the Extension values one after the other; empty for none
  std::string outer_algorithm;  // the same AlgorithmIdentifier outside of the signed part
  std::string signature;        // the BIT STRING's bytes
  std::uint8_t signature_unused_bits = 0;

  // The part that is signed.
  [[nodiscard]] std::string Tbs() const;
  [[nodiscard]] std::string Der() const;
};

// O=kassay, CN=`common_name`, as DER Name.
[[nodiscard]] std::string Name(std::string_view common_name);

// Key identifiers, basicConstraints (critical) and keyUsage (critical), as Extension values. An
// identifier is the first 20 bytes of the SHA-256 of the public key info, unless the case chooses
// its own.
struct Extensions {
  std::string skid;           // subjectKeyIdentifier, bytes
  std::string akid;           // authorityKeyIdentifier's keyIdentifier, bytes
  std::string akid_issuer;    // its authorityCertIssuer, a Name as DER,
  std::string akid_serial;    // and authorityCertSerialNumber, big-endian bytes; both or none
  std::optional<bool> is_ca;  // basicConstraints
  std::optional<std::uint8_t>
      key_usage;  // first byte of the bits: 0x80 digitalSignature, 0x04 keyCertSign
  [[nodiscard]] std::string Der() const;
};
[[nodiscard]] std::string KeyIdentifier(const SigningKey& key);

// A certificate for `subject_key` with everything right: signed by `issuer_key` with `digest`.
struct Party {
  std::string common_name;
  const SigningKey* key;
};
[[nodiscard]] CertificateFields Certify(const Party& subject, const Party& issuer,
                                        bool subject_is_ca, std::uint64_t serial,
                                        DigestName digest = kSha512);
// Signs the fields anew after a change.
void SignAnew(CertificateFields& fields, const SigningKey& issuer_key, DigestName digest = kSha512);

// A certificate that carries an arbitrary public key to the kernel: the issuer's name is not the
// subject's, so the signature (zeros) is not looked at when it is added
// (x509_public_key.c:x509_check_for_self_signed).
[[nodiscard]] CertificateFields Wrap(MlDsaSet set, std::string_view public_key);

// What a finished certificate says of itself; nullopt if libcrypto cannot read it.
struct CertificateIds {
  std::string issuer;   // Name, DER
  std::string subject;  // Name, DER
  std::string serial;   // big-endian bytes
  std::string skid;     // empty without
};
[[nodiscard]] std::optional<CertificateIds> IdsOf(std::string_view certificate);

}  // namespace kassay::trust
