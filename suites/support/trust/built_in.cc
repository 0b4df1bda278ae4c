#include "suites/support/trust/built_in.h"

#include <fstream>
#include <iterator>
#include <string>

namespace kassay::trust {

bool IsBuiltIn(std::string_view certificate) {
  std::ifstream keys("/proc/keys");
  const std::string all{std::istreambuf_iterator<char>(keys), std::istreambuf_iterator<char>()};
  // The description of a key from a certificate is its issuer and subject
  // (crypto/asymmetric_keys/x509_public_key.c:x509_key_preparse).
  return all.find("kassay: " + std::string(certificate)) != std::string::npos;
}

}  // namespace kassay::trust
