// A certificate: a folder that says which kernel was tested, with what, what came of it, and that
// holds everything from which that can be computed again.
//
//   attestation.dsse.json   the signed statement; it names manifest.json by its SHA-256
//   manifest.json           every other file by its SHA-256
//   signer.pub.pem          the key that signed (whether to trust it is the reader's matter)
//   certificate.json        level, requirements, changes of the vendor's boot, kernel, environment
//   results.json, report.html
//   journal.jsonl, inputs/  the run's record (harness/verdict/run_record.h), with the consoles
//   inputs/level.toml, inputs/waivers.toml
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/certify/signature.h"
#include "harness/result/run_result.h"

namespace kassay {

struct CertifyInput {
  std::filesystem::path run_dir;
  std::filesystem::path level_file;
  std::filesystem::path waivers_file;  // empty: none
  std::optional<int> allow_waived;     // how many requirements may be waived; a tenth without it
  std::function<std::string(const RunResult&)> report_html;
};

// What a bundle turned out to certify.
struct Certificate {
  std::string level;
  std::string title;
  KernelIdentity kernel;
  Environment environment;
  std::vector<std::string> passed;  // must-pass requirement ids
  std::vector<std::string> waived;
  std::string key_id;  // SHA-256 of the signer's public key
  std::string key_algorithm;
};

// Writes the bundle to `out`, which must not exist, and checks it as VerifyBundle does. Refused, by
// ContentOf (content.h), is what the run does not show. On any error nothing is left.
[[nodiscard]] Result<Certificate> MakeBundle(const CertifyInput& input, const Key& key,
                                             const std::filesystem::path& out);

// Checks signature, files and verdicts, without network and without any other file. With `key`, the
// signature must be that key's; without, it is only shown to be whole, by the key inside.
[[nodiscard]] Result<Certificate> VerifyBundle(const std::filesystem::path& bundle,
                                               const std::optional<Key>& key);

}  // namespace kassay
