// What every case of this suite starts from.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "suites/support/case.h"
#include "suites/support/flipped.h"
#include "suites/support/syscall_matchers.h"
#include "suites/support/trust/certificate.h"
#include "suites/support/trust/fixture.h"
#include "suites/support/trust/keyring.h"
#include "suites/support/trust/mldsa.h"
#include "suites/support/trust/signing_key.h"

namespace kassay::mldsa {

using namespace trust;  // NOLINT(google-build-using-namespace): this suite is about nothing else

// PKEY_QUERY and PKEY_VERIFY want a hash named for ML-DSA; "none" is the plain algorithm.
inline constexpr const char* kPlain = "hash=none";

class PerSet : public testing::TestWithParam<MlDsaSet> {
 protected:
  [[nodiscard]] static MlDsaSet set() { return GetParam(); }
  [[nodiscard]] static const MlDsaParameters& p() { return ParametersOf(GetParam()); }
  // A fixture of this set: "trusted" gives "trusted-mldsa65".
  [[nodiscard]] static std::string Named(const std::string& role) {
    return role + "-" + std::string(p().kernel_name);
  }
  // A key of this set that no fixture has; another `label` gives another key.
  [[nodiscard]] static MlDsaKey Key(char label = 'k') {
    return {GetParam(), std::string(32, label)};
  }
  [[nodiscard]] static SigningKey Signing(char label = 'k') {
    return SigningKey::MlDsa(GetParam(), std::string(32, label));
  }
};

inline std::string SetName(const testing::TestParamInfo<MlDsaSet>& info) {
  return std::string(ParametersOf(info.param).kernel_name);
}

#define FOR_EVERY_SET(fixture) \
  INSTANTIATE_TEST_SUITE_P(, fixture, testing::ValuesIn(kAllMlDsaSets), SetName)

// A public key as a key of the kernel, through a certificate whose signature is not looked at.
inline Serial AddPublicKey(MlDsaSet set, std::string_view public_key) {
  return AddCertificate(Wrap(set, public_key).Der());
}

}  // namespace kassay::mldsa
