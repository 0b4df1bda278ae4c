// Envelopes, statements and manifests come from outside: no crash, and one form only.
#include <cstdint>
#include <cstdlib>

#include "harness/certify/attestation.h"
#include "harness/certify/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT
  const auto envelope = kassay::EnvelopeFromJson(text);
  if (envelope && kassay::ToJson(*envelope) != text) std::abort();
  if (const auto statement = kassay::StatementFromJson(text)) {
    if (!kassay::StatementFromJson(kassay::ToJson(*statement))) std::abort();
  }
  if (const auto manifest = kassay::BundleManifestFromJson(text)) {
    if (!kassay::BundleManifestFromJson(kassay::ToJson(*manifest))) std::abort();
  }
  return 0;
}
