// X.509 certificates with ML-DSA keys and signatures, as add_key("asymmetric") takes them. A
// certificate that names itself as its issuer proves itself when it is added
// (x509_public_key.c:x509_check_for_self_signed).
#include "suites/mldsa/mldsa_set.h"
#include "suites/support/trust/der.h"

namespace kassay::mldsa {
namespace {

class Certificates : public PerSet {
 protected:
  static CertificateFields SelfSigned(const SigningKey& key) {
    return Certify({"self", &key}, {"self", &key}, true, 0x1234);
  }
  // Refused with exactly that errno, and no key is left behind.
  static void ExpectRefused(const std::string& der, int expected, const std::string& what) {
    const Serial ring = NewKeyring("ring");
    EXPECT_THAT(AddCertificate(der, ring), IsErrno(expected)) << what;
    EXPECT_EQ(CountOf(ring), 0) << what;
  }
};
FOR_EVERY_SET(Certificates);

KASSAY_CASE_P(Certificates, ASelfSignedOneIsAccepted, Cites("PQC-002")) {
  // Made by OpenSSL, and by the suite.
  const Serial ring = NewKeyring("ring");
  const Serial fixture = AddCertificate(FixtureCertificate(Named("verity")), ring);
  EXPECT_GT(fixture, 0);
  EXPECT_TRUE(Contains(ring, fixture));
  EXPECT_THAT(ProcKeysLine(fixture), testing::HasSubstr("kassay: " + Named("verity") + ": "));
  EXPECT_THAT(ProcKeysLine(fixture), testing::HasSubstr("X509." + std::string(p().kernel_name)));
  EXPECT_GT(AddCertificate(SelfSigned(Signing()).Der(), ring), 0);
  EXPECT_EQ(CountOf(ring), 2);
}

KASSAY_CASE_P(Certificates, ASelfSignatureThatDoesNotMatchIsRejected,
              Cites("PQC-003").Timeout(60)) {
  const SigningKey key = Signing();
  const CertificateFields good = SelfSigned(key);
  for (const int at : {0, p().ctilde_bytes - 1, p().z_at()}) {
    CertificateFields bad = good;
    bad.signature = Flipped(good.signature, static_cast<std::size_t>(at));
    ExpectRefused(bad.Der(), EKEYREJECTED, "signature byte " + std::to_string(at));
  }
  // Every signed field in turn.
  CertificateFields bad = good;
  bad.serial = Flipped(good.serial, 1);
  ExpectRefused(bad.Der(), EKEYREJECTED, "serial number");
  bad = good;
  bad.issuer = bad.subject = Name("else");
  ExpectRefused(bad.Der(), EKEYREJECTED, "names");
  bad = good;
  bad.spki = Flipped(good.spki, good.spki.size() - 1);
  ExpectRefused(bad.Der(), EKEYREJECTED, "public key");
  bad = good;
  bad.spki = Signing('o').spki();
  ExpectRefused(bad.Der(), EKEYREJECTED, "another public key");
  bad = good;
  bad.extensions =
      Extensions{
          .skid = KeyIdentifier(key), .akid = KeyIdentifier(key), .is_ca = false, .key_usage = 0x80}
          .Der();
  ExpectRefused(bad.Der(), EKEYREJECTED, "extensions");
  bad = good;
  bad.signature = Signing('o').Sign(good.Tbs(), kSha512);
  ExpectRefused(bad.Der(), EKEYREJECTED, "signed by another key");
  bad.signature = key.Sign(Digest(kSha512, good.Tbs()), kSha512);
  ExpectRefused(bad.Der(), EKEYREJECTED, "signed digest");
}

KASSAY_CASE_P(Certificates, AMalformedSelfSignatureIsRefused, Cites("PQC-004")) {
  const CertificateFields good = SelfSigned(Signing());
  CertificateFields bad = good;
  bad.signature.pop_back();
  ExpectRefused(bad.Der(), EBADMSG, "one byte short");
  bad.signature = good.signature + std::string(1, '\0');
  ExpectRefused(bad.Der(), EBADMSG, "one byte long");
  bad.signature = std::string(good.signature.size(), '\0');
  ExpectRefused(bad.Der(), EBADMSG, "zeros");
  bad.signature.clear();
  ExpectRefused(bad.Der(), EBADMSG, "empty");
  bad = good;
  bad.signature_unused_bits = 1;
  ExpectRefused(bad.Der(), EBADMSG, "unused bits");
}

// A response beyond its bound and nothing else wrong: only the bound itself refuses it.
KASSAY_CASE_P(Certificates, TheBoundOfTheResponseHoldsForCertificates,
              Cites("PQC-004", "PQC-028")) {
  const MlDsaKey key = Key();
  CertificateFields fields = SelfSigned(Signing());
  const auto crafted =
      key.SignEncoded(EncodeMessage(fields.Tbs()),
                      [&](const MlDsaAttempt& attempt) { return !key.IsValid(attempt); });
  ASSERT_TRUE(crafted);
  fields.signature = *crafted;
  ExpectRefused(fields.Der(), EBADMSG, "crafted");
}

KASSAY_CASE_P(Certificates, ASelfSignatureWithAContextIsRejected, Cites("PQC-005")) {
  CertificateFields fields = SelfSigned(Signing());
  fields.signature = Key().Sign(fields.Tbs(), "abc");
  ExpectRefused(fields.Der(), EKEYREJECTED, "context abc");
}

KASSAY_CASE_P(Certificates, TheSetOfKeyAndSignatureMustBeTheSame, Cites("PQC-083")) {
  for (const MlDsaSet other : kAllMlDsaSets) {
    if (other == set()) continue;
    // The certificate's key is of this set; it says that it is signed with the other, and is.
    const SigningKey signer = SigningKey::MlDsa(other, std::string(32, 'k'));
    const SigningKey own = Signing();
    CertificateFields fields = SelfSigned(own);
    SignAnew(fields, signer);
    ExpectRefused(fields.Der(), EKEYREJECTED, "signed with another set");
  }
  const SigningKey rsa = FixtureKey("stranger-rsa");
  CertificateFields fields = SelfSigned(Signing());
  SignAnew(fields, rsa);
  ExpectRefused(fields.Der(), EKEYREJECTED, "signed with RSA");
  // And an RSA key whose certificate claims to be signed by itself with ML-DSA.
  fields = Certify({"self", &rsa}, {"self", &rsa}, true, 0x1234);
  SignAnew(fields, Signing());
  ExpectRefused(fields.Der(), EKEYREJECTED, "an RSA key, signed with ML-DSA");
}

class CertificateSyntax : public Certificates {};
FOR_EVERY_SET(CertificateSyntax);

KASSAY_CASE_P(CertificateSyntax, AnotherIssuersSignatureIsNotLookedAt, Cites("PQC-006")) {
  const Serial ring = NewKeyring("ring");
  EXPECT_GT(AddCertificate(Wrap(set(), Key().public_key()).Der(), ring), 0);
  EXPECT_EQ(CountOf(ring), 1);
}

KASSAY_CASE_P(CertificateSyntax, UnusedBitsInTheKeyAreRefused, Cites("PQC-009")) {
  CertificateFields fields = Wrap(set(), Key().public_key());
  fields.spki = der::Sequence({fields.inner_algorithm, der::BitString(Key().public_key(), 1)});
  ExpectRefused(fields.Der(), EBADMSG, "unused bits");
}

KASSAY_CASE_P(CertificateSyntax, ATruncatedOneIsRefused, Cites("PQC-010")) {
  const std::string der = Wrap(set(), Key().public_key()).Der();
  for (std::size_t size = 1; size < der.size(); size += 1 + size / 7)
    ExpectRefused(der.substr(0, size), EBADMSG, std::to_string(size) + " bytes");
  ExpectRefused(der.substr(0, der.size() - 1), EBADMSG, "all but one");
  ExpectRefused("", EINVAL, "nothing");
}

KASSAY_CASE_P(CertificateSyntax, ParametersBesideTheAlgorithmAreTolerated, Cites("PQC-011")) {
  CertificateFields fields = Wrap(set(), Key().public_key());
  fields.inner_algorithm = fields.outer_algorithm = AlgorithmIdentifier(p().oid, true);
  EXPECT_GT(AddCertificate(fields.Der()), 0);
}

KASSAY_CASE_P(CertificateSyntax, InnerAndOuterAlgorithmMustAgree, Cites("PQC-012")) {
  CertificateFields fields = Wrap(set(), Key().public_key());
  for (const std::string_view oid :
       {ParametersOf(MlDsaSet::k44).oid, ParametersOf(MlDsaSet::k65).oid,
        ParametersOf(MlDsaSet::k87).oid, std::string_view("1.2.840.113549.1.1.13")}) {
    if (oid == p().oid) continue;
    fields.outer_algorithm = AlgorithmIdentifier(oid);
    ExpectRefused(fields.Der(), EINVAL, std::string(oid));
  }
  // 2.16.840.1.101.3.4.3.35: HashML-DSA-44-with-SHA512's neighbourhood, unknown to the kernel.
  fields.inner_algorithm = fields.outer_algorithm = AlgorithmIdentifier("2.16.840.1.101.3.4.3.35");
  ExpectRefused(fields.Der(), ENOPKG, "an algorithm that the kernel does not know");
}

}  // namespace
}  // namespace kassay::mldsa
