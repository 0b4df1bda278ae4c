// A party of fixtures/ that signs: a key with its certificate.
#pragma once

#include <string>
#include <string_view>

#include "suites/support/trust/cms.h"
#include "suites/support/trust/fixture.h"

namespace kassay::trust {

struct Signer {
  // `usual`: the digest of messages for which none is named.
  explicit Signer(const std::string& fixture, DigestName usual = kSha512)
      : Signer(fixture, FixtureCertificate(fixture), usual) {}
  // The fixture's key with a certificate of the caller's.
  Signer(const std::string& fixture, std::string der, DigestName usual = kSha512)
      : name(fixture),
        key(FixtureKey(fixture)),
        ids(*IdsOf(der)),
        certificate(std::move(der)),
        usual_digest(usual) {}

  // A detached message without attributes.
  [[nodiscard]] CmsMessage Over(std::string_view content) const {
    return Over(content, usual_digest);
  }
  [[nodiscard]] CmsMessage Over(std::string_view content, DigestName digest) const {
    return Detached(content, key, ids, digest);
  }
  // The same with the certificate inside.
  [[nodiscard]] CmsMessage WithCertificate(std::string_view content, DigestName digest) const {
    CmsMessage message = Over(content, digest);
    message.certificates.push_back(certificate);
    return message;
  }

  std::string name;
  SigningKey key;
  CertificateIds ids;
  std::string certificate;
  DigestName usual_digest;
};

}  // namespace kassay::trust
