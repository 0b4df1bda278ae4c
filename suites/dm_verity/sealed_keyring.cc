// The keyring as it is by default: sealed and empty.
#include "suites/dm_verity/trust.h"

namespace kassay::verity {
namespace {

#define REQUIRE_SEALED_KEYRING()                              \
  REQUIRE_VERITY();                                           \
  if (::kassay::verity::Parameter("keyring_unsealed") != "N") \
  KASSAY_UNMET("dm_verity.keyring_unsealed is not N")

KASSAY_CASE(Sealed, IsThereAndSaysSo, Cites("DMV-001", "DMV-002").Profile("verity_sealed")) {
  REQUIRE_VERITY();
  EXPECT_EQ(Parameter("keyring_unsealed"), "N");
  const Serial keyring = VerityKeyring();
  ASSERT_GT(keyring, 0);
  EXPECT_EQ(Describe(keyring), "keyring;0;0;082f0000;.dm-verity");
  EXPECT_EQ(CountOf(keyring), 0);
}

KASSAY_CASE(Sealed, RootAddsNothing, Cites("DMV-003").Profile("verity_sealed")) {
  REQUIRE_SEALED_KEYRING();
  const Serial keyring = VerityKeyring();
  for (const char* name : {"verity-rsa", "verity-ecdsa", "trusted-rsa", "leaf-rsa"})
    EXPECT_THAT(AddCertificate(FixtureCertificate(name), keyring), IsErrno(EPERM)) << name;
  const Serial elsewhere = AddCertificate(FixtureCertificate(kRsa));
  ASSERT_GT(elsewhere, 0) << "on a keyring of its own it is good";
  EXPECT_THAT(Link(elsewhere, keyring), IsErrno(EPERM));
  EXPECT_EQ(add_key("user", "kassay:any", "x", 1, keyring), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(CountOf(keyring), 0);
}

KASSAY_CASE(Sealed, NobodyOpensIt, Cites("DMV-003", "DMV-004").Profile("verity_sealed")) {
  REQUIRE_SEALED_KEYRING();
  const Serial keyring = VerityKeyring();
  EXPECT_THAT(Seal(keyring), IsErrno(EEXIST));
  EXPECT_THAT(Restrict(keyring, "builtin_trusted"), IsErrno(EEXIST));
  // Permissions are no restriction: all of them do not help.
  EXPECT_THAT(keyctl_setperm(keyring, 0x3f3f3f3f), SyscallSucceeds());
  EXPECT_THAT(keyctl_clear(keyring), SyscallSucceeds());
  EXPECT_THAT(AddCertificate(FixtureCertificate(kRsa), keyring), IsErrno(EPERM));
  EXPECT_EQ(CountOf(keyring), 0);
}

KASSAY_CASE(Sealed, EmptyItVouchesForNothing,
            Cites("DMV-003", "DMV-009").Profile("verity_sealed").Timeout(60)) {
  REQUIRE_SEALED_KEYRING();
  const Verity verity(kPlain);
  const Signer signer(kRsa);
  static_cast<void>(AddCertificate(signer.certificate, VerityKeyring()));
  ExpectRefused(Signed(verity.Table(), signer.Over(verity.image.root_hex)), ENOKEY, "signed");
  ExpectGood(verity.image, verity.Table(), "unsigned");
}

}  // namespace
}  // namespace kassay::verity
