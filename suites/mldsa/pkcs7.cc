// Signed messages through the key type pkcs7_test: verify_pkcs7_signature() with the built-in and
// secondary keyrings, as modules, firmware and the rest use it. The reference kernel trusts the
// fixtures' "trusted-*".
#include "harness/base/text/hex.h"
#include "suites/mldsa/pkcs7_set.h"

namespace kassay::mldsa {
namespace {

class Pkcs7 : public Pkcs7PerSet {};
FOR_EVERY_SET(Pkcs7);

KASSAY_CASE_P(Pkcs7, AMessageByATrustedKeyGivesItsContent, Cites("PQC-051")) {
  for (const DigestName digest : {kSha512, kSha256, kSha1, kSha3x512})
    ExpectContent(Message(digest), std::string(digest.name));
  CmsMessage large = Message();
  large.content = std::string(20000, 'c');
  ExpectContent(large, "20000 bytes");
}

KASSAY_CASE_P(Pkcs7, AnUnknownDigestIsNotSupported, Cites("PQC-052")) {
  ExpectRefused(Message(kShake256), ENOPKG, "shake256");
  ExpectRefused(Message(kMd5), ENOPKG, "md5");
}

// Every fault, with the trusted key outside of the message and with its certificate inside.
KASSAY_CASE_P(Pkcs7, EveryFaultOfTheSignatureIsFound, Cites("PQC-053", "PQC-054").Timeout(60)) {
  const MlDsaKey key(set(),
                     FromHex(Fixture("keys/" + Named("trusted") + ".seed").substr(0, 64)).value());
  const std::string good = key.Sign(content_);
  const auto crafted = key.SignEncoded(
      EncodeMessage(content_), [&](const MlDsaAttempt& attempt) { return !key.IsValid(attempt); });
  ASSERT_TRUE(crafted);
  struct Fault {
    std::string what;
    std::string signature;
    int inside;
  };
  const Fault faults[] = {
      {"commitment hash flipped", Flipped(good, 0), EKEYREJECTED},
      {"response flipped", Flipped(good, static_cast<std::size_t>(p().z_at())), EKEYREJECTED},
      {"hint count beyond omega", Flipped(good, good.size() - 1, 0x80), EBADMSG},
      {"response beyond its bound", *crafted, EBADMSG},
      {"one byte short", good.substr(1), EBADMSG},
      {"one byte long", good + '\0', EBADMSG},
      {"empty", "", EBADMSG},
      {"of other content", key.Sign("signed contend"), EKEYREJECTED},
      {"of the content's digest", key.Sign(Digest(kSha512, content_)), EKEYREJECTED},
      {"with a context", key.Sign(content_, "abc"), EKEYREJECTED},
      {"by another key", Key().Sign(content_), EKEYREJECTED},
  };
  for (const Fault& fault : faults) {
    CmsMessage message = Message();
    message.signers[0].signature = fault.signature;
    ExpectRefused(message, EKEYREJECTED, fault.what);
    message.certificates.push_back(FixtureCertificate(Named("trusted")));
    ExpectRefused(message, fault.inside, fault.what + ", certificate inside");
  }
  for (const MlDsaSet other : kAllMlDsaSets) {
    if (other == set()) continue;
    CmsMessage message = Message();
    message.signers[0].algorithm = AlgorithmIdentifier(ParametersOf(other).oid);
    ExpectRefused(message, EKEYREJECTED, "algorithm of another set");
    message.certificates.push_back(FixtureCertificate(Named("trusted")));
    ExpectRefused(message, EKEYREJECTED, "algorithm of another set, certificate inside");
  }
  CmsMessage rsa = Message();
  rsa.signers[0].algorithm = AlgorithmIdentifier("1.2.840.113549.1.1.1", true);
  ExpectRefused(rsa, EKEYREJECTED, "algorithm of RSA");
  ExpectContent(Message(), "the message as it should be");
}

KASSAY_CASE_P(Pkcs7, WithAttributesOnlySha512IsTaken, Cites("PQC-055").Timeout(60)) {
  SetUsage(kUnspecified);
  CmsMessage message = Message();
  message.signers[0].attributes = SignedAttributes{};
  ExpectContent(message, "sha512");
  for (const DigestName digest : {kSha256, kSha384, kSha3x256, kSha3x512, kSha1}) {
    CmsMessage other = Message(digest);
    other.signers[0].attributes = SignedAttributes{};
    ExpectRefused(other, EKEYREJECTED, std::string(digest.name));
    other.certificates.push_back(FixtureCertificate(Named("trusted")));
    ExpectRefused(other, EINVAL, std::string(digest.name) + ", certificate inside");
  }
}

// Whoever checks only the signature over the attributes would take any content.
KASSAY_CASE_P(Pkcs7, TheAttributesBindTheContent, Cites("PQC-062").Timeout(60)) {
  SetUsage(kUnspecified);
  CmsMessage message = Message();
  message.signers[0].attributes = SignedAttributes{.message_digest = Digest(kSha512, "other")};
  ExpectRefused(message, EKEYREJECTED, "digest of other content");
  message.signers[0].attributes = SignedAttributes{.message_digest = Digest(kSha256, content_)};
  ExpectRefused(message, EBADMSG, "digest of another length");
  message.signers[0].attributes =
      SignedAttributes{.message_digest = Digest(kSha512, content_).substr(0, 63)};
  ExpectRefused(message, EBADMSG, "digest one byte short");
  // Signed without attributes, then attributes are put in; and the content signed beside the
  // attributes.
  message = Message();
  const std::string plain = key_.Sign(content_, kSha512);
  message.signers[0].attributes = SignedAttributes{};
  message.signers[0].signature = plain;
  ExpectRefused(message, EKEYREJECTED, "signature over the content beside attributes");
  // The attributes signed as they are sent, with the tag [0], instead of as a SET.
  CmsMessage good = Message();
  good.signers[0].attributes = SignedAttributes{};
  const std::string der = good.Der();
  const std::size_t at = der.find("\xa0", der.find(AlgorithmIdentifier(kSha512.oid), 60));
  ASSERT_NE(at, std::string::npos);
  const std::size_t size = 2U + static_cast<std::uint8_t>(der[at + 1]);
  message.signers[0].signature = key_.Sign(der.substr(at, size), kSha512);
  ExpectRefused(message, EKEYREJECTED, "attributes signed with their tag");
  ExpectContent(good, "the message as it should be");
}

KASSAY_CASE_P(Pkcs7, ContentTypeAndDigestMustBeAmongTheAttributes, Cites("PQC-063")) {
  SetUsage(kUnspecified);
  CmsMessage message = Message();
  message.signers[0].attributes = SignedAttributes{.content_type = ""};
  ExpectRefused(message, EBADMSG, "no content type");
  message.signers[0].attributes = SignedAttributes{.content_type = std::string(kIdSignedData)};
  ExpectRefused(message, EBADMSG, "content type of something else");
  message.signers[0].attributes = SignedAttributes{.message_digest = ""};
  ExpectRefused(message, EBADMSG, "no digest");
}

KASSAY_CASE_P(Pkcs7, EachUsageHasItsRule, Cites("PQC-056").Timeout(60)) {
  const CmsMessage plain = Message();
  CmsMessage attributes = Message();
  attributes.signers[0].attributes = SignedAttributes{};
  ExpectContent(plain, "module without attributes");
  ExpectRefused(attributes, EKEYREJECTED, "module with attributes");
  SetUsage(kFirmware);
  ExpectRefused(plain, EKEYREJECTED, "firmware without attributes");
  ExpectContent(attributes, "firmware with attributes");
  SetUsage(kKexecPe);
  ExpectRefused(plain, EKEYREJECTED, "PE without attributes");
  ExpectRefused(attributes, EKEYREJECTED, "PE with attributes");
  for (const int usage : {int{kKey}, int{kKeySelf}, 7, 100}) {
    SetUsage(usage);
    ExpectRefused(plain, EINVAL, "usage " + std::to_string(usage));
    ExpectRefused(attributes, EINVAL, "usage " + std::to_string(usage) + " with attributes");
  }
  for (const int usage : {kUnspecified, kBpf}) {
    SetUsage(usage);
    ExpectContent(plain, "usage " + std::to_string(usage));
    ExpectContent(attributes, "usage " + std::to_string(usage) + " with attributes");
  }
}

KASSAY_CASE_P(Pkcs7, ASignerMayBeNamedByItsKeyIdentifier, Cites("PQC-058")) {
  CmsMessage message = Message();
  message.signers[0].by_skid = true;
  // The kernel looks a key identifier up only among the message's certificates and the keys that it
  // trusts.
  message.certificates.push_back(FixtureCertificate(Named("trusted")));
  ExpectContent(message, "by key identifier");
  message.version = 1;
  ExpectRefused(message, EBADMSG, "versions 1 and 3");
  CmsMessage by_serial = Message();
  by_serial.version = 3;
  ExpectRefused(by_serial, EBADMSG, "versions 3 and 1");
}

KASSAY_CASE_P(Pkcs7, ALeafIsTrustedThroughItsCa, Cites("PQC-060")) {
  const SigningKey leaf = FixtureKey(Named("leaf"));
  CmsMessage message = Detached(content_, leaf, FixtureIds(Named("leaf")));
  message.attached = true;
  ExpectRefused(message, ENOKEY, "without the leaf's certificate");
  message.certificates.push_back(FixtureCertificate(Named("leaf")));
  ExpectContent(message, "with the leaf's certificate");
  // A leaf that only names the CA.
  const SigningKey impostor = Signing('i');
  CertificateFields forged = Certify({"leaf", &impostor}, {Named("trusted"), &key_}, false, 0x7777);
  SignAnew(forged, Signing('x'));
  CmsMessage by_impostor = Detached(content_, impostor, *IdsOf(forged.Der()));
  by_impostor.attached = true;
  by_impostor.certificates.push_back(forged.Der());
  ExpectRefused(by_impostor, EKEYREJECTED, "a leaf that only names the CA");
}

KASSAY_CASE_P(Pkcs7, AnUnknownKeyIsNotTrusted, Cites("PQC-064")) {
  const SigningKey stranger = Signing('s');
  const CertificateFields certificate =
      Certify({"stranger", &stranger}, {"stranger", &stranger}, true, 0x5555);
  CmsMessage message = Detached(content_, stranger, *IdsOf(certificate.Der()));
  message.attached = true;
  ExpectRefused(message, ENOKEY, "certificate outside");
  message.certificates.push_back(certificate.Der());
  ExpectRefused(message, ENOKEY, "certificate inside");
  // A self-signed certificate with a trusted CA's name and serial number; and with its key
  // identifier as well, so that it passes for the trusted one until the trusted key looks at the
  // signature.
  CertificateFields twin =
      Certify({Named("trusted"), &stranger}, {Named("trusted"), &stranger}, true, 1);
  twin.serial = ids_.serial;
  SignAnew(twin, stranger);
  CmsMessage by_twin = Detached(content_, stranger, *IdsOf(twin.Der()));
  by_twin.attached = true;
  ExpectRefused(by_twin, EKEYREJECTED, "name and number, certificate outside");
  by_twin.certificates = {twin.Der()};
  ExpectRefused(by_twin, ENOKEY, "name and number, certificate inside");
  twin.extensions = Extensions{.skid = ids_.skid, .akid = ids_.skid, .is_ca = true}.Der();
  SignAnew(twin, stranger);
  by_twin.certificates = {twin.Der()};
  ExpectRefused(by_twin, EKEYREJECTED, "name, number and key identifier, certificate inside");
}

// Two signers: each must be right; one that is trusted is enough for trust.
KASSAY_CASE_P(Pkcs7, EverySignatureInTheMessageMustBeRight, Cites("PQC-053", "PQC-062")) {
  const SigningKey rsa = FixtureKey("trusted-rsa");
  CmsMessage message = Message();
  message.signers.push_back({.key = &rsa, .ids = FixtureIds("trusted-rsa"), .digest = kSha512});
  ExpectContent(message, "ML-DSA and RSA");
  message.certificates = {FixtureCertificate(Named("trusted")), FixtureCertificate("trusted-rsa")};
  ExpectContent(message, "ML-DSA and RSA, certificates inside");
  message.signers[0].signature = Flipped(key_.Sign(content_, kSha512), 0);
  ExpectRefused(message, EKEYREJECTED, "the first is wrong");
  CmsMessage mixed = Message();
  mixed.signers.push_back({.key = &rsa,
                           .ids = FixtureIds("trusted-rsa"),
                           .digest = kSha512,
                           .attributes = SignedAttributes{}});
  ExpectRefused(mixed, EINVAL, "attributes in one signer only");
}

KASSAY_CASE(Pkcs7Size, SixteenBitsOfLengthAreTheLimit, Cites("PQC-059")) {
  const SigningKey key = FixtureKey("stranger-rsa");
  const auto sized = [&](std::size_t total) {
    CmsMessage message = Detached("", key, FixtureIds("stranger-rsa"));
    message.attached = true;
    for (message.content = std::string(total - 1000, 'c');;) {
      const std::size_t size = message.Der().size();
      if (size == total) return message.Der();
      message.content.resize(message.content.size() + total - size, 'c');
    }
  };
  EXPECT_THAT(AddPkcs7(sized(65535)), IsErrno(ENOKEY));
  EXPECT_THAT(AddPkcs7(sized(65536)), IsErrno(EMSGSIZE));
}

KASSAY_PROBE("pkcs7_mldsa") {
  const MlDsaSet set = MlDsaSet::k65;
  const SigningKey stranger = SigningKey::MlDsa(set, std::string(32, 's'));
  const CertificateFields certificate =
      Certify({"stranger", &stranger}, {"stranger", &stranger}, true, 0x5555);
  CmsMessage message = Detached("content", stranger, *IdsOf(certificate.Der()));
  message.attached = true;
  message.certificates.push_back(certificate.Der());
  const Serial seen = AddPkcs7(message.Der());
  const std::string told = "add_key(pkcs7_test, message by an unknown ML-DSA-65 key): " +
                           ErrnoName(seen < 0 ? -seen : 0);
  return seen == -ENOKEY ? Present(told) : Missing(told);
}

}  // namespace
}  // namespace kassay::mldsa
