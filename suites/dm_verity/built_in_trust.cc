// The order in which keyrings are asked: it shows where the system trusts a key of ours, since it
// was built or by its firmware.
#include "suites/dm_verity/trust.h"

namespace kassay::verity {
namespace {

class BuiltIn : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_VERITY();
    verity_ = std::make_unique<Verity>(kPlain);
    verity::RequireTrusted(verity_->Table(), Root());
  }
  [[nodiscard]] const std::string& Root() const { return verity_->image.root_hex; }
  std::unique_ptr<Verity> verity_;
};

KASSAY_CASE_F(BuiltIn, KeysAreTrusted, Cites("DMV-022", "DMV-028").Profile("uefi").Timeout(60)) {
  for (const char* name : {"trusted-rsa", "trusted-ecdsa"}) {
    const Signer signer(name);
    const CmsMessage message = signer.Over(Root());
    ExpectGood(verity_->image, Signed(verity_->Table(), message), name);
    CmsMessage attributes = message;
    attributes.signers[0].attributes = SignedAttributes{};
    ExpectGood(verity_->image, Signed(verity_->Table(), attributes),
               std::string(name) + ", attributes");
    CmsMessage damaged = message;
    damaged.signers[0].signature = Flipped(signer.key.Sign(Root() + "0", kSha512), 12);
    ExpectRefused(Signed(verity_->Table(), damaged), EKEYREJECTED, std::string(name) + ", damaged");
  }
}

KASSAY_CASE_F(BuiltIn, KeysStayTrustedBesideTheKeyring,
              Cites("DMV-013").Profile("uefi").Timeout(60)) {
  REQUIRE_OPEN_KEYRING();
  const VerityTable table = Signed(verity_->Table(), Signer("trusted-rsa").Over(Root()));
  ExpectGood(verity_->image, table, "the keyring is empty");
  Trust({FixtureCertificate(kRsa)});
  ExpectGood(verity_->image, table, "the keyring has another certificate");
}

KASSAY_CASE_F(BuiltIn, TheLastKeyringDeterminesTheError,
              Cites("DMV-011").Profile("uefi").Timeout(60)) {
  REQUIRE_OPEN_KEYRING();
  const Signer signer("trusted-rsa");
  CmsMessage message = signer.Over(Root());
  message.signers[0].signature = Flipped(signer.key.Sign(Root(), kSha512), 12);
  const VerityTable damaged = Signed(verity_->Table(), message);
  ExpectRefused(damaged, EKEYREJECTED, "only the system's keyrings are asked");
  ASSERT_GT(AddCertificate(FixtureCertificate(kEcdsa), VerityKeyring()), 0);
  ExpectRefused(damaged, EKEYREJECTED, ".dm-verity is open");
  ASSERT_THAT(Seal(VerityKeyring()), IsErrno(0));
  ExpectRefused(damaged, ENOKEY, ".dm-verity is asked last, and does not know the signer");
}

// One name in both: the system's answer is no, the keyring's is yes.
KASSAY_CASE_F(BuiltIn, TheKeyringIsAskedAlsoAfterARejection,
              Cites("DMV-011").Profile("uefi").Timeout(60)) {
  REQUIRE_OPEN_KEYRING();
  const Signer trusted("trusted-rsa");
  const SigningKey other = FixtureKey(kRsa);
  CertificateFields twin = Certify({"twin", &other}, {"twin", &other}, true, 1);
  twin.issuer = trusted.ids.issuer;
  twin.subject = trusted.ids.issuer;
  twin.serial = trusted.ids.serial;
  SignAnew(twin, other);
  const VerityTable table = Signed(verity_->Table(), Detached(Root(), other, trusted.ids));
  ExpectRefused(table, EKEYREJECTED, "the built-in key of that name did not sign");
  Trust({twin.Der()});
  ExpectGood(verity_->image, table, "the keyring's key of that name did");
}

}  // namespace
}  // namespace kassay::verity
