// What stands in a bundle, read back, and what follows from it. Making and verifying a certificate
// go through the same function, so that neither can promise what the other does not check.
#pragma once

#include <filesystem>
#include <string>

#include "harness/base/result.h"
#include "harness/certify/attestation.h"
#include "harness/certify/level.h"
#include "harness/result/run_result.h"

namespace kassay {

struct Conclusion {
  RunResult run;        // results.json, found to be what the journal says
  ResolvedLevel level;  // as resolved against the bundle's own catalogues
  std::string text;     // certificate.json, as it must be
  Statement statement;  // as it must be signed, but for the manifest's digest
};

// From level.toml, results.json, journal.jsonl, kernel.config, profiles/ and suites/ of the folder.
// Fails (kNonconformant) with the reason when no certificate may be made of them.
[[nodiscard]] Result<Conclusion> Conclude(const std::filesystem::path& bundle);

}  // namespace kassay
