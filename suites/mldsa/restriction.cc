// Keyrings that only take what an ML-DSA key vouches for (crypto/asymmetric_keys/restrict.c).
#include "suites/mldsa/mldsa_set.h"

namespace kassay::mldsa {
namespace {

std::string KeyOrKeyring(Serial trusted, bool chain = false) {
  return "key_or_keyring:" + std::to_string(trusted) + (chain ? ":chain" : "");
}

class Restriction : public PerSet {
 protected:
  void SetUp() override {
    ca_ = Signing('c');
    ca_key_ = AddCertificate(Certify({"ca", &ca_}, {"ca", &ca_}, true, 0x1000).Der());
    ASSERT_GT(ca_key_, 0);
    ring_ = NewKeyring("restricted");
    ASSERT_GT(ring_, 0);
  }
  void RestrictToCa() { ASSERT_THAT(Restrict(ring_, KeyOrKeyring(ca_key_)), IsErrno(0)); }
  void ExpectRefused(const std::string& der, int expected, const std::string& what) {
    const long before = CountOf(ring_);
    EXPECT_THAT(AddCertificate(der, ring_), IsErrno(expected)) << what;
    EXPECT_EQ(CountOf(ring_), before) << what;
  }

  SigningKey ca_;
  Serial ca_key_ = 0;
  Serial ring_ = 0;
};
FOR_EVERY_SET(Restriction);

KASSAY_CASE_P(Restriction, TakesLeavesOfEverySetThatTheCaSigned, Cites("PQC-040").Timeout(60)) {
  RestrictToCa();
  std::uint64_t number = 0x2000;
  for (const MlDsaSet leaf_set : kAllMlDsaSets) {
    const SigningKey leaf = SigningKey::MlDsa(leaf_set, std::string(32, 'l'));
    const Serial key =
        AddCertificate(Certify({"leaf", &leaf}, {"ca", &ca_}, false, ++number).Der(), ring_);
    EXPECT_GT(key, 0) << ParametersOf(leaf_set).name;
    EXPECT_TRUE(Contains(ring_, key));
  }
  const SigningKey rsa = FixtureKey("leaf-rsa");
  EXPECT_GT(AddCertificate(Certify({"leaf", &rsa}, {"ca", &ca_}, false, ++number).Der(), ring_), 0);
  EXPECT_EQ(CountOf(ring_), 4);
}

KASSAY_CASE_P(Restriction, TakesOpenSslsLeafBelowOpenSslsCa, Cites("PQC-040")) {
  const Serial fixture_ca = AddCertificate(FixtureCertificate(Named("trusted")));
  ASSERT_GT(fixture_ca, 0);
  ASSERT_THAT(Restrict(ring_, KeyOrKeyring(fixture_ca)), IsErrno(0));
  EXPECT_GT(AddCertificate(FixtureCertificate(Named("leaf")), ring_), 0);
  EXPECT_THAT(AddCertificate(FixtureCertificate("leaf-mldsa87-below-rsa"), ring_), IsErrno(ENOKEY));
}

KASSAY_CASE_P(Restriction, RefusesStrangers, Cites("PQC-041")) {
  RestrictToCa();
  const SigningKey other = Signing('o');
  const SigningKey leaf = Signing('l');
  ExpectRefused(Certify({"leaf", &leaf}, {"other ca", &other}, false, 0x2001).Der(), ENOKEY,
                "leaf of another CA");
  ExpectRefused(Certify({"other ca", &other}, {"other ca", &other}, true, 0x2002).Der(), ENOKEY,
                "another self-signed CA");
  ExpectRefused(Certify({"ca", &other}, {"ca", &other}, true, 0x2003).Der(), ENOKEY,
                "another self-signed CA of the same name");
}

// Whoever only names the CA as the issuer has not been vouched for: its signature decides.
KASSAY_CASE_P(Restriction, RefusesWhoOnlyNamesTheCa, Cites("PQC-042", "PQC-084").Timeout(60)) {
  RestrictToCa();
  const SigningKey other = Signing('o');
  const SigningKey leaf = Signing('l');
  CertificateFields forged = Certify({"leaf", &leaf}, {"ca", &ca_}, false, 0x2001);
  const CertificateFields good = forged;
  SignAnew(forged, other);
  ExpectRefused(forged.Der(), EKEYREJECTED, "the CA's name and identifier, another's signature");
  forged = good;
  forged.signature = Flipped(good.signature, 0);
  ExpectRefused(forged.Der(), EKEYREJECTED, "commitment hash flipped");
  forged.signature = Flipped(good.signature, good.signature.size() - 1, 0x80);
  ExpectRefused(forged.Der(), EBADMSG, "last hint count beyond omega");
  forged.signature = good.signature.substr(1);
  ExpectRefused(forged.Der(), EBADMSG, "a byte short");
  forged = good;
  forged.serial = "\x20\x99";
  ExpectRefused(forged.Der(), EKEYREJECTED, "serial number changed after signing");
  forged = good;
  forged.spki = other.spki();
  ExpectRefused(forged.Der(), EKEYREJECTED, "public key changed after signing");
  // Without an authority key identifier the issuer's name is all there is to find the CA by.
  CertificateFields by_name = good;
  by_name.extensions =
      Extensions{.skid = KeyIdentifier(leaf), .is_ca = false, .key_usage = 0x80}.Der();
  SignAnew(by_name, other);
  ExpectRefused(by_name.Der(), EKEYREJECTED, "only the CA's name, another's signature");
  EXPECT_EQ(CountOf(ring_), 0);
  EXPECT_GT(AddCertificate(good.Der(), ring_), 0) << "the genuine one enters";
}

KASSAY_CASE_P(Restriction, TheSignaturesAlgorithmMustBeTheCas, Cites("PQC-083")) {
  RestrictToCa();
  const SigningKey leaf = Signing('l');
  for (const MlDsaSet other : kAllMlDsaSets) {
    if (other == set()) continue;
    CertificateFields forged = Certify({"leaf", &leaf}, {"ca", &ca_}, false, 0x2001);
    SignAnew(forged, SigningKey::MlDsa(other, std::string(32, 'c')));
    ExpectRefused(forged.Der(), EKEYREJECTED, std::string(ParametersOf(other).name));
  }
  CertificateFields forged = Certify({"leaf", &leaf}, {"ca", &ca_}, false, 0x2001);
  SignAnew(forged, FixtureKey("stranger-rsa"));
  ExpectRefused(forged.Der(), EKEYREJECTED, "RSA");
}

KASSAY_CASE_P(Restriction, CannotBeReplaced, Cites("PQC-043")) {
  RestrictToCa();
  EXPECT_THAT(Restrict(ring_, KeyOrKeyring(ca_key_)), IsErrno(EEXIST));
  EXPECT_THAT(Restrict(ring_, "builtin_trusted"), IsErrno(EEXIST));
  // NULL closes a keyring for good; a restricted one stays as it is.
  EXPECT_EQ(keyctl_restrict_keyring(ring_, nullptr, nullptr), -1);
  EXPECT_EQ(errno, EEXIST);
  const SigningKey other = Signing('o');
  ExpectRefused(Certify({"x", &other}, {"x", &other}, true, 1).Der(), ENOKEY, "still restricted");
}

KASSAY_CASE_P(Restriction, ChainModeLetsMembersVouch, Cites("PQC-044").Timeout(60)) {
  ASSERT_THAT(Restrict(ring_, KeyOrKeyring(ca_key_, true)), IsErrno(0));
  const SigningKey intermediate = Signing('i');
  const SigningKey leaf = Signing('l');
  const std::string intermediate_der =
      Certify({"intermediate", &intermediate}, {"ca", &ca_}, true, 0x2001).Der();
  const std::string leaf_der =
      Certify({"leaf", &leaf}, {"intermediate", &intermediate}, false, 0x2002).Der();
  ExpectRefused(leaf_der, ENOKEY, "a leaf before its issuer");
  EXPECT_GT(AddCertificate(intermediate_der, ring_), 0);
  EXPECT_GT(AddCertificate(leaf_der, ring_), 0);
  // Without :chain a member does not vouch.
  const Serial plain = NewKeyring("plain");
  ASSERT_THAT(Restrict(plain, KeyOrKeyring(ca_key_)), IsErrno(0));
  EXPECT_GT(AddCertificate(intermediate_der, plain), 0);
  EXPECT_THAT(AddCertificate(leaf_der, plain), IsErrno(ENOKEY));
  // Nobody to begin with: an empty ring that trusts its members takes nobody, not even who signs
  // for himself.
  const Serial empty = NewKeyring("empty");
  ASSERT_THAT(Restrict(empty, "key_or_keyring:0:chain"), IsErrno(0));
  EXPECT_THAT(AddCertificate(Certify({"ca", &ca_}, {"ca", &ca_}, true, 0x1000).Der(), empty),
              IsErrno(ENOKEY));
  EXPECT_THAT(AddCertificate(intermediate_der, empty), IsErrno(ENOKEY));
  EXPECT_EQ(CountOf(empty), 0);
}

KASSAY_CASE_P(Restriction, AKeyringCanBeTheAnchor, Cites("PQC-085")) {
  const Serial anchors = NewKeyring("anchors");
  ASSERT_THAT(Restrict(ring_, KeyOrKeyring(anchors)), IsErrno(0));
  const SigningKey leaf = Signing('l');
  const std::string der = Certify({"leaf", &leaf}, {"ca", &ca_}, false, 0x2001).Der();
  ExpectRefused(der, ENOKEY, "the anchor keyring is empty");
  ASSERT_THAT(Link(ca_key_, anchors), IsErrno(0));
  EXPECT_GT(AddCertificate(der, ring_), 0);
}

KASSAY_CASE_P(Restriction, ARevokedCaNoLongerVouches, Cites("PQC-086")) {
  RestrictToCa();
  const SigningKey leaf = Signing('l');
  ASSERT_EQ(keyctl_revoke(ca_key_), 0);
  ExpectRefused(Certify({"leaf", &leaf}, {"ca", &ca_}, false, 0x2001).Der(), EKEYREVOKED,
                "after revocation");
}

// asym_auth of an ML-DSA certificate points into the payload that add_key freed
// (x509_get_sig_params): a later look at the signature reads freed memory.
KASSAY_CASE_P(Restriction, AKeyThatIsAlreadyThereCanBeLinked, Cites("PQC-046")) {
  RestrictToCa();
  const SigningKey leaf = Signing('l');
  const Serial outside =
      AddCertificate(Certify({"leaf", &leaf}, {"ca", &ca_}, false, 0x2001).Der());
  ASSERT_GT(outside, 0);
  EXPECT_THAT(Link(outside, ring_), IsErrno(0));
  EXPECT_TRUE(Contains(ring_, outside));
}

KASSAY_CASE_P(Restriction, AForeignKeyCannotBeLinkedIn, Cites("PQC-041")) {
  RestrictToCa();
  const SigningKey other = Signing('o');
  const Serial outside =
      AddCertificate(Certify({"other", &other}, {"other", &other}, true, 0x2001).Der());
  ASSERT_GT(outside, 0);
  EXPECT_THAT(Link(outside, ring_), IsErrno(ENOKEY));
  EXPECT_FALSE(Contains(ring_, outside));
}

// The twin of the ML-DSA link: RSA keeps a digest of its own.
KASSAY_CASE(RsaRestriction, AKeyThatIsAlreadyThereCanBeLinked, Cites("PQC-087")) {
  const Serial ca = AddCertificate(FixtureCertificate("trusted-rsa"));
  ASSERT_GT(ca, 0);
  const Serial ring = NewKeyring("restricted");
  ASSERT_THAT(Restrict(ring, KeyOrKeyring(ca)), IsErrno(0));
  const Serial outside = AddCertificate(FixtureCertificate("leaf-rsa"));
  ASSERT_GT(outside, 0);
  EXPECT_THAT(Link(outside, ring), IsErrno(0));
  EXPECT_TRUE(Contains(ring, outside));
  EXPECT_THAT(Link(AddCertificate(FixtureCertificate("stranger-rsa")), ring), IsErrno(ENOKEY));
}

// KEYCTL_MOVE is a door of its own (security/keys/keyring.c:key_move).
KASSAY_CASE(RsaRestriction, OnlyAKeyThatIsVouchedForCanBeMovedIn, Cites("PQC-092")) {
  constexpr int kMove = 30;  // KEYCTL_MOVE
  const Serial ring = NewKeyring("restricted");
  const Serial elsewhere = NewKeyring("elsewhere");
  ASSERT_THAT(Restrict(ring, KeyOrKeyring(AddCertificate(FixtureCertificate("trusted-rsa")))),
              IsErrno(0));
  const Serial leaf = AddCertificate(FixtureCertificate("leaf-rsa"), elsewhere);
  const Serial stranger = AddCertificate(FixtureCertificate("stranger-rsa"), elsewhere);
  ASSERT_GT(stranger, 0);
  EXPECT_EQ(keyctl(kMove, stranger, elsewhere, ring, 0), -1);
  EXPECT_EQ(errno, ENOKEY);
  EXPECT_TRUE(Contains(elsewhere, stranger)) << "a refused key stays where it was";
  EXPECT_FALSE(Contains(ring, stranger));
  EXPECT_EQ(keyctl(kMove, leaf, elsewhere, ring, 0), 0);
  EXPECT_TRUE(Contains(ring, leaf));
  EXPECT_FALSE(Contains(elsewhere, leaf));
}

// A keyring within the restricted one would carry anything.
KASSAY_CASE(RsaRestriction, KeysOfOtherTypesDoNotEnter, Cites("PQC-093")) {
  const Serial ring = NewKeyring("restricted");
  ASSERT_THAT(Restrict(ring, KeyOrKeyring(AddCertificate(FixtureCertificate("trusted-rsa")))),
              IsErrno(0));
  const Serial inner = NewKeyring("inner");
  const Serial secret = add_key("user", "secret", "s", 1, KEY_SPEC_PROCESS_KEYRING);
  for (const Serial key : {inner, secret}) EXPECT_THAT(Link(key, ring), IsErrno(EOPNOTSUPP));
  EXPECT_EQ(add_key("user", "another", "s", 1, ring), -1);
  EXPECT_EQ(errno, EOPNOTSUPP);
  EXPECT_EQ(add_key("keyring", "another", nullptr, 0, ring), -1);
  EXPECT_EQ(errno, EOPNOTSUPP);
  EXPECT_EQ(CountOf(ring), 0);
  EXPECT_GT(AddCertificate(FixtureCertificate("leaf-rsa"), ring), 0) << "the genuine one enters";
}

KASSAY_CASE(RsaRestriction, RefusesWhoOnlyNamesTheCa, Cites("PQC-084")) {
  const Serial ca = AddCertificate(FixtureCertificate("trusted-rsa"));
  const Serial ring = NewKeyring("restricted");
  ASSERT_THAT(Restrict(ring, KeyOrKeyring(ca)), IsErrno(0));
  const SigningKey ca_key = FixtureKey("trusted-rsa");
  const SigningKey leaf = FixtureKey("leaf-rsa");
  CertificateFields forged = Certify({"leaf", &leaf}, {"trusted-rsa", &ca_key}, false, 0x99);
  EXPECT_GT(AddCertificate(forged.Der(), ring), 0);
  forged.serial = "\x7f";
  EXPECT_THAT(AddCertificate(forged.Der(), ring), IsErrno(EKEYREJECTED)) << "another digest";
  // Another key's signature opens to a block that does not begin as PKCS #1 wants
  // (rsassa_pkcs1_verify).
  SignAnew(forged, FixtureKey("stranger-rsa"));
  EXPECT_THAT(AddCertificate(forged.Der(), ring), IsErrno(EINVAL)) << "another's signature";
  EXPECT_EQ(CountOf(ring), 1);
}

KASSAY_CASE(RsaRestriction, VouchesForMlDsaLeaves, Cites("PQC-072")) {
  const Serial ring = NewKeyring("restricted");
  ASSERT_THAT(Restrict(ring, KeyOrKeyring(AddCertificate(FixtureCertificate("trusted-rsa")))),
              IsErrno(0));
  EXPECT_GT(AddCertificate(FixtureCertificate("leaf-mldsa87-below-rsa"), ring), 0);
  EXPECT_EQ(CountOf(ring), 1);
}

KASSAY_CASE(RestrictionString, ErrorsAreTold, Cites("PQC-045")) {
  const Serial ring = NewKeyring("ring");
  EXPECT_THAT(Restrict(ring, "key_or_keyring:0"), IsErrno(ENOKEY));
  EXPECT_THAT(Restrict(ring, "key_or_keyring:2147483646"), IsErrno(ENOKEY));
  EXPECT_THAT(Restrict(ring, "key_or_keyring:0:link"), IsErrno(EINVAL));
  EXPECT_THAT(Restrict(ring, "key_or_keyring"), IsErrno(EINVAL));
  EXPECT_THAT(Restrict(ring, "trusted_by_nobody"), IsErrno(EINVAL));
  EXPECT_EQ(keyctl_restrict_keyring(ring, "user", "x"), -1);
  EXPECT_EQ(errno, ENOENT);
  // None of them left the keyring restricted.
  EXPECT_GT(AddCertificate(FixtureCertificate("stranger-rsa"), ring), 0);
}

// What takes in2_len from out_len's place and replaces it reads beyond what the caller gave.
KASSAY_CASE(PkeyVerify, HonoursTheLengthOfTheSignature, Cites("PQC-090")) {
  const Serial key = AddCertificate(FixtureCertificate("stranger-rsa"));
  ASSERT_GT(key, 0);
  const SigningKey signer = FixtureKey("stranger-rsa");
  const std::string digest = Digest(kSha256, "message");
  const std::string signature = signer.Sign("message", kSha256);
  constexpr const char* kInfo = "enc=pkcs1 hash=sha256";
  ASSERT_THAT(Verify(key, kInfo, digest, signature), IsErrno(0));
  EXPECT_THAT(Verify(key, kInfo, Flipped(digest, 0), signature), IsErrno(EKEYREJECTED));
  for (const unsigned size : {static_cast<unsigned>(signature.size()) - 1, 0U}) {
    const RawVerify raw{digest.data(), static_cast<unsigned>(digest.size()), signature.data(),
                        size};
    EXPECT_THAT(Verify(key, kInfo, raw), IsErrno(EINVAL)) << "length " << size;
  }
}

KASSAY_CASE(PkeyVerify, NeedsAnAsymmetricKey, Cites("PQC-020")) {
  EXPECT_THAT(Query(NewKeyring("ring"), "hash=none").error, IsErrno(EOPNOTSUPP));
  EXPECT_THAT(Query(2147483646, "hash=none").error, IsErrno(ENOKEY));
}

}  // namespace
}  // namespace kassay::mldsa
