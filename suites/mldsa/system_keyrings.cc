// The kernel's own keyrings of trusted keys (certs/system_keyring.c).
#include "suites/mldsa/mldsa_set.h"
#include "suites/support/trust/built_in.h"

namespace kassay::mldsa {
namespace {

KASSAY_CASE(SystemKeyrings, AreClosedToUserSpace, Cites("PQC-049")) {
  int seen = 0;
  for (const char* name : {".builtin_trusted_keys", ".platform", ".machine", ".blacklist"}) {
    const auto ring = SystemKeyring(name);
    if (!ring) continue;
    const long before = CountOf(*ring);
    EXPECT_THAT(AddCertificate(FixtureCertificate("stranger-rsa"), *ring), IsErrno(EACCES)) << name;
    const Serial key = AddCertificate(FixtureCertificate("stranger-rsa"));
    ASSERT_GT(key, 0);
    EXPECT_THAT(Link(key, *ring), IsErrno(EACCES)) << name;
    EXPECT_THAT(Restrict(*ring, "builtin_trusted"), IsErrno(EACCES)) << name;
    EXPECT_EQ(CountOf(*ring), before) << name;
    ++seen;
  }
  if (seen == 0) KASSAY_UNMET("the kernel has no keyring of trusted keys");
}

class SecondaryKeyring : public testing::Test {
 protected:
  void SetUp() override {
    const auto ring = SystemKeyring(".secondary_trusted_keys");
    if (!ring) KASSAY_ABSENT("/proc/keys has no .secondary_trusted_keys");
    ring_ = *ring;
  }
  Serial ring_ = 0;
};

KASSAY_CASE_F(SecondaryKeyring, TakesNoStranger, Cites("PQC-047")) {
  const long before = CountOf(ring_);
  EXPECT_THAT(AddCertificate(FixtureCertificate("stranger-rsa"), ring_), IsErrno(ENOKEY));
  const Serial key = AddCertificate(FixtureCertificate("stranger-rsa"));
  EXPECT_THAT(Link(key, ring_), IsErrno(ENOKEY));
  EXPECT_EQ(CountOf(ring_), before);
  EXPECT_FALSE(Contains(ring_, key));
}

KASSAY_CASE_F(SecondaryKeyring, CannotBeRestrictedAnew, Cites("PQC-050")) {
  EXPECT_THAT(Restrict(ring_, "builtin_trusted"), IsErrno(EACCES));
}

class SecondaryMlDsa : public PerSet {};
FOR_EVERY_SET(SecondaryMlDsa);

KASSAY_CASE_P(SecondaryMlDsa, AnIntermediateOfABuiltInKeyVouches,
              Cites("PQC-048", "PQC-042").Timeout(60)) {
  const auto found = SystemKeyring(".secondary_trusted_keys");
  if (!found) KASSAY_ABSENT("/proc/keys has no .secondary_trusted_keys");
  RequireBuiltIn("trusted-rsa");
  const Serial ring = *found;
  const SigningKey root = FixtureKey("trusted-rsa");
  const SigningKey ca = Signing('c');
  const SigningKey leaf = Signing('l');
  const CertificateFields ca_fields =
      Certify({"intermediate", &ca}, {"trusted-rsa", &root}, true, 0x3001);
  const CertificateFields leaf_fields =
      Certify({"leaf", &leaf}, {"intermediate", &ca}, false, 0x3002);
  const long before = CountOf(ring);
  EXPECT_THAT(AddCertificate(leaf_fields.Der(), ring), IsErrno(ENOKEY)) << "before its issuer";
  CertificateFields forged_ca = ca_fields;
  forged_ca.serial = "\x30\x99";
  EXPECT_THAT(AddCertificate(forged_ca.Der(), ring), IsErrno(EKEYREJECTED)) << "changed";
  ASSERT_EQ(CountOf(ring), before);
  const Serial ca_key = AddCertificate(ca_fields.Der(), ring);
  EXPECT_GT(ca_key, 0);
  CertificateFields forged = leaf_fields;
  forged.signature = Flipped(leaf_fields.signature, 0);
  EXPECT_THAT(AddCertificate(forged.Der(), ring), IsErrno(EKEYREJECTED));
  forged.signature = Flipped(leaf_fields.signature, leaf_fields.signature.size() - 1, 0x80);
  EXPECT_THAT(AddCertificate(forged.Der(), ring), IsErrno(EBADMSG));
  EXPECT_GT(AddCertificate(leaf_fields.Der(), ring), 0);
  EXPECT_EQ(CountOf(ring), before + 2);
}

}  // namespace
}  // namespace kassay::mldsa
