// dm_verity.require_signatures=1.
#include <fcntl.h>
#include <unistd.h>

#include "suites/dm_verity/trust.h"

namespace kassay::verity {
namespace {

#define REQUIRE_REQUIRED()                                      \
  REQUIRE_VERITY();                                             \
  if (::kassay::verity::Parameter("require_signatures") != "Y") \
  KASSAY_UNMET("dm_verity.require_signatures is not Y")

KASSAY_CASE(Required, UnsignedIsRefused, Cites("DMV-021").Profile("verity_required").Timeout(60)) {
  REQUIRE_REQUIRED();
  for (const std::string_view name : {kPlain, kDeep, kOneBlock}) {
    const Verity verity(name);
    ExpectRefused(verity.Table(), ENOKEY, "unsigned");
    ExpectRefused(verity.Table().With({"ignore_corruption"}), ENOKEY, "unsigned, with an option");
  }
}

KASSAY_CASE(Required, AStrangersSignatureIsRefused,
            Cites("DMV-021", "DMV-027").Profile("verity_required").Timeout(60)) {
  REQUIRE_REQUIRED();
  const Verity verity(kPlain);
  const std::string good = Signer("stranger-rsa").Over(verity.image.root_hex).Der();
  ExpectRefused(Signed(verity.Table(), good), ENOKEY, "a stranger's");
  ExpectRefused(Signed(verity.Table(), "garbage"), EBADMSG, "garbage");
}

KASSAY_CASE(Required, ATrustedSignatureLoads,
            Cites("DMV-007", "DMV-021").Profile("verity_required").Timeout(60)) {
  REQUIRE_REQUIRED();
  REQUIRE_OPEN_KEYRING();
  const Verity verity(kPlain);
  const Signer signer(kRsa);
  const VerityTable table = Signed(verity.Table(), signer.Over(verity.image.root_hex));
  ExpectRefused(table, ENOKEY, "before anybody is trusted");
  Trust({signer.certificate});
  ExpectGood(verity.image, table, "signed by a trusted key");
  ExpectRefused(verity.Table(), ENOKEY, "unsigned");
  ExpectRefused(Signed(verity.Table(), signer.Over("other text")), EKEYREJECTED, "of other text");
}

KASSAY_CASE(Required, ABuiltInKeysSignatureLoads,
            Cites("DMV-021", "DMV-022").Profile("uefi_enforced").Timeout(60)) {
  REQUIRE_REQUIRED();
  const Verity verity(kPlain);
  verity::RequireTrusted(verity.Table(), verity.image.root_hex);
  ExpectGood(verity.image,
             Signed(verity.Table(), Signer("trusted-rsa").Over(verity.image.root_hex)), "built in");
  ExpectRefused(verity.Table(), ENOKEY, "unsigned");
}

// A signature over an empty text, or none of a signature in a key that is there, is no way around.
KASSAY_CASE(Required, TheOrderOfTheChecksIsFixed,
            Cites("DMV-051").Profile("verity_required").Timeout(60)) {
  REQUIRE_REQUIRED();
  const Verity verity(kPlain);
  VerityTable far = verity.Table();
  far.hash_start = "1000000";
  ExpectRefused(far, ENOKEY, "before the tree's place");
  VerityTable version = verity.Table();
  version.version = "2";
  ExpectRefused(version, EINVAL, "after the version");
  ExpectRefused(verity.Table().With({"unknown_option"}), EINVAL, "after the options");
  VerityTable root = verity.Table();
  root.root = root.root.substr(2);
  ExpectRefused(root, EINVAL, "after the root's length");
  VerityTable salt = verity.Table();
  salt.salt = "0";
  ExpectRefused(salt, EINVAL, "after the salt");
}

KASSAY_CASE(Required, TheParameterCannotBeWritten,
            Cites("DMV-021").Profile("verity_required").Timeout(60)) {
  REQUIRE_REQUIRED();
  const std::string path = "/sys/module/dm_verity/parameters/require_signatures";
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  // Root may open what nobody may write; there is no store behind it
  // (kernel/params.c:module_attr_store: EIO from sysfs without a store function).
  if (file.IsOpen()) {
    EXPECT_EQ(write(file.Get(), "N", 1), -1);
  }
  EXPECT_EQ(Parameter("require_signatures"), "Y");
  const Verity verity(kPlain);
  ExpectRefused(verity.Table(), ENOKEY, "unsigned, after the attempt");
}

}  // namespace
}  // namespace kassay::verity
