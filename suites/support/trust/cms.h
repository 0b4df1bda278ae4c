// Signed messages (CMS, RFC 5652; "PKCS#7" in the kernel's words) that a case builds, with any
// field as wrong as it wants.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "suites/support/trust/certificate.h"
#include "suites/support/trust/signing_key.h"

namespace kassay::trust {

inline constexpr std::string_view kIdData = "1.2.840.113549.1.7.1";
inline constexpr std::string_view kIdSignedData = "1.2.840.113549.1.7.2";
inline constexpr std::string_view kMsIndirectData = "1.3.6.1.4.1.311.2.1.4";  // Authenticode

struct SignedAttributes {
  std::string content_type = std::string(kIdData);  // OID; empty leaves the attribute out
  std::optional<std::string> message_digest;        // nullopt: the right one; "" leaves it out
  std::string signing_time;                         // Time, DER; empty leaves the attribute out
  std::vector<std::string> digests_before = {};     // message digests put before the right one
};

// One SignerInfo. The signature is made by `key` when the message is built, unless the case brings
// its own.
struct CmsSigner {
  const SigningKey* key = nullptr;  // must outlive the message
  CertificateIds ids;               // whom it names
  bool by_skid = false;             // subjectKeyIdentifier instead of issuer and serial number
  DigestName digest = kSha512;
  std::optional<SignedAttributes> attributes;
  std::optional<std::string> algorithm;  // AlgorithmIdentifier instead of the key's own
  std::optional<std::string> signature;  // bytes instead of the key's own
  std::optional<int> version;            // instead of 1, or 3 with by_skid
};

struct CmsMessage {
  std::string content;    // what is signed
  bool attached = false;  // and whether it is in the message
  std::string content_type = std::string(kIdData);
  std::vector<std::string> certificates;  // DER
  std::vector<CmsSigner> signers;
  std::optional<int> version;  // of SignedData, instead of 1 or 3

  [[nodiscard]] std::string Der() const;
};

// The usual message: one signer, no attributes, nothing embedded.
[[nodiscard]] CmsMessage Detached(std::string_view content, const SigningKey& key,
                                  const CertificateIds& ids, DigestName digest = kSha512);

}  // namespace kassay::trust
