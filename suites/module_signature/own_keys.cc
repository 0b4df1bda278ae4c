// The vendor's module with signatures of ours: by keys that nobody knows (everywhere), and by those
// that the kernel trusts, because it was built so or its firmware holds them. With the certificate
// inside the message the kernel verifies the signature before it asks whom it trusts, so that even
// a stock kernel shows its verdict: untrusted if it is right, refused if not.
#include "suites/module_signature/loading.h"
#include "suites/support/kernel_config.h"
#include "suites/support/trust/built_in.h"
#include "suites/support/trust/signer.h"

namespace kassay::modules {
namespace {

using namespace trust;  // NOLINT(google-build-using-namespace)

std::string Signed(std::string_view body, const CmsMessage& message) {
  return WithSignature(body, message.Der()).Bytes();
}

// The body that is loaded is not the one that was signed.
std::string SignedElsewhere(const CmsMessage& message) {
  std::string body = Vendors().body;
  body.back() = static_cast<char>(body.back() ^ 1);
  return Signed(body, message);
}

KASSAY_CASE_IN_EVERY_POLICY(AnUnknownKeyIsUntrusted, "SIG-012") {
  const Signer stranger("stranger-rsa");
  for (const DigestName digest : {kSha256, kSha384, kSha512, kSha1}) {
    const std::string name(digest.name);
    if (digest.name == kSha1.name && OptionIsOff("CONFIG_CRYPTO_SHA1")) continue;
    const std::string& body = Vendors().body;
    ExpectLoad(policy, Signed(body, stranger.Over(body, digest)), kUntrusted, name);
    const CmsMessage inside = stranger.WithCertificate(body, digest);
    ExpectLoad(policy, Signed(body, inside), kUntrusted, name + ", certificate inside");
    ExpectLoad(policy, SignedElsewhere(inside), Refused(EKEYREJECTED),
               name + ", certificate inside, body changed");
  }
}

KASSAY_CASE_IN_EVERY_POLICY(SignedAttributesAreRejected, "SIG-013") {
  const Signer stranger("stranger-rsa");
  CmsMessage message = stranger.Over(Vendors().body, kSha256);
  message.signers[0].attributes = SignedAttributes{};
  ExpectLoad(policy, Signed(Vendors().body, message), Refused(EKEYREJECTED), "attributes");
}

KASSAY_CASE_IN_EVERY_POLICY(AnUnsupportedDigestIsUntrusted, "SIG-014") {
  const Signer stranger("stranger-rsa");
  ExpectLoad(policy, Signed(Vendors().body, stranger.Over(Vendors().body, kMd5)), kUntrusted,
             "md5");
}

KASSAY_CASE_IN_EVERY_POLICY(AnUnknownMlDsaKeyIsUntrusted, "SIG-030", "SIG-031", "SIG-032") {
  const Signer stranger("stranger-mldsa65");
  const std::string& body = Vendors().body;
  const MlDsaSupport support = SeenMlDsaSupport();
  const auto unless_known = [&](int error) {
    return support == MlDsaSupport::kNone ? kUntrusted : Refused(error);
  };
  ExpectLoad(policy, Signed(body, stranger.Over(body, kSha512)), kUntrusted, "certificate outside");
  const CmsMessage inside = stranger.WithCertificate(body, kSha512);
  ExpectLoad(policy, Signed(body, inside),
             support == MlDsaSupport::kFull ? kUntrusted : unless_known(ENOENT),
             "certificate inside");
  ExpectLoad(policy, SignedElsewhere(inside),
             unless_known(support == MlDsaSupport::kFull ? EKEYREJECTED : ENOENT),
             "certificate inside, body changed");
  CmsMessage attributes = stranger.Over(body, kSha512);
  attributes.signers[0].attributes = SignedAttributes{};
  ExpectLoad(policy, Signed(body, attributes), unless_known(EKEYREJECTED), "attributes");
}

void ExpectTrustedSigner(Policy policy, const Signer& signer, DigestName digest) {
  const std::string what = signer.name + " " + std::string(digest.name);
  const std::string& body = Vendors().body;
  const CmsMessage message = signer.Over(body, digest);
  ExpectLoad(policy, Signed(body, message), kTrusted, what);
  ExpectLoad(policy, Signed(body, signer.WithCertificate(body, digest)), kTrusted,
             what + ", certificate inside");
  ExpectLoad(policy, SignedElsewhere(message), Refused(EKEYREJECTED), what + ", body changed");
}

KASSAY_TRUSTED_CASE_IN_EVERY_POLICY(ATrustedRsaKeyIsTrusted, "SIG-035") {
  modules::RequireTrusted(policy);
  for (const DigestName digest : {kSha256, kSha384, kSha512})
    ExpectTrustedSigner(policy, Signer("trusted-rsa"), digest);
}

KASSAY_TRUSTED_CASE_IN_EVERY_POLICY(ASignatureWithSha1IsStillTrusted, "SIG-025") {
  modules::RequireTrusted(policy);
  ExpectTrustedSigner(policy, Signer("trusted-rsa"), kSha1);
}

KASSAY_TRUSTED_CASE_IN_EVERY_POLICY(ATrustedEcdsaKeyIsTrusted, "SIG-035") {
  modules::RequireTrusted(policy, "trusted-ecdsa");
  for (const DigestName digest : {kSha256, kSha384, kSha512})
    ExpectTrustedSigner(policy, Signer("trusted-ecdsa"), digest);
}

// Whom a built-in key vouched for is trusted once it is in the secondary keyring, not before.
KASSAY_TRUSTED_CASE_IN_EVERY_POLICY(AKeyOfTheSecondaryKeyringIsTrusted, "SIG-040") {
  // What is in .platform may sign modules, and vouches for nobody.
  if (trust::TrustedThrough("trusted-rsa") == ".platform") {
    KASSAY_UNMET_TRUST(
        "no key of the fixtures may vouch for others: they are in .platform, and .machine is for "
        "keys that shim hands over");
  }
  trust::RequireBuiltIn();
  const auto secondary = SystemKeyring(".secondary_trusted_keys");
  if (!secondary) KASSAY_ABSENT("/proc/keys has no .secondary_trusted_keys");
  const SigningKey root = FixtureKey("trusted-rsa");
  const SigningKey vendor = FixtureKey("stranger-rsa");
  const Signer signer("stranger-rsa",
                      Certify({"vendor", &vendor}, {"trusted-rsa", &root}, false, 0x3101).Der());
  const std::string& body = Vendors().body;
  const std::string file = Signed(body, signer.Over(body, kSha512));
  ExpectLoad(policy, file, kUntrusted, "before it is there");
  ASSERT_GT(AddCertificate(signer.certificate, *secondary), 0);
  ExpectTrustedSigner(policy, signer, kSha512);
}

KASSAY_CASE_IN_EVERY_POLICY(ATrustedMlDsaKeyIsTrusted, "SIG-027", "SIG-028") {
  trust::RequireBuiltIn();
  for (const MlDsaSet set : kAllMlDsaSets) {
    const Signer signer("trusted-" + std::string(ParametersOf(set).kernel_name));
    ExpectTrustedSigner(policy, signer, kSha512);
    ExpectTrustedSigner(policy, signer, kSha256);
  }
}

KASSAY_CASE_IN_EVERY_POLICY(ATrustedMlDsaKeyWithAttributesIsRejected, "SIG-029") {
  trust::RequireBuiltIn();
  const Signer trusted("trusted-mldsa65");
  CmsMessage message = trusted.Over(Vendors().body, kSha512);
  message.signers[0].attributes = SignedAttributes{};
  ExpectLoad(policy, Signed(Vendors().body, message), Refused(EKEYREJECTED), "attributes");
}

KASSAY_TRUSTED_CASE_IN_EVERY_POLICY(AnUnsupportedDigestIsUntrustedAlsoByATrustedKey, "SIG-014") {
  modules::RequireTrusted(policy);
  const Signer trusted("trusted-rsa");
  ExpectLoad(policy, Signed(Vendors().body, trusted.Over(Vendors().body, kMd5)), kUntrusted, "md5");
}

// One algorithm's signature under another's name.
KASSAY_CASE_IN_EVERY_POLICY(TheAlgorithmMustBeTheKeys, "SIG-036") {
  trust::RequireBuiltIn();
  const std::string& body = Vendors().body;
  const Signer rsa("trusted-rsa");
  const Signer mldsa("trusted-mldsa65");
  CmsMessage message = rsa.Over(body, kSha512);
  message.signers[0].algorithm = mldsa.key.CmsAlgorithm(kSha512);
  ExpectLoad(policy, Signed(body, message), Refused(EKEYREJECTED), "RSA named ML-DSA-65");
  message = mldsa.Over(body, kSha512);
  message.signers[0].algorithm = rsa.key.CmsAlgorithm(kSha512);
  ExpectLoad(policy, Signed(body, message), Refused(EKEYREJECTED), "ML-DSA-65 named RSA");
  message.signers[0].algorithm = AlgorithmIdentifier(ParametersOf(MlDsaSet::k44).oid);
  ExpectLoad(policy, Signed(body, message), Refused(EKEYREJECTED), "ML-DSA-65 named ML-DSA-44");
  // Another key's signature in the trusted one's name.
  message = rsa.Over(body, kSha512);
  message.signers[0].key = &mldsa.key;
  ExpectLoad(policy, Signed(body, message), Refused(EKEYREJECTED),
             "signed by ML-DSA-65, RSA named");
  const SigningKey stranger = FixtureKey("stranger-rsa");
  message = rsa.Over(body, kSha512);
  message.signers[0].key = &stranger;
  ExpectLoad(policy, Signed(body, message), Refused(EKEYREJECTED), "signed by another RSA key");
}

// A message that brings its own content would be verified over that instead of over the module.
KASSAY_CASE_IN_EVERY_POLICY(AMessageWithContentIsMalformed, "SIG-037") {
  trust::RequireBuiltIn();
  for (const char* name : {"trusted-rsa", "trusted-mldsa65"}) {
    const Signer trusted(name);
    CmsMessage message = trusted.Over("other content", kSha512);
    message.attached = true;
    ExpectLoad(policy, Signed(Vendors().body, message), Refused(EBADMSG), name);
    CmsMessage own = trusted.Over(Vendors().body, kSha512);
    own.content_type = kIdSignedData;
    ExpectLoad(policy, Signed(Vendors().body, own), Refused(EINVAL),
               std::string(name) + ", content of a type that the parser does not take");
    // Authenticode: attributes are a must there, and are no type for a module even so.
    own.content_type = kMsIndirectData;
    ExpectLoad(policy, Signed(Vendors().body, own), Refused(EBADMSG),
               std::string(name) + ", Authenticode without attributes");
    own.signers[0].attributes = SignedAttributes{.content_type = std::string(kMsIndirectData)};
    ExpectLoad(policy, Signed(Vendors().body, own), Refused(EKEYREJECTED),
               std::string(name) + ", Authenticode");
  }
}

KASSAY_TRUSTED_CASE_IN_EVERY_POLICY(TheSignatureIsLookedAtBeforeTheModule, "SIG-024") {
  modules::RequireTrusted(policy);
  const std::string junk(1000, 'j');
  const Signer trusted("trusted-rsa");
  ExpectLoad(policy, Signed(junk, trusted.Over(junk, kSha512)), NotAModule(kTrusted), "signed");
  ExpectLoad(policy, Signed(junk, trusted.Over("other", kSha512)), Refused(EKEYREJECTED),
             "wrongly signed");
}

// Longer than 16 bits can count: every byte of a long body is hashed.
KASSAY_CASE_IN_EVERY_POLICY(NoByteOfALongBodyIsFree, "SIG-039") {
  trust::RequireBuiltIn();
  const std::string body(0x10000 + 1000, 'j');
  for (const char* name :
       {"trusted-rsa", "trusted-mldsa44", "trusted-mldsa65", "trusted-mldsa87"}) {
    const Signer trusted(name);
    const CmsMessage message = trusted.Over(body, kSha512);
    ExpectLoad(policy, Signed(body, message), NotAModule(kTrusted), name);
    for (const std::size_t at : {std::size_t{0}, std::size_t{0x10000}, body.size() - 1}) {
      std::string changed = body;
      changed[at] = 'J';
      ExpectLoad(policy, Signed(changed, message), Refused(EKEYREJECTED),
                 std::string(name) + ", byte " + std::to_string(at));
    }
    ExpectLoad(policy, Signed(body.substr(0, 1000), message), Refused(EKEYREJECTED),
               std::string(name) + ", without 64 KiB");
  }
}

KASSAY_CASE_IN_EVERY_POLICY(ALeafOfATrustedCaIsTrusted, "SIG-038") {
  trust::RequireBuiltIn();
  const std::string& body = Vendors().body;
  for (const char* name : {"leaf-rsa", "leaf-mldsa44", "leaf-mldsa87", "leaf-mldsa87-below-rsa"}) {
    const Signer leaf(name);
    ExpectLoad(policy, Signed(body, leaf.WithCertificate(body, kSha512)), kTrusted, name);
    ExpectLoad(policy, Signed(body, leaf.Over(body, kSha512)), kUntrusted,
               std::string(name) + ", certificate outside");
  }
}

}  // namespace
}  // namespace kassay::modules
