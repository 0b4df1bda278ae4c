// The project's fixtures as the guest sees them: /kassay/fixtures, or $KASSAY_FIXTURES. A profile's
// `files` names what it brings. A fixture that is missing ends the suite: it is the project's
// fault, not the kernel's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "suites/support/trust/certificate.h"
#include "suites/support/trust/signing_key.h"

namespace kassay::trust {

[[nodiscard]] std::string Fixture(std::string_view path);
// By the party's name, e.g. "trusted-mldsa65".
[[nodiscard]] SigningKey FixtureKey(std::string_view name);
[[nodiscard]] std::string FixtureCertificate(std::string_view name);
[[nodiscard]] CertificateIds FixtureIds(std::string_view name);

// fixtures/vectors/SET.json.
struct Vector {
  enum class Verdict { kValid, kRejected, kMalformed };
  std::string id;
  Verdict verdict;
  std::string public_key;
  std::string message;
  std::string signature;
};
[[nodiscard]] std::vector<Vector> FixtureVectors(MlDsaSet set);

}  // namespace kassay::trust
