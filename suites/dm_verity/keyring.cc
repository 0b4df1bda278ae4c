// The keyring .dm-verity, open: who may add, when it counts, and what it vouches for.
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/text/hex.h"
#include "suites/dm_verity/trust.h"
#include "suites/support/child.h"
#include "suites/support/kernel_config.h"

namespace kassay::verity {
namespace {

class Keyring : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_OPEN_KEYRING();
    keyring_ = VerityKeyring();
    ASSERT_GT(keyring_, 0);
    verity_ = std::make_unique<Verity>(kPlain);
    signer_ = std::make_unique<Signer>(kRsa);
    signed_ = Signed(verity_->Table(), signer_->Over(Root()));
  }
  [[nodiscard]] const std::string& Root() const { return verity_->image.root_hex; }
  void ExpectTrusted(const std::string& what) const { ExpectGood(verity_->image, signed_, what); }
  void ExpectUntrusted(const std::string& what, int error = ENOKEY) const {
    ExpectRefused(signed_, error, what);
  }

  Serial keyring_ = 0;
  std::unique_ptr<Verity> verity_;
  std::unique_ptr<Signer> signer_;
  VerityTable signed_;
};

KASSAY_CASE_F(Keyring, IsRootsAndNobodyElses, Cites("DMV-001")) {
  EXPECT_EQ(Describe(keyring_), "keyring;0;0;082f0000;.dm-verity");
  EXPECT_EQ(CountOf(keyring_), 0);
}

KASSAY_CASE_F(Keyring, TheParameterTellsThatItIsOpen, Cites("DMV-002")) {
  const std::string path = "/sys/module/dm_verity/parameters/keyring_unsealed";
  EXPECT_EQ(Parameter("keyring_unsealed"), "Y");
  struct stat info {};
  ASSERT_THAT(stat(path.c_str(), &info), SyscallSucceeds());
  EXPECT_EQ(info.st_mode & 07777U, 0444U);
}

KASSAY_CASE_F(Keyring, TakesCertificatesUntilItIsSealed, Cites("DMV-005", "DMV-008")) {
  const Serial rsa = AddCertificate(FixtureCertificate(kRsa), keyring_);
  EXPECT_GT(rsa, 0);
  EXPECT_GT(AddCertificate(FixtureCertificate(kEcdsa), keyring_), 0);
  EXPECT_EQ(CountOf(keyring_), 2);
  EXPECT_THAT(Seal(keyring_), IsErrno(0));
  EXPECT_THAT(AddCertificate(FixtureCertificate("stranger-rsa"), keyring_), IsErrno(EPERM));
  const Serial elsewhere = AddCertificate(FixtureCertificate("stranger-rsa"));
  ASSERT_GT(elsewhere, 0);
  EXPECT_THAT(Link(elsewhere, keyring_), IsErrno(EPERM));
  EXPECT_EQ(CountOf(keyring_), 2);
  EXPECT_TRUE(Contains(keyring_, rsa));
  EXPECT_FALSE(Contains(keyring_, elsewhere));
}

