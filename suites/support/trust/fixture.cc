#include "suites/support/trust/fixture.h"
#include "harness/base/text/hex.h"
#include "harness/protocol/guest_layout.h"
#include "harness/protocol/suite_program.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace kassay::trust {
namespace {

[[noreturn]] void Die(const std::string& what) {
  std::cerr << "fixture " << what << "\n";
  std::abort();
}

std::string Folder() {
  const char* chosen = std::getenv(kFixturesVariable);  // NOLINT(concurrency-mt-unsafe)
  return chosen == nullptr ? kGuestFixturesDir : chosen;
}

}  // namespace

std::string Fixture(std::string_view path) {
  const std::string full = Folder() + "/" + std::string(path);
  std::ifstream file(full, std::ios::binary);
  if (!file) Die(full + " cannot be read: is it in the profile's files?");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

SigningKey FixtureKey(std::string_view name) {
  const std::string path = "keys/" + std::string(name);
  for (const MlDsaSet set : kAllMlDsaSets) {
    if (name.find(ParametersOf(set).kernel_name) != std::string_view::npos)
      return SigningKey::MlDsa(set, FromHex(Fixture(path + ".seed").substr(0, 64)).value());
  }
  SigningKey key = SigningKey::Pem(Fixture(path + ".pem"));
  if (!key.IsValid()) Die(path + ".pem is not a private key");
  return key;
}

std::string FixtureCertificate(std::string_view name) {
  return Fixture("certificates/" + std::string(name) + ".der");
}

CertificateIds FixtureIds(std::string_view name) {
  const auto ids = IdsOf(FixtureCertificate(name));
  if (!ids) Die(std::string(name) + ".der is not a certificate");
  return *ids;
}

std::vector<Vector> FixtureVectors(MlDsaSet set) {
  const std::string path = "vectors/" + std::string(ParametersOf(set).kernel_name) + ".json";
  const auto json = nlohmann::json::parse(Fixture(path), nullptr, false);
  if (json.is_discarded()) Die(path + " is not JSON");
  std::vector<Vector> vectors;
  for (const auto& entry : json.at("vectors")) {
    const std::string verdict = entry.at("verdict");
    vectors.push_back({entry.at("id"),
                       verdict == "valid"      ? Vector::Verdict::kValid
                       : verdict == "rejected" ? Vector::Verdict::kRejected
                                               : Vector::Verdict::kMalformed,
                       FromHex(entry.at("publicKey").get<std::string>()).value(),
                       FromHex(entry.at("message").get<std::string>()).value(),
                       FromHex(entry.at("signature").get<std::string>()).value()});
  }
  return vectors;
}

}  // namespace kassay::trust
