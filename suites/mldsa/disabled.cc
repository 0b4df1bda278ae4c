// How a kernel tells that it has no ML-DSA. It must never take a certificate that proves nothing.
#include "suites/mldsa/mldsa_set.h"

namespace kassay::mldsa {
namespace {

class Detection : public PerSet {
 protected:
  enum class Support { kFull, kNamesOnly, kNone };
  // By what the kernel itself shows: an algorithm in /proc/crypto, or the names of ML-DSA in its
  // X.509 parser.
  static Support Seen() {
    const Serial key = AddPublicKey(set(), Key().public_key());
    if (key == -ENOPKG) return Support::kNone;
    (void)Query(key, kPlain);  // loads a module
    return HasAlgorithm(p().kernel_name) ? Support::kFull : Support::kNamesOnly;
  }
};
FOR_EVERY_SET(Detection);

KASSAY_CASE_P(Detection, ASelfSignedCertificateTellsWhetherTheKernelCanVerify,
              Cites("PQC-070", "PQC-073").Detection()) {
  const Support support = Seen();
  const Serial ring = NewKeyring("ring");
  const Serial key = AddCertificate(FixtureCertificate(Named("verity")), ring);
  if (support == Support::kFull) {
    EXPECT_GT(key, 0);
    return;
  }
  EXPECT_THAT(key, IsErrno(support == Support::kNamesOnly ? ENOENT : ENOPKG));
  EXPECT_EQ(CountOf(ring), 0);
  RecordEvidence("add_key", ErrnoName(-key));
}

KASSAY_CASE_P(Detection, AKeyThatCannotBeUsedSaysSo, Cites("PQC-071", "PQC-073").Detection()) {
  const Support support = Seen();
  const MlDsaKey key = Key();
  const Serial serial = AddPublicKey(set(), key.public_key());
  if (support == Support::kNone) {
    EXPECT_THAT(serial, IsErrno(ENOPKG));
    return;
  }
  ASSERT_GT(serial, 0);
  const int expected = support == Support::kFull ? 0 : ENOENT;
  EXPECT_THAT(Query(serial, kPlain).error, IsErrno(expected));
  EXPECT_THAT(Verify(serial, kPlain, "message", key.Sign("message")), IsErrno(expected));
}

// A restricted keyring must stay closed where the signature cannot be checked.
KASSAY_CASE_P(Detection, AnMlDsaCaNeverVouchesUnchecked, Cites("PQC-088").Detection()) {
  const Support support = Seen();
  const SigningKey ca = Signing('c');
  const SigningKey leaf = FixtureKey("leaf-rsa");
  // Not self-issued, so that it enters as a key where ML-DSA is only a name.
  CertificateFields wrapped = Certify({"ca", &ca}, {"root", &ca}, true, 0x1000);
  const Serial ca_key = AddCertificate(wrapped.Der());
  if (support == Support::kNone) {
    EXPECT_THAT(ca_key, IsErrno(ENOPKG));
    return;
  }
  ASSERT_GT(ca_key, 0);
  const Serial ring = NewKeyring("restricted");
  ASSERT_THAT(Restrict(ring, "key_or_keyring:" + std::to_string(ca_key)), IsErrno(0));
  const Serial added =
      AddCertificate(Certify({"leaf", &leaf}, {"ca", &ca}, false, 0x2001).Der(), ring);
  if (support == Support::kFull) {
    EXPECT_GT(added, 0);
    return;
  }
  EXPECT_THAT(added, IsErrno(ENOENT));
  EXPECT_EQ(CountOf(ring), 0);
}

}  // namespace
}  // namespace kassay::mldsa
