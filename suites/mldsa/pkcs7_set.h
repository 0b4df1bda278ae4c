// What the cases about signed messages start from: the key type pkcs7_test, which asks
// verify_pkcs7_signature() with the built-in and secondary keyrings. The reference kernel trusts
// the fixtures' "trusted-*".
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "suites/mldsa/mldsa_set.h"
#include "suites/support/trust/built_in.h"
#include "suites/support/trust/cms.h"

namespace kassay::mldsa {

// enum key_being_used_for (include/linux/verification.h)
enum Usage : int {
  kModule = 0,
  kFirmware = 1,
  kKexecPe = 2,
  kKey = 3,
  kKeySelf = 4,
  kUnspecified = 5,
  kBpf = 6
};

inline void SetUsage(int usage) {
  std::ofstream file("/sys/module/pkcs7_test_key/parameters/usage");
  file << usage;
  file.flush();
  ASSERT_TRUE(file.good()) << "the usage cannot be set";
}

class Pkcs7PerSet : public PerSet {
 protected:
  void SetUp() override {
    if (!SystemKeyring(".builtin_trusted_keys")) KASSAY_UNMET("no keyring of built-in keys");
    RequireBuiltIn(Named("trusted"));
    key_ = FixtureKey(Named("trusted"));
    ids_ = FixtureIds(Named("trusted"));
    SetUsage(kModule);
  }
  [[nodiscard]] CmsMessage Message(DigestName digest = kSha512) const {
    CmsMessage message = Detached(content_, key_, ids_, digest);
    message.attached = true;
    return message;
  }
  static void ExpectRefused(const CmsMessage& message, int expected, const std::string& what) {
    const Serial ring = NewKeyring("ring");
    EXPECT_THAT(AddPkcs7(message.Der(), ring), IsErrno(expected)) << what;
    EXPECT_EQ(CountOf(ring), 0) << what;
  }
  static void ExpectContent(const CmsMessage& message, const std::string& what) {
    const Serial key = AddPkcs7(message.Der());
    EXPECT_GT(key, 0) << what << ": " << ErrnoName(key < 0 ? -key : 0);
    EXPECT_EQ(Read(key).payload, message.content) << what;
  }

  SigningKey key_;
  CertificateIds ids_;
  std::string content_ = "signed content";
};

}  // namespace kassay::mldsa
