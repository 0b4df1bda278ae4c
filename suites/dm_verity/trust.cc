#include "suites/dm_verity/trust.h"

#include <cerrno>
#include <fstream>
#include <iterator>

#include "suites/support/trust/built_in.h"

namespace kassay::verity {

Serial VerityKeyring() { return SystemKeyring(".dm-verity").value_or(0); }

long Seal(Serial keyring) {
  return keyctl_restrict_keyring(keyring, nullptr, nullptr) != 0 ? -errno : 0;
}

void Trust(const std::vector<std::string>& certificates) {
  const Serial keyring = VerityKeyring();
  ASSERT_GT(keyring, 0);
  for (const std::string& certificate : certificates) {
    const Serial key = AddCertificate(certificate, keyring);
    ASSERT_GT(key, 0) << ErrnoName(-key);
  }
  ASSERT_THAT(Seal(keyring), IsErrno(0));
}

std::string KeepSignature(std::string_view signature) {
  static int number = 0;
  const std::string description = "kassay:signature" + std::to_string(++number);
  const Serial key = add_key("user", description.c_str(), signature.data(), signature.size(),
                             KEY_SPEC_PROCESS_KEYRING);
  EXPECT_GT(key, 0) << "no key for a signature: " << ErrnoName(errno);
  return description;
}

VerityTable Signed(const VerityTable& table, std::string_view signature) {
  return table.With({"root_hash_sig_key_desc", KeepSignature(signature)});
}

void RequireTrusted(const VerityTable& table, const std::string& root,
                    const std::string& certificate) {
  trust::RequireTrusted(certificate, "root hashes", [&] {
    // A wrong signature in its name is rejected by who knows the key, unless a sealed .dm-verity is
    // asked after that and determines the error.
    const Signer signer(certificate);
    return Activate(Signed(table, signer.Over(root + "0"))).error == -EKEYREJECTED ||
           Activate(Signed(table, signer.Over(root))).error == 0;
  });
}

VerityTable Signed(const VerityTable& table, const CmsMessage& message) {
  return Signed(table, message.Der());
}

}  // namespace kassay::verity
