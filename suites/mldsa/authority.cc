// The authority key identifier: by key, by issuer and serial number, or both. Where both are given,
// both must be the signer's (x509_public_key.c:x509_check_for_self_signed,
// restrict.c:key_or_keyring_common, asymmetric_type.c:find_asymmetric_key).
#include "suites/mldsa/mldsa_set.h"

namespace kassay::mldsa {
namespace {

constexpr std::uint64_t kCaSerial = 0x1000;

// Who signed, as a certificate says it; an empty part is left out.
struct Authority {
  std::string key;
  std::string issuer;
  std::string serial;
};

class AuthorityIdentifier : public testing::Test {
 protected:
  [[nodiscard]] Authority Right() const {
    return {KeyIdentifier(ca_), Name("ca"), std::string("\x10\x00", 2)};
  }
  [[nodiscard]] Authority WrongKey() const {
    Authority authority = Right();
    authority.key = Flipped(authority.key, 19);
    return authority;
  }
  [[nodiscard]] Authority WrongSerial() const {
    Authority authority = Right();
    authority.serial = std::string("\x10\x01", 2);
    return authority;
  }
  [[nodiscard]] Authority WrongIssuer() const {
    Authority authority = Right();
    authority.issuer = Name("cb");
    return authority;
  }
  [[nodiscard]] static Authority KeyOnly(const Authority& authority) {
    return {authority.key, {}, {}};
  }
  [[nodiscard]] static Authority IssuerOnly(const Authority& authority) {
    return {{}, authority.issuer, authority.serial};
  }

  [[nodiscard]] std::string Leaf(const Authority& authority) const {
    CertificateFields fields = Certify({"leaf", &leaf_}, {"ca", &ca_}, false, 0x2001);
    return WithAuthority(fields, KeyIdentifier(leaf_), authority);
  }
  [[nodiscard]] std::string Root(const Authority& authority) const {
    CertificateFields fields = Certify({"ca", &ca_}, {"ca", &ca_}, true, kCaSerial);
    return WithAuthority(fields, KeyIdentifier(ca_), authority);
  }

  const SigningKey ca_ = FixtureKey("trusted-rsa");
  const SigningKey leaf_ = FixtureKey("leaf-rsa");

 private:
  [[nodiscard]] std::string WithAuthority(CertificateFields& fields, const std::string& skid,
                                          const Authority& authority) const {
    fields.extensions = Extensions{
        .skid = skid,
        .akid = authority.key,
        .akid_issuer = authority.issuer,
        .akid_serial = authority.serial,
        .is_ca = {},
        .key_usage = {}}.Der();
    SignAnew(fields, ca_);
    return fields.Der();
  }
};

KASSAY_CASE_F(AuthorityIdentifier, OfARestrictedKeyringsCaMustMatchInBothParts, Cites("PQC-094")) {
  const Serial anchor = AddCertificate(Root(Right()));
  ASSERT_GT(anchor, 0);
  const Serial anchors = NewKeyring("anchors");
  ASSERT_THAT(Link(anchor, anchors), IsErrno(0));
  // A key and a keyring as the anchor are looked up in different ways.
  for (const Serial trusted : {anchor, anchors}) {
    const Serial ring = NewKeyring("restricted");
    ASSERT_THAT(Restrict(ring, "key_or_keyring:" + std::to_string(trusted)), IsErrno(0));
    for (const Authority& wrong : {WrongKey(), WrongSerial(), WrongIssuer(), KeyOnly(WrongKey()),
                                   IssuerOnly(WrongSerial()), IssuerOnly(WrongIssuer())}) {
      EXPECT_THAT(AddCertificate(Leaf(wrong), ring), IsErrno(ENOKEY))
          << "key identifier of " << wrong.key.size() << " bytes, serial of "
          << wrong.serial.size();
      EXPECT_EQ(CountOf(ring), 0);
    }
    for (const Authority& right : {Right(), KeyOnly(Right()), IssuerOnly(Right())}) {
      const Serial key = AddCertificate(Leaf(right), ring);
      EXPECT_GT(key, 0) << "key identifier of " << right.key.size() << " bytes, serial of "
                        << right.serial.size();
      EXPECT_TRUE(Contains(ring, key));
    }
  }
}

KASSAY_CASE_F(AuthorityIdentifier, OfASelfSignedOneMustMatchInBothPartsOrNone, Cites("PQC-095")) {
  const Serial ring = NewKeyring("ring");
  for (const Authority& half : {WrongKey(), WrongSerial(), WrongIssuer()}) {
    EXPECT_THAT(AddCertificate(Root(half), ring), IsErrno(EKEYREJECTED));
    EXPECT_EQ(CountOf(ring), 0);
  }
  for (const Authority& right : {Right(), KeyOnly(Right()), IssuerOnly(Right())})
    EXPECT_GT(AddCertificate(Root(right), ring), 0);
  // Neither part: not signed by itself, so nobody is asked.
  Authority neither = WrongSerial();
  neither.key = WrongKey().key;
  EXPECT_GT(AddCertificate(Root(neither), ring), 0);
}

}  // namespace
}  // namespace kassay::mldsa
