// How a kernel tells whether it has .dm-verity, and that without it nobody is trusted more.
#include "suites/dm_verity/trust.h"

namespace kassay::verity {
namespace {

// SystemKeyring() finds none, and 0 is no keyring: a serial of -1 would be the thread's own, on
// which everything that follows would succeed.
KASSAY_CASE(Detection, KeyringAndParameterComeTogether, Cites("DMV-095").Detection()) {
  REQUIRE_VERITY();
  const Serial keyring = VerityKeyring();
  const std::string parameter = Parameter("keyring_unsealed");
  RecordEvidence("keyring_unsealed", parameter.empty() ? "not there" : parameter);
  if (keyring > 0) {
    EXPECT_EQ(parameter, "Y") << "the command line says 1";
    return;
  }
  EXPECT_EQ(keyring, 0);
  EXPECT_EQ(parameter, "");
  EXPECT_THAT(AddCertificate(FixtureCertificate(kRsa), keyring), IsErrno(EINVAL));
}

// A certificate that the caller brings along is nobody's word but its own.
KASSAY_CASE(Detection, TheCallersOwnKeyringsVouchForNothing,
            Cites("DMV-095", "DMV-027").Detection().Timeout(60)) {
  REQUIRE_VERITY();
  if (Parameter("require_signatures").empty())
    KASSAY_ABSENT("dm_verity has no parameter require_signatures");
  const Verity verity(kPlain);
  const Signer signer(kRsa);
  for (const Serial keyring : {KEY_SPEC_THREAD_KEYRING, KEY_SPEC_PROCESS_KEYRING,
                               KEY_SPEC_SESSION_KEYRING, KEY_SPEC_USER_KEYRING})
    ASSERT_GT(AddCertificate(signer.certificate, keyring), 0);
  // One with the right name, of the caller's making.
  const Serial lookalike = NewKeyring("dm-verity");
  ASSERT_GT(lookalike, 0);
  ASSERT_GT(AddCertificate(signer.certificate, lookalike), 0);
  ASSERT_THAT(Seal(lookalike), IsErrno(0));
  EXPECT_LT(NewKeyring(".dm-verity"), 0) << "names with a dot are the kernel's own";
  const VerityTable table = Signed(verity.Table(), signer.Over(verity.image.root_hex));
  ExpectRefused(table, ENOKEY, "a signer whom only the caller knows");
  ExpectGood(verity.image, verity.Table(), "unsigned");
}

}  // namespace
}  // namespace kassay::verity
