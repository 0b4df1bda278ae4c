#include "suites/mldsa/mldsa_set.h"

namespace kassay::mldsa {
namespace {

std::string Told(Serial result) {
  return result > 0 ? "a key" : ErrnoName(static_cast<int>(-result));
}

// A self-issued, correctly signed certificate proves that the kernel verifies ML-DSA.
KASSAY_PROBE("mldsa") {
  const Serial key = AddCertificate(FixtureCertificate("verity-mldsa65"));
  const std::string seen = "add_key(self-signed ML-DSA-65 certificate): " + Told(key);
  return key > 0 ? Present(seen) : Missing(seen);
}

KASSAY_PROBE("mldsa_names") {
  const Serial key = AddPublicKey(MlDsaSet::k44, std::string(1312, '\x01'));
  const std::string seen = "add_key(certificate with an ML-DSA-44 key): " + Told(key);
  return key > 0 ? Present(seen) : Missing(seen);
}

KASSAY_PROBE("pkcs7_test_key") {
  const Serial key = AddPkcs7({});
  const std::string seen = "add_key(pkcs7_test, nothing): " + Told(key);
  return key == -EBADMSG ? Present(seen) : Missing(seen);
}

KASSAY_PROBE("asymmetric_keys") {
  const Serial key = AddCertificate(FixtureCertificate("stranger-rsa"));
  const std::string seen = "add_key(self-signed RSA certificate): " + Told(key);
  return key > 0 ? Present(seen) : Missing(seen);
}

}  // namespace
}  // namespace kassay::mldsa
