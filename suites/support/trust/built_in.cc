#include "suites/support/trust/built_in.h"

#include <cstring>

#include "suites/support/trust/keyring.h"

namespace kassay::trust {
namespace {

// The description of a key from a certificate begins with its issuer's organization and its
// subject's name (crypto/asymmetric_keys/x509_public_key.c:x509_key_preparse).
bool Holds(Serial keyring, std::string_view certificate) {
  const std::string description = ";kassay: " + std::string(certificate) + ": ";
  const std::string keys = Read(keyring).payload;
  for (std::size_t at = 0; at + sizeof(Serial) <= keys.size(); at += sizeof(Serial)) {
    Serial key = 0;
    std::memcpy(&key, keys.data() + at, sizeof key);
    if (Describe(key).find(description) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

std::string TrustedThrough(std::string_view certificate) {
  for (const char* name :
       {".builtin_trusted_keys", ".secondary_trusted_keys", ".machine", ".platform"}) {
    const auto keyring = SystemKeyring(name);
    if (keyring && Holds(*keyring, certificate)) return name;
  }
  return {};
}

bool IsBuiltIn(std::string_view certificate) {
  const std::string keyring = TrustedThrough(certificate);
  return !keyring.empty() && keyring != ".platform";
}

}  // namespace kassay::trust
