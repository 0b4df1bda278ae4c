// Built-in signatures: what is accepted, and each way to be refused.
#include "harness/base/text/hex.h"
#include "suites/fs_verity/signer.h"
#include "suites/support/child.h"
#include "suites/support/user_namespace.h"

namespace kassay::verity {
namespace {

using namespace trust;  // NOLINT(google-build-using-namespace)
using Signature = WithKeyring;

KASSAY_CASE_F(Signature, NobodyIsTrustedAtFirst, Cites("FSV-041")) {
  const Signer signer("verity-rsa");
  ExpectRefused(signer.For(content_), ENOKEY, "right");
  ExpectRefused("garbage", ENOKEY, "garbage is not looked at");
  ExpectRefused(std::string(kMostSignatureBytes, 'x'), ENOKEY, "the longest");
  // Unsigned files do not depend on it.
  ExpectVerity(Verity("unsigned", content_), content_);
}

KASSAY_CASE_F(Signature, ARightOneIsAcceptedAndKept, Cites("FSV-040")) {
  const Signer signer("verity-rsa");
  Trust(signer);
  ExpectAccepted("usual", signer.For(content_));
  // No part of the digest: the unsigned file has the same.
  EXPECT_EQ(ToHex(Measure(Verity("unsigned", content_)).digest),
            ToHex(Measure(Path("usual")).digest));
  const std::string descriptor = MerkleTree(content_, {}).descriptor;
  EXPECT_EQ(ToHex(ReadMetadata(OpenToRead(Path("usual")).Get(), 2).bytes), ToHex(descriptor));
  // By remount it is read from the medium.
  ASSERT_OK(medium().Remount());
  ExpectVerity(Path("usual"), content_);
  EXPECT_TRUE(ReadMetadata(OpenToRead(Path("usual")).Get(), 3).bytes == signer.For(content_));
}

KASSAY_CASE_F(Signature, EveryKindOfKeyAndDigest, Cites("FSV-040").Timeout(120)) {
  for (const char* fixture : {"verity-rsa", "verity-ecdsa"}) {
    const Signer signer(fixture);
    Trust(signer);
    const std::string blob =
        FormattedDigest(MerkleTree(content_, {}).file_digest, kSha256Algorithm);
    for (const DigestName digest : {kSha256, kSha384, kSha512})
      ExpectAccepted(std::string(fixture) + std::string(digest.name),
                     signer.Over(blob, digest).Der());
    CmsMessage attributes = signer.Over(blob);
    attributes.signers[0].attributes = SignedAttributes{};
    ExpectAccepted(std::string(fixture) + "-attributes", attributes.Der());
  }
}

KASSAY_CASE_F(Signature, EverySettingOfAFile, Cites("FSV-040").Timeout(120)) {
  const Signer signer("verity-rsa");
  Trust(signer);
  for (const Setting& setting : {Setting{kSha512Algorithm, 4096, "", ""},
                                 Setting{kSha256Algorithm, 1024, Content(32, 2), ""}})
    ExpectAccepted("file" + std::to_string(setting.block_size), signer.For(content_, setting),
                   setting);
}

KASSAY_CASE_F(Signature, WindowsOfItReadBack, Cites("FSV-040")) {
  const Signer signer("verity-rsa");
  Trust(signer);
  const std::string signature = signer.For(content_);
  ExpectAccepted("file", signature);
  const UniqueFd fd = OpenToRead(Path("file"));
  for (const auto& [offset, length] : {std::pair<std::size_t, std::size_t>{0, 1},
                                       {10, 20},
                                       {signature.size() - 1, 10},
                                       {signature.size(), 10}}) {
    EXPECT_TRUE(ReadMetadata(fd.Get(), 3, offset, length).bytes == signature.substr(offset, length))
        << offset;
  }
}

KASSAY_CASE_F(Signature, ItIsOverTheFormattedDigest, Cites("FSV-042").Timeout(120)) {
  const Signer signer("verity-rsa");
  Trust(signer);
  const std::string digest = MerkleTree(content_, {}).file_digest;
  const std::string right = FormattedDigest(digest, kSha256Algorithm);
  const auto refused = [&](const std::string& bytes, const std::string& what) {
    ExpectRefused(signer.Over(bytes).Der(), EKEYREJECTED, what);
  };
  std::string changed = right;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  refused(changed, "another digest");
  refused(FormattedDigest(digest, kSha512Algorithm), "another algorithm");
  refused("FSverity" + right.substr(8), "another magic");
  refused(digest, "the digest alone");
  refused(ToHex(digest), "the digest as text");
  refused(right + std::string(1, '\0'), "a byte too many");
  refused(right.substr(0, right.size() - 1), "a byte too few");
  refused(MerkleTree(content_, {}).root_hash, "the root hash");
  refused(content_, "the content");
  refused("", "nothing");
  ExpectRefused(signer.For(Content(kUsualSize, 2)), EKEYREJECTED, "another file's");
  ExpectAccepted("file", signer.Over(right).Der());
}

KASSAY_CASE_F(Signature, ADamagedOneIsRefused, Cites("FSV-042").Timeout(120)) {
  const Signer signer("verity-rsa");
  Trust(signer);
  const std::string right = signer.For(content_);
  std::string changed = right;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  ExpectRefused(changed, EKEYREJECTED, "last byte");
  ExpectRefused("garbage", EBADMSG, "garbage");
  ExpectRefused(std::string(1, '\0'), EBADMSG, "one zero");
  for (const std::size_t size : {std::size_t{1}, std::size_t{20}, right.size() - 1})
    ExpectRefused(right.substr(0, size), EBADMSG, "the first " + std::to_string(size) + " bytes");
  ExpectRefused(std::string(kMostSignatureBytes, 'x'), EBADMSG, "the longest");
  CmsMessage attached =
      signer.Over(FormattedDigest(MerkleTree(content_, {}).file_digest, kSha256Algorithm));
  attached.attached = true;
  ExpectRefused(attached.Der(), EBADMSG, "with its content");
}

KASSAY_CASE_F(Signature, SomebodyUnknownIsRefused, Cites("FSV-042")) {
  Trust(Signer("verity-rsa"));
  const Signer stranger("stranger-rsa");
  ExpectRefused(stranger.For(content_), ENOKEY, "unknown");
  CmsMessage inside =
      stranger.Over(FormattedDigest(MerkleTree(content_, {}).file_digest, kSha256Algorithm));
  inside.certificates.push_back(stranger.certificate);
  ExpectRefused(inside.Der(), ENOKEY, "unknown, who brings a certificate");
  // Only .fs-verity is asked, not whoever else is known to the kernel or the caller.
  ASSERT_GT(AddCertificate(stranger.certificate), 0);
  ExpectRefused(stranger.For(content_), ENOKEY, "known to the process");
  // Somebody trusted, whose signature somebody else made.
  CmsMessage forged =
      stranger.Over(FormattedDigest(MerkleTree(content_, {}).file_digest, kSha256Algorithm));
  forged.signers[0].ids = Signer("verity-rsa").ids;
  ExpectRefused(forged.Der(), EKEYREJECTED, "in the name of somebody trusted");
}

// The kernel's own trusted keys are no signers of files.
KASSAY_CASE_F(Signature, BuiltinKeysAreNotAsked, Cites("FSV-042")) {
  const Signer builtin("trusted-rsa");
  Trust(Signer("verity-rsa"));
  ExpectRefused(builtin.For(content_), ENOKEY, "trusted by the kernel, if it is, and not here");
}

KASSAY_CASE_F(Signature, AFileIsVerifiedWheneverItIsLoaded, Cites("FSV-051").Timeout(120)) {
  const Signer signer("verity-rsa");
  Trust(signer);
  ExpectAccepted("file", signer.For(content_));
  const std::string path = Path("file");
  ASSERT_EQ(keyctl_clear(ring_), 0);
  EXPECT_EQ(TryOpen(path, O_RDONLY), 0) << "what is loaded is loaded";
  ASSERT_OK(medium().Remount());
  EXPECT_THAT(TryOpen(path, O_RDONLY), IsErrno(ENOKEY));
  EXPECT_THAT(TryOpen(path, O_RDWR), IsErrno(EPERM));
  EXPECT_NE(Statx(path).attributes & kStatxVerity, 0U);
  Trust(Signer("stranger-rsa"));
  EXPECT_THAT(TryOpen(path, O_RDONLY), IsErrno(ENOKEY));
  Trust(signer);
  ExpectVerity(path, content_);
}

KASSAY_CASE_F(Signature, OneThatIsChangedOnTheMediumIsRefused, Cites("FSV-051").Timeout(120)) {
  const Signer signer("verity-rsa");
  Trust(signer);
  const std::string signature = signer.For(content_);
  ExpectAccepted("file", signature);
  std::string block = MerkleTree(content_, {}).descriptor;
  block[4] = static_cast<char>(signature.size());
  block[5] = static_cast<char>(signature.size() >> 8);
  block += signature;
  const auto place = medium().Find(block);
  ASSERT_OK(place);
  const std::size_t last = block.size() - 1;
  const std::string changed(1, static_cast<char>(block[last] ^ 1));
  ASSERT_OK(medium().WriteUnmounted(*place + last, changed));
  EXPECT_THAT(TryOpen(Path("file"), O_RDONLY), IsErrno(EKEYREJECTED));
  ASSERT_OK(medium().WriteUnmounted(*place + kDescriptorSize, "x"));
  EXPECT_THAT(TryOpen(Path("file"), O_RDONLY), IsErrno(EBADMSG));
  // Without a size there is no signature, and nobody asked for one.
  ASSERT_OK(medium().WriteUnmounted(*place + 4, std::string(4, '\0')));
  ExpectVerity(Path("file"), content_);
}

class MlDsaSignature : public WithKeyring {};

KASSAY_CASE_F(MlDsaSignature, EverySetIsAccepted, Cites("FSV-043").Timeout(120)) {
  const std::string blob = FormattedDigest(MerkleTree(content_, {}).file_digest, kSha256Algorithm);
  for (const char* fixture : {"verity-mldsa44", "verity-mldsa65", "verity-mldsa87"}) {
    const Signer signer(fixture);
    CmsMessage message = signer.Over(blob, kSha512);
    message.signers[0].attributes = SignedAttributes{};
    if (CountOf(ring_) == 0) ExpectRefused(message.Der(), ENOKEY, "nobody is trusted");
    Trust(signer);
    ExpectAccepted(fixture, message.Der());
  }
}

KASSAY_CASE_F(MlDsaSignature, WrongOnesAreRefused, Cites("FSV-043").Timeout(120)) {
  const Signer signer("verity-mldsa65");
  Trust(signer);
  const std::string blob = FormattedDigest(MerkleTree(content_, {}).file_digest, kSha256Algorithm);
  CmsMessage message = signer.Over(blob + "x", kSha512);
  message.signers[0].attributes = SignedAttributes{};
  ExpectRefused(message.Der(), EKEYREJECTED, "over something else");
  const Signer stranger("stranger-mldsa65");
  message = stranger.Over(blob, kSha512);
  message.signers[0].attributes = SignedAttributes{};
  ExpectRefused(message.Der(), ENOKEY, "unknown");
  message = signer.Over(blob, kSha512);
  message.signers[0].attributes = SignedAttributes{};
  std::string changed = message.Der();
  changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
  ExpectRefused(changed, EKEYREJECTED, "a bit of the signature");
}

// Where the kernel has no ML-DSA, nothing of it may be taken for trusted.
KASSAY_CASE_F(MlDsaSignature, WithoutMlDsaNothingIsTrusted, Cites("FSV-043").Detection()) {
  const Signer signer("verity-mldsa65");
  const Serial key = AddCertificate(signer.certificate, ring_);
  if (key > 0) KASSAY_ABSENT("this kernel has ML-DSA");
  EXPECT_TRUE(key == -ENOENT || key == -ENOPKG) << ErrnoName(-key);
  EXPECT_EQ(CountOf(ring_), 0);
  CmsMessage message =
      signer.Over(FormattedDigest(MerkleTree(content_, {}).file_digest, kSha256Algorithm), kSha512);
  message.signers[0].attributes = SignedAttributes{};
  ExpectRefused(message.Der(), ENOKEY, "with nobody trusted");
  Trust(Signer("verity-rsa"));
  const std::string path = Plain("file", content_);
  const long seen = Enable(path, {kSha256Algorithm, 4096, "", message.Der()});
  EXPECT_TRUE(seen == -ENOKEY || seen == -ENOPKG) << ErrnoName(static_cast<int>(-seen));
  ExpectPlain(path, content_);
}

}  // namespace
}  // namespace kassay::verity
