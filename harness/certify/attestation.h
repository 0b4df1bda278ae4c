// The signed statement of a certificate: an in-toto Statement v1 with a test-result predicate
// (https://in-toto.io/attestation/test-result/v0.1) in a DSSE v1 envelope.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/certify/signature.h"

namespace kassay {

inline constexpr const char* kPayloadType = "application/vnd.in-toto+json";

struct DigestOf {
  std::string name;
  std::string sha256;
  friend bool operator==(const DigestOf&, const DigestOf&) = default;
};

struct Statement {
  std::vector<DigestOf> subjects;       // what was tested: the kernel's image, its modules
  std::string result;                   // "PASSED"; "WARNED" if a requirement is waived
  std::vector<DigestOf> configuration;  // with what: the bundle's manifest, level, catalogues, ...
  std::vector<std::string> passed;      // requirement ids
  std::vector<std::string> warned;      // those that are waived
  friend bool operator==(const Statement&, const Statement&) = default;
};

[[nodiscard]] std::string ToJson(const Statement& statement);
[[nodiscard]] Result<Statement> StatementFromJson(std::string_view json);

// The bytes that are signed: "DSSEv1 LEN(type) type LEN(payload) payload" (DSSE v1, PAE).
[[nodiscard]] std::string PreAuthenticationEncoding(std::string_view type,
                                                    std::string_view payload);

struct Envelope {
  std::string payload_type;
  std::string payload;  // decoded
  std::string key_id;
  std::string signature;  // decoded
};

[[nodiscard]] Result<Envelope> Seal(const std::string& payload, const Key& key);
[[nodiscard]] std::string ToJson(const Envelope& envelope);
// Takes only the bytes that ToJson writes: a certificate has one form, so that no byte of it can
// change unnoticed.
[[nodiscard]] Result<Envelope> EnvelopeFromJson(std::string_view json);
// The signature is `key`'s, over this payload, of the in-toto type.
[[nodiscard]] Status CheckSignature(const Envelope& envelope, const Key& key);

}  // namespace kassay
