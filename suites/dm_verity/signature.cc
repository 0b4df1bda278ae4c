// The signature's key, and what a signature comes to where nobody vouches for it: also on kernels
// that have no .dm-verity.
#include <unistd.h>

#include "suites/dm_verity/trust.h"
#include "suites/support/child.h"

namespace kassay::verity {
namespace {

class Signature : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_VERITY();
    verity_ = std::make_unique<Verity>(kPlain);
    signer_ = std::make_unique<Signer>(kRsa);
  }
  [[nodiscard]] std::string Good() const { return signer_->Over(verity_->image.root_hex).Der(); }
  void ExpectSigned(const std::string& signature, int error, const std::string& what) const {
    ExpectRefused(Signed(verity_->Table(), signature), error, what);
  }
  void ExpectKey(const std::string& description, int error, const std::string& what) const {
    ExpectRefused(verity_->Table().With({"root_hash_sig_key_desc", description}), error, what);
  }

  std::unique_ptr<Verity> verity_;
  std::unique_ptr<Signer> signer_;
};

KASSAY_CASE_F(Signature, OfAStrangerFindsNoKey, Cites("DMV-027").Timeout(60)) {
  const std::string good = Good();
  ExpectSigned(good, ENOKEY, "right");
  ExpectSigned(Flipped(good, good.size() - 1), ENOKEY, "damaged: never looked at");
  ExpectSigned(signer_->Over("other text").Der(), ENOKEY, "of other text");
  CmsMessage inside = signer_->Over(verity_->image.root_hex);
  inside.certificates.push_back(signer_->certificate);
  ExpectSigned(inside.Der(), ENOKEY, "with its certificate");
  ExpectGood(verity_->image, verity_->Table(), "unsigned");
}

// With the certificate inside the signature is looked at before trust is.
KASSAY_CASE_F(Signature, ThatIsWrongIsRejectedByItsOwnCertificate, Cites("DMV-028").Timeout(60)) {
  CmsMessage inside = signer_->Over("other text");
  inside.certificates.push_back(signer_->certificate);
  ExpectSigned(inside.Der(), EKEYREJECTED, "of other text");
  inside = signer_->Over(verity_->image.root_hex);
  inside.certificates.push_back(signer_->certificate);
  inside.signers[0].signature = Flipped(signer_->key.Sign(verity_->image.root_hex, kSha512), 7);
  // What is not even padded as it must be (crypto/rsassa-pkcs1.c:rsassa_pkcs1_verify).
  ExpectSigned(inside.Der(), EINVAL, "damaged");
  CmsMessage right = signer_->Over(verity_->image.root_hex);
  right.certificates.push_back(signer_->certificate);
  ExpectSigned(right.Der(), ENOKEY, "as it should be: right, and nobody's");
}

KASSAY_CASE_F(Signature, ThatIsNoneIsMalformed, Cites("DMV-029").Timeout(60)) {
  const std::string good = Good();
  ExpectSigned("garbage", EBADMSG, "garbage");
  ExpectSigned(good.substr(0, good.size() - 1), EBADMSG, "one byte short");
  ExpectSigned(good.substr(0, 20), EBADMSG, "twenty bytes");
  ExpectSigned(verity_->image.root_hex, EBADMSG, "the root's text");
}

KASSAY_CASE_F(Signature, WithContentIsMalformed, Cites("DMV-026").Timeout(60)) {
  CmsMessage message = signer_->Over(verity_->image.root_hex);
  message.attached = true;
  ExpectSigned(message.Der(), EBADMSG, "content inside");
}

KASSAY_CASE_F(Signature, WhoseKeyIsNotThereIsNotFound, Cites("DMV-030")) {
  ExpectKey("kassay:nothing", ENOKEY, "no such key");
  const std::string kept = KeepSignature(Good());
  ExpectKey(kept.substr(0, kept.size() - 1), ENOKEY, "part of a description");
  // A key of another type under the same description.
  ASSERT_GT(add_key("logon", "kassay:logon", "x", 1, KEY_SPEC_PROCESS_KEYRING), 0);
  ExpectKey("kassay:logon", ENOKEY, "a key of another type");
  ExpectGood(verity_->image, verity_->Table(), "without");
}

// Only what the caller's own keyrings hold is found.
KASSAY_CASE_F(Signature, OnAKeyringOfNobodysIsNotFound, Cites("DMV-030").Timeout(60)) {
  // A child has a process keyring of its own (kernel/cred.c:copy_creds).
  const auto in_child = InChild([&] {
    const std::string description = KeepSignature("garbage");
    return Activate(verity_->Table().With({"root_hash_sig_key_desc", description})).error;
  });
  EXPECT_THAT(in_child, Returned(IsErrno(EBADMSG))) << "the child finds its own";
  ExpectKey("kassay:signature1", ENOKEY, "what only the child had");
}

KASSAY_CASE_F(Signature, WhoseKeyIsRevokedIsNotUsed, Cites("DMV-031").Timeout(60)) {
  const auto keep = [&](const std::string& name) {
    const std::string good = Good();
    return add_key("user", name.c_str(), good.data(), good.size(), KEY_SPEC_PROCESS_KEYRING);
  };
  const Serial revoked = keep("kassay:revoked");
  ASSERT_THAT(keyctl_revoke(revoked), SyscallSucceeds());
  ExpectKey("kassay:revoked", ENOKEY, "revoked");
  const Serial invalidated = keep("kassay:invalidated");
  ASSERT_THAT(keyctl_invalidate(invalidated), SyscallSucceeds());
  ExpectKey("kassay:invalidated", ENOKEY, "invalidated");
  const Serial expired = keep("kassay:expired");
  ASSERT_THAT(keyctl_set_timeout(expired, 1), SyscallSucceeds());
  sleep(3);
  const Activation activation =
      Activate(verity_->Table().With({"root_hash_sig_key_desc", "kassay:expired"}));
  EXPECT_THAT(activation.error, testing::AnyOf(IsErrno(ENOKEY), IsErrno(EKEYEXPIRED)));
  EXPECT_FALSE(activation.device.HasTable());
}

KASSAY_CASE_F(Signature, TheOptionNeedsItsValueAndStandsOnce, Cites("DMV-032")) {
  ExpectRefused(verity_->Table().With({"root_hash_sig_key_desc"}), EINVAL, "no value");
  const std::string kept = KeepSignature(Good());
  ExpectRefused(
      verity_->Table().With({"root_hash_sig_key_desc", kept, "root_hash_sig_key_desc", kept}),
      EINVAL, "twice");
  ExpectRefused(verity_->Table().With({"root_hash_sig_key_desc", kept, "unknown_option"}), EINVAL,
                "an unknown option after it");
}

}  // namespace
}  // namespace kassay::verity