// The certificate that is there already would be an update, which is no way in either.
KASSAY_CASE_F(Keyring, SealedItTakesNothingOfAnyKind, Cites("DMV-004", "DMV-008").Timeout(60)) {
  Trust({FixtureCertificate(kEcdsa)});
  EXPECT_THAT(Seal(keyring_), IsErrno(EEXIST));
  EXPECT_THAT(Restrict(keyring_, "builtin_trusted"), IsErrno(EEXIST));
  for (const char* name : {"verity-rsa", "verity-ecdsa", "trusted-rsa", "stranger-rsa"})
    EXPECT_LT(AddCertificate(FixtureCertificate(name), keyring_), 0) << name;
  EXPECT_EQ(add_key("user", "kassay:any", "x", 1, keyring_), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(add_key("keyring", "kassay:ring", nullptr, 0, keyring_), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(CountOf(keyring_), 1);
  ExpectUntrusted("a signer that came too late");
}

KASSAY_CASE_F(Keyring, CountsOnlyOnceItIsSealed, Cites("DMV-006", "DMV-007").Timeout(60)) {
  ExpectUntrusted("empty and open");
  ASSERT_GT(AddCertificate(signer_->certificate, keyring_), 0);
  ExpectUntrusted("the signer is there, and the keyring is open");
  ASSERT_THAT(Seal(keyring_), IsErrno(0));
  ExpectTrusted("the keyring is sealed");
}

// A restriction by type and keys is one as well: what it lets in later counts.
KASSAY_CASE_F(Keyring, CountsWithARestrictionOfAnotherKind, Cites("DMV-007").Timeout(60)) {
  ASSERT_GT(AddCertificate(signer_->certificate, keyring_), 0);
  ASSERT_THAT(Restrict(keyring_, "builtin_trusted"), IsErrno(0));
  ExpectTrusted("restricted to what built-in keys signed");
  EXPECT_LT(AddCertificate(FixtureCertificate("stranger-rsa"), keyring_), 0);
  EXPECT_EQ(CountOf(keyring_), 1);
}

KASSAY_CASE_F(Keyring, SealedAndEmptyItVouchesForNothing, Cites("DMV-009").Timeout(60)) {
  ASSERT_THAT(Seal(keyring_), IsErrno(0));
  ExpectUntrusted("sealed with nothing in it");
  EXPECT_THAT(AddCertificate(signer_->certificate, keyring_), IsErrno(EPERM));
}

KASSAY_CASE_F(Keyring, WhatIsTakenOutVouchesNoLonger, Cites("DMV-009").Timeout(60)) {
  const Serial key = AddCertificate(signer_->certificate, keyring_);
  ASSERT_GT(key, 0);
  const Serial other = AddCertificate(FixtureCertificate(kEcdsa), keyring_);
  ASSERT_GT(other, 0);
  ASSERT_THAT(Seal(keyring_), IsErrno(0));
  ExpectTrusted("before");
  EXPECT_THAT(keyctl_unlink(other, keyring_), SyscallSucceeds());
  ExpectTrusted("without the other");
  EXPECT_THAT(keyctl_unlink(key, keyring_), SyscallSucceeds());
  EXPECT_EQ(CountOf(keyring_), 0);
  ExpectUntrusted("emptied");
  const Serial again = AddCertificate(signer_->certificate);
  ASSERT_GT(again, 0);
  EXPECT_THAT(Link(again, keyring_), IsErrno(EPERM));
}

KASSAY_CASE_F(Keyring, ClearedItVouchesForNothing, Cites("DMV-018").Timeout(60)) {
  Trust({signer_->certificate});
  ExpectTrusted("before");
  EXPECT_THAT(keyctl_clear(keyring_), SyscallSucceeds());
  ExpectUntrusted("cleared");
  EXPECT_THAT(AddCertificate(signer_->certificate, keyring_), IsErrno(EPERM));
}

KASSAY_CASE_F(Keyring, RevokedItVouchesForNothing, Cites("DMV-018").Timeout(60)) {
  Trust({signer_->certificate});
  ExpectTrusted("before");
  EXPECT_THAT(keyctl_revoke(keyring_), SyscallSucceeds());
  ExpectUntrusted("revoked");
  ExpectGood(verity_->image, verity_->Table(), "without a signature");
}

KASSAY_CASE_F(Keyring, ARevokedCertificateVouchesNoLonger, Cites("DMV-018").Timeout(60)) {
  // What lies in .dm-verity alone is nobody's to revoke; this one is also on a keyring of ours.
  const Serial key = AddCertificate(signer_->certificate);
  ASSERT_GT(key, 0);
  ASSERT_THAT(Link(key, keyring_), IsErrno(0));
  ASSERT_GT(AddCertificate(FixtureCertificate(kEcdsa), keyring_), 0);
  ASSERT_THAT(Seal(keyring_), IsErrno(0));
  ExpectTrusted("before");
  ASSERT_THAT(keyctl_revoke(key), SyscallSucceeds());
  // security/keys/keyring.c:keyring_search_iterator; find_asymmetric_key() passes it on.
  ExpectUntrusted("revoked", EKEYREVOKED);
}

// A key that has no signatures to check is none.
KASSAY_CASE_F(Keyring, OtherKindsOfKeysVouchForNothing, Cites("DMV-009").Timeout(60)) {
  ASSERT_GT(add_key("user", "kassay:any", signer_->certificate.data(), signer_->certificate.size(),
                    keyring_),
            0);
  ASSERT_THAT(Seal(keyring_), IsErrno(0));
  ExpectUntrusted("the certificate's bytes as a key of type user");
}

KASSAY_CASE_F(Keyring, ADamagedSignatureIsRejected, Cites("DMV-010").Timeout(60)) {
  Trust({signer_->certificate});
  const std::string good = signer_->Over(Root()).Der();
  ExpectGood(verity_->image, Signed(verity_->Table(), good), "as it should be");
  for (const std::size_t at : {good.size() - 1, good.size() - 128, good.size() - 256})
    ExpectRefused(Signed(verity_->Table(), Flipped(good, at)), EKEYREJECTED,
                  "byte " + std::to_string(at) + " of " + std::to_string(good.size()));
}

KASSAY_CASE_F(Keyring, AMalformedSignatureIsMalformed, Cites("DMV-012", "DMV-029").Timeout(60)) {
  Trust({signer_->certificate});
  const std::string good = signer_->Over(Root()).Der();
  const auto expect_malformed = [&](const std::string& signature, const std::string& what) {
    ExpectRefused(Signed(verity_->Table(), signature), EBADMSG, what);
  };
  expect_malformed("garbage", "garbage");
  expect_malformed(std::string(2000, '\0'), "zeros");
  expect_malformed(good.substr(0, good.size() - 1), "one byte short");
  expect_malformed(good.substr(0, good.size() / 2), "half of it");
  expect_malformed(good.substr(0, 1), "one byte");
  expect_malformed(Flipped(good, 0), "another tag");
  ExpectTrusted("as it should be");
}

KASSAY_CASE_F(Keyring, TheSignedTextIsTheRootsTextAndNothingElse, Cites("DMV-024").Timeout(60)) {
  Trust({signer_->certificate});
  std::string upper = Root();
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  const std::string texts[] = {Root() + "\n",
                               Root() + std::string(1, '\0'),
                               " " + Root(),
                               upper,
                               FromHex(Root()).value(),
                               Root().substr(0, 63),
                               Root().substr(1),
                               Root() + "0",
                               "sha256:" + Root(),
                               "",
                               Root() + Root(),
                               "0x" + Root()};
  for (const std::string& text : texts)
    ExpectRefused(Signed(verity_->Table(), signer_->Over(text)), EKEYREJECTED,
                  "signed: '" + text + "'");
  ExpectTrusted("the text");
}

KASSAY_CASE_F(Keyring, TheTablesCaseCounts, Cites("DMV-025").Timeout(60)) {
  Trust({signer_->certificate});
  VerityTable table = verity_->Table();
  for (char& c : table.root) c = static_cast<char>(std::toupper(c));
  const VerityTable upper = Signed(table, signer_->Over(table.root));
  ExpectGood(verity_->image, upper, "both in upper case");
  const Activation activation = Activate(upper);
  EXPECT_THAT(activation.device.Table(), testing::HasSubstr(" " + Root() + " "))
      << "it is told in lower case";
  ExpectRefused(Signed(table, signer_->Over(Root())), EKEYREJECTED,
                "table in upper case, signature in lower");
  table.root[0] = Root()[0];
  table.root[63] = Root()[63];
  ExpectGood(verity_->image, Signed(table, signer_->Over(table.root)), "mixed");
}

KASSAY_CASE_F(Keyring, ASignatureIsGoodForItsOwnRootOnly, Cites("DMV-036").Timeout(60)) {
  Trust({signer_->certificate});
  const Verity other(kOneBlock);
  ExpectRefused(Signed(other.Table(), signer_->Over(Root())), EKEYREJECTED, "another image's");
  ExpectGood(other.image, Signed(other.Table(), signer_->Over(other.image.root_hex)), "its own");
  // Salt and algorithm are not signed: the root stands for them, for with others nothing reads.
  VerityTable salted = signed_;
  salted.salt = "00112234";
  const Activation activation = Activate(salted);
  ASSERT_THAT(activation.error, IsErrno(0));
  ExpectUnreadable(activation.device, verity_->image, 0, "another salt");
}

KASSAY_CASE_F(Keyring, AMessageWithContentIsMalformed, Cites("DMV-012", "DMV-026").Timeout(60)) {
  Trust({signer_->certificate});
  CmsMessage message = signer_->Over(Root());
  message.attached = true;
  ExpectRefused(Signed(verity_->Table(), message), EBADMSG, "the root's text inside");
  message = signer_->Over("other content");
  message.attached = true;
  ExpectRefused(Signed(verity_->Table(), message), EBADMSG, "other content inside");
  ExpectTrusted("nothing inside");
}

KASSAY_CASE_F(Keyring, ASignersAttributesAreTaken, Cites("DMV-019", "DMV-034").Timeout(60)) {
  Trust({signer_->certificate});
  CmsMessage message = signer_->Over(Root());
  message.signers[0].attributes = SignedAttributes{};
  ExpectGood(verity_->image, Signed(verity_->Table(), message), "attributes");
  message.signers[0].attributes = SignedAttributes{.message_digest = Digest(kSha512, "other")};
  ExpectRefused(Signed(verity_->Table(), message), EKEYREJECTED, "digest of other content");
  message.signers[0].attributes =
      SignedAttributes{.message_digest = Digest(kSha512, Root()).substr(0, 63)};
  ExpectRefused(Signed(verity_->Table(), message), EBADMSG, "digest one byte short");
}

KASSAY_CASE_F(Keyring, EveryDigestThatIsSupportedIsTaken,
              Cites("DMV-019", "DMV-023", "DMV-035").Timeout(90)) {
  const Signer ecdsa(kEcdsa);
  Trust({signer_->certificate, ecdsa.certificate});
  for (const Signer* signer : std::initializer_list<const Signer*>{signer_.get(), &ecdsa}) {
    for (const DigestName digest : {kSha256, kSha384, kSha512, kSha1}) {
      if (digest.name == kSha1.name && OptionIsOff("CONFIG_CRYPTO_SHA1")) continue;
      const std::string what = signer->name + " " + std::string(digest.name);
      ExpectGood(verity_->image, Signed(verity_->Table(), signer->Over(Root(), digest)), what);
      ExpectRefused(Signed(verity_->Table(), signer->Over(Root() + "\n", digest)), EKEYREJECTED,
                    what + ", other text");
    }
    for (const DigestName digest : {kShake256, kMd5})
      ExpectRefused(Signed(verity_->Table(), signer->Over(Root(), digest)), ENOPKG,
                    signer->name + " " + std::string(digest.name));
  }
}

KASSAY_CASE_F(Keyring, ACertificateInTheMessageIsNoTrustByItself,
              Cites("DMV-017", "DMV-027").Timeout(60)) {
  Trust({FixtureCertificate("trusted-rsa")});
  const Signer leaf("leaf-rsa");
  CmsMessage message = leaf.Over(Root());
  ExpectRefused(Signed(verity_->Table(), message), ENOKEY, "the leaf's certificate outside");
  message.certificates.push_back(leaf.certificate);
  ExpectGood(verity_->image, Signed(verity_->Table(), message), "the leaf's certificate inside");
  message.signers[0].signature = leaf.key.Sign(Root() + "0", kSha512);
  ExpectRefused(Signed(verity_->Table(), message), EKEYREJECTED,
                "the leaf's signature of other text");
  // Self-signed, brought along: whoever made the image can make one.
  CmsMessage own = signer_->Over(Root());
  own.certificates.push_back(signer_->certificate);
  ExpectRefused(Signed(verity_->Table(), own), ENOKEY, "a certificate that only the message knows");
}

// Its name and number are those of a trusted one.
KASSAY_CASE_F(Keyring, AnImpostorIsRejected, Cites("DMV-010", "DMV-027").Timeout(60)) {
  Trust({signer_->certificate});
  const SigningKey stranger = FixtureKey("stranger-rsa");
  CmsMessage message = Detached(Root(), stranger, signer_->ids);
  ExpectRefused(Signed(verity_->Table(), message), EKEYREJECTED, "another key, the trusted name");
  message = Detached(Root(), signer_->key, FixtureIds("stranger-rsa"));
  ExpectRefused(Signed(verity_->Table(), message), ENOKEY, "the trusted key, another name");
}

// The first failure must not open the door for the next, nor shut it.
KASSAY_CASE_F(Keyring, ARefusalChangesNothing, Cites("DMV-037").Timeout(90)) {
  Trust({signer_->certificate});
  const std::string before = Read(keyring_).payload;
  const VerityTable bad = Signed(verity_->Table(), Flipped(signer_->Over(Root()).Der(),
                                                           signer_->Over(Root()).Der().size() - 1));
  const VerityTable unknown = Signed(verity_->Table(), Signer("stranger-rsa").Over(Root()));
  for (int round = 0; round < 3; ++round) {
    EXPECT_LT(Activate(bad).error, 0);
    ExpectRefused(unknown, ENOKEY, "a stranger's");
    ExpectTrusted("after refusals");
  }
  EXPECT_EQ(Read(keyring_).payload, before);
  // Unsigned ones load as ever: they are not required here.
  ExpectGood(verity_->image, verity_->Table(), "unsigned");
}

KASSAY_CASE_F(Keyring, TheTableTellsTheSignaturesKey, Cites("DMV-033")) {
  Trust({signer_->certificate});
  const Activation activation = Activate(signed_);
  ASSERT_THAT(activation.error, IsErrno(0));
  EXPECT_EQ(activation.device.Table(),
            verity_->Table().Parameters() + " 2 root_hash_sig_key_desc " + signed_.options[1]);
  EXPECT_EQ(activation.device.Status(), Told("V -"));
}

// Seen from another user: nothing to see, nothing to add, nothing to seal.
struct Attempt {
  bool is_listed;
  long add;
  long seal;
  long describe;
  long clear;
};
Attempt AsNobody(Serial keyring, const std::string& certificate) {
  Attempt seen{};
  if (setgroups(0, nullptr) != 0 || setgid(1000) != 0 || setuid(1000) != 0)
    return {true, 1, 1, 1, 1};
  seen.is_listed = SystemKeyring(".dm-verity").has_value();
  seen.add = AddCertificate(certificate, keyring);
  seen.seal = Seal(keyring);
  char buffer[256];
  seen.describe = keyctl_describe(keyring, buffer, sizeof buffer) < 0 ? -errno : 0;
  seen.clear = keyctl_clear(keyring) < 0 ? -errno : 0;
  return seen;
}

KASSAY_CASE_F(Keyring, IsClosedToOtherUsers, Cites("DMV-014").Timeout(60)) {
  ASSERT_GT(AddCertificate(FixtureCertificate(kEcdsa), keyring_), 0);
  const auto seen = InChild([&] { return AsNobody(keyring_, signer_->certificate); });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_FALSE(seen.value->is_listed);
  EXPECT_THAT(seen.value->add, IsErrno(EACCES));
  EXPECT_THAT(seen.value->seal, IsErrno(EACCES));
  EXPECT_THAT(seen.value->describe, IsErrno(EACCES));
  EXPECT_THAT(seen.value->clear, IsErrno(EACCES));
  EXPECT_EQ(CountOf(keyring_), 1);
  ASSERT_GT(AddCertificate(signer_->certificate, keyring_), 0) << "root still may";
}

}  // namespace
}  // namespace kassay::verity
