// Signed attributes and chains within a message: what a verifier that looks at the signature alone
// would let pass.
#include "suites/mldsa/pkcs7_set.h"
#include "suites/support/trust/der.h"

namespace kassay::mldsa {
namespace {

class Pkcs7Attributes : public Pkcs7PerSet {
 protected:
  void SetUp() override {
    Pkcs7PerSet::SetUp();
    if (!testing::Test::HasFatalFailure()) SetUsage(kUnspecified);
  }
  [[nodiscard]] CmsMessage WithAttributes(SignedAttributes attributes) const {
    CmsMessage message = Message();
    message.signers[0].attributes = std::move(attributes);
    return message;
  }
};
FOR_EVERY_SET(Pkcs7Attributes);

KASSAY_CASE_P(Pkcs7Attributes, EveryByteOfTheDigestCounts, Cites("PQC-062")) {
  const std::string digest = Digest(kSha512, content_);
  for (const std::size_t at : {std::size_t{0}, digest.size() / 2, digest.size() - 1})
    ExpectRefused(WithAttributes({.message_digest = Flipped(digest, at)}), EKEYREJECTED,
                  "byte " + std::to_string(at));
  ExpectRefused(WithAttributes({.message_digest = digest + '\0'}), EBADMSG, "one byte long");
  ExpectContent(WithAttributes({.message_digest = digest}), "as it should be");
}

// Of two digests a verifier could compare one and the author of the message mean the other.
KASSAY_CASE_P(Pkcs7Attributes, NoneMayBeRepeated, Cites("PQC-066")) {
  const std::string right = Digest(kSha512, content_);
  ExpectRefused(WithAttributes({.digests_before = {Digest(kSha512, "other")}}), EKEYREJECTED,
                "another digest before the right one");
  ExpectRefused(WithAttributes({.digests_before = {right}}), EKEYREJECTED, "the digest twice");
  ExpectRefused(
      WithAttributes({.message_digest = Digest(kSha512, "other"), .digests_before = {right}}),
      EKEYREJECTED, "another digest after the right one");
}

// Certify() makes certificates that are valid from 2025 to the end of 2099.
KASSAY_CASE_P(Pkcs7Attributes, SigningTimeMustLieWithinTheSignersValidity,
              Cites("PQC-065").Timeout(60)) {
  const SigningKey leaf = Signing('l');
  const std::string certificate =
      Certify({"leaf", &leaf}, {Named("trusted"), &key_}, false, 0x6500).Der();
  const auto signed_at = [&](const std::string& time) {
    CmsMessage message = Detached(content_, leaf, *IdsOf(certificate));
    message.attached = true;
    message.certificates.push_back(certificate);
    message.signers[0].attributes = SignedAttributes{.signing_time = time};
    return message;
  };
  ExpectRefused(signed_at(der::UtcTime("241231235959Z")), EKEYREJECTED, "a second too early");
  ExpectContent(signed_at(der::UtcTime("250101000000Z")), "at the first second");
  ExpectContent(signed_at(der::GeneralizedTime("20991231235959Z")), "at the last second");
  ExpectRefused(signed_at(der::GeneralizedTime("21000101000000Z")), EKEYREJECTED,
                "a second too late");
}

// The trusted key vouches for the intermediate only; whether that signed the leaf is to be seen
// within the message.
KASSAY_CASE_P(Pkcs7Attributes, EveryLinkOfAChainIsVerified, Cites("PQC-067").Timeout(60)) {
  const SigningKey middle = Signing('m');
  const SigningKey leaf = Signing('l');
  const SigningKey other = Signing('o');
  const CertificateFields above =
      Certify({"middle", &middle}, {Named("trusted"), &key_}, true, 0x6701);
  const CertificateFields below = Certify({"leaf", &leaf}, {"middle", &middle}, false, 0x6702);
  CmsMessage message = Detached(content_, leaf, *IdsOf(below.Der()));
  message.attached = true;
  message.certificates = {below.Der(), above.Der()};
  ExpectContent(message, "a leaf, its issuer, and the trusted one above");
  message.certificates = {below.Der()};
  ExpectRefused(message, ENOKEY, "without the issuer");
  CertificateFields forged = below;
  SignAnew(forged, other);
  message.certificates = {forged.Der(), above.Der()};
  ExpectRefused(message, EKEYREJECTED, "a leaf that only names its issuer");
  forged = above;
  SignAnew(forged, other);
  message.certificates = {below.Der(), forged.Der()};
  ExpectRefused(message, EKEYREJECTED, "an issuer that only names the trusted one");
}

// Without certificates inside, each signature meets its trusted key at the end: one that is right
// does not make up for one that is wrong.
KASSAY_CASE_P(Pkcs7Attributes, OneRightSignatureDoesNotCoverAWrongOne, Cites("PQC-053")) {
  const SigningKey rsa = FixtureKey("trusted-rsa");
  const std::string wrong = key_.Sign("other", kSha512);
  for (const bool wrong_first : {true, false}) {
    CmsMessage message = Message();
    message.signers[0].signature = wrong;
    message.signers.push_back({.key = &rsa, .ids = FixtureIds("trusted-rsa"), .digest = kSha512});
    if (!wrong_first) std::swap(message.signers[0], message.signers[1]);
    ExpectRefused(message, EKEYREJECTED, wrong_first ? "the first is wrong" : "the last is wrong");
  }
}

}  // namespace
}  // namespace kassay::mldsa
