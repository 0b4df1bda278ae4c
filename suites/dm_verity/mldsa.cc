// Root hashes signed with ML-DSA.
#include "suites/dm_verity/trust.h"

namespace kassay::verity {
namespace {

class MlDsa : public testing::TestWithParam<MlDsaSet> {
 protected:
  void SetUp() override {
    REQUIRE_OPEN_KEYRING();
    verity_ = std::make_unique<Verity>(kPlain);
  }
  [[nodiscard]] static std::string Named(const std::string& role) {
    return role + "-" + std::string(ParametersOf(GetParam()).kernel_name);
  }
  std::unique_ptr<Verity> verity_;
};

KASSAY_CASE_P(MlDsa, SignaturesAreTaken, Cites("DMV-016").Timeout(90)) {
  const Signer signer(Named("verity"));
  const std::string& root = verity_->image.root_hex;
  CmsMessage message = signer.Over(root);
  ExpectRefused(Signed(verity_->Table(), message), ENOKEY, "before it is trusted");
  Trust({signer.certificate});
  ExpectGood(verity_->image, Signed(verity_->Table(), message), "without attributes");
  CmsMessage attributes = message;
  attributes.signers[0].attributes = SignedAttributes{};
  ExpectGood(verity_->image, Signed(verity_->Table(), attributes), "with attributes, sha512");
  CmsMessage sha256 = signer.Over(root, kSha256);
  sha256.signers[0].attributes = SignedAttributes{};
  ExpectRefused(Signed(verity_->Table(), sha256), EKEYREJECTED, "with attributes, sha256");
}

KASSAY_CASE_P(MlDsa, DamagedSignaturesAreRejected, Cites("DMV-016").Timeout(90)) {
  const Signer signer(Named("verity"));
  const std::string& root = verity_->image.root_hex;
  Trust({signer.certificate});
  const std::string good = signer.key.Sign(root, kSha512);
  const auto expect = [&](const std::string& signature, const std::string& what) {
    CmsMessage message = signer.Over(root);
    message.signers[0].signature = signature;
    ExpectRefused(Signed(verity_->Table(), message), EKEYREJECTED, what);
  };
  expect(Flipped(good, 0), "first byte");
  expect(Flipped(good, good.size() / 2), "middle byte");
  expect(Flipped(good, good.size() - 1), "last byte");
  expect(good.substr(1), "one byte short");
  expect(signer.key.Sign(root + "\n", kSha512), "of the text with a newline");
  expect(FixtureKey(kRsa).Sign(root, kSha512), "of an RSA key");
  ExpectGood(verity_->image, Signed(verity_->Table(), signer.Over(root)), "as it should be");
}

KASSAY_CASE_P(MlDsa, AnotherSetsCertificateDoesNotHelp, Cites("DMV-016").Timeout(90)) {
  const MlDsaSet other = GetParam() == MlDsaSet::k44 ? MlDsaSet::k87 : MlDsaSet::k44;
  Trust({FixtureCertificate("verity-" + std::string(ParametersOf(other).kernel_name)),
         FixtureCertificate(kRsa)});
  ExpectRefused(Signed(verity_->Table(), Signer(Named("verity")).Over(verity_->image.root_hex)),
                ENOKEY, "only others are trusted");
}

INSTANTIATE_TEST_SUITE_P(, MlDsa, testing::ValuesIn(kAllMlDsaSets),
                         [](const testing::TestParamInfo<MlDsaSet>& tested) {
                           return std::string(ParametersOf(tested.param).kernel_name);
                         });

}  // namespace
}  // namespace kassay::verity
