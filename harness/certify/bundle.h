// A certificate: a folder that says which kernel was tested, with what, what came of it, and that
// holds everything from which that can be computed again.
//
//   attestation.dsse.json   the signed statement; it names manifest.json by its SHA-256
//   manifest.json           every other file by its SHA-256
//   signer.pub.pem          the key that signed (whether to trust it is the reader's matter)
//   certificate.json        level, requirements, kernel and environment, for a person
//   results.json, report.html, journal.jsonl (raw outcomes with the console), kernel.config
//   level.toml, profiles/NAME.toml, suites/NAME/{requirements.toml,cases.json}
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/certify/level.h"
#include "harness/certify/signature.h"
#include "harness/result/run_result.h"
#include "harness/suite/selection.h"

namespace kassay {

struct CertifyInput {
  RunResult run;
  std::filesystem::path run_dir;      // holds journal.jsonl
  std::filesystem::path config_file;  // the kernel's
  std::filesystem::path level_file;
  std::filesystem::path profiles_dir;
  Installation installation;
  std::string report_html;
};

// What a bundle turned out to certify.
struct Certificate {
  std::string level;
  KernelIdentity kernel;
  std::vector<std::string> passed;  // must-pass requirement ids
  std::string key_id;               // SHA-256 of the signer's public key
  std::string key_algorithm;
};

// Writes the bundle to `out`, which must not exist, and checks it as VerifyBundle does. Refuses
// (kNonconformant) if a must-pass requirement is not `pass`, if cases are missing, if the run was
// filtered, or if a machine was not booted as the vendor ships it. On any error nothing is left.
[[nodiscard]] Result<Certificate> MakeBundle(const CertifyInput& input, const Key& key,
                                             const std::filesystem::path& out);

// Checks signature, files and verdicts, without network and without any other file. With `key`, the
// signature must be that key's; without, it is only shown to be whole, by the key inside.
[[nodiscard]] Result<Certificate> VerifyBundle(const std::filesystem::path& bundle,
                                               const std::optional<Key>& key);

}  // namespace kassay
