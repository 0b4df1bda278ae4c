// Who vouches for a root hash: the keyring .dm-verity, keys of type "user" that carry signatures,
// and signers.
#pragma once

#include <string>
#include <string_view>

#include "suites/dm_verity/verity.h"
#include "suites/support/flipped.h"
#include "suites/support/trust/keyring.h"
#include "suites/support/trust/signer.h"

namespace kassay::verity {

using namespace trust;  // NOLINT(google-build-using-namespace): the suite's other half

// The parties that the verity fixtures name.
inline constexpr const char* kRsa = "verity-rsa";
inline constexpr const char* kEcdsa = "verity-ecdsa";

// The serial of .dm-verity; 0 if there is none. Never a number that add_key(2) would take for the
// caller's own keyring.
[[nodiscard]] Serial VerityKeyring();
// KEYCTL_RESTRICT_KEYRING without type: nothing may be added from then on.
[[nodiscard]] long Seal(Serial keyring);

// Adds certificates to .dm-verity and seals it; fails the case if that does not work.
void Trust(const std::vector<std::string>& certificates);

// Puts a signature where the kernel looks for it; gives the key's description, new each time.
[[nodiscard]] std::string KeepSignature(std::string_view signature);

// A table with a signature.
[[nodiscard]] VerityTable Signed(const VerityTable& table, std::string_view signature);
[[nodiscard]] VerityTable Signed(const VerityTable& table, const CmsMessage& message);

// Leaves the case unless the kernel trusts the fixtures' certificate for root hashes by itself.
void RequireTrusted(const VerityTable& table, const std::string& root,
                    const std::string& certificate = "trusted-rsa");

// Leaves the case unless .dm-verity is there and takes keys.
#define REQUIRE_OPEN_KEYRING()                                \
  REQUIRE_VERITY();                                           \
  if (::kassay::verity::Parameter("keyring_unsealed") != "Y") \
  KASSAY_UNMET("dm_verity.keyring_unsealed is not Y")

}  // namespace kassay::verity
