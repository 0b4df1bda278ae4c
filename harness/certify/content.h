// What a certificate says, as it follows from its folder. Making and verifying go through the same
// function, so that neither can promise what the other does not check.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/certify/attestation.h"
#include "harness/certify/level.h"
#include "harness/profile/profile.h"
#include "harness/result/run_result.h"
#include "harness/suite/selection.h"

namespace kassay {

inline constexpr const char* kCertificateName = "certificate.json";
// Below inputs/, beside those of the run (harness/verdict/run_record.h).
inline constexpr const char* kLevelName = "level.toml";

struct CertificateContent {
  RunResult run;        // concluded from the journal, waivers applied
  ResolvedLevel level;  // against the folder's own catalogues
  LevelReport report;
  std::string title;    // the level's, with the number of waived requirements
  std::string text;     // certificate.json
  Statement statement;  // as it must be signed, but for the files' digests
};

// From journal.jsonl and inputs/ of the folder. `allow_waived` is how many requirements may be
// waived; without it a tenth of the level. Waivers act by their date on the day of the run's end.
// Refused (kNonconformant), with the reason: a run that left out cases, shared kernels between them
// or did not end, a kernel without its configuration or not booted as its vendor ships it, a change
// of that boot which the level does not accept, a must-pass requirement that does not hold.
[[nodiscard]] Result<CertificateContent> ContentOf(const std::filesystem::path& folder,
                                                   std::optional<int> allow_waived);

// The same `allow_waived` as a certificate.json says it.
[[nodiscard]] Result<std::optional<int>> AllowedWaivers(const std::string& certificate_json);

// Says the first case or feature of `claimed` that is not as in `truth`.
[[nodiscard]] Status CheckClaims(const RunResult& truth, const RunResult& claimed);

// Whether the level accepts what these cases' profiles change of the vendor's boot: to be asked
// before a run that would be refused for it.
[[nodiscard]] Status CheckAccepted(const ResolvedLevel& level, const std::vector<Suite>& suites,
                                   const std::map<std::string, Profile>& profiles,
                                   const std::string& profile_override);

}  // namespace kassay
