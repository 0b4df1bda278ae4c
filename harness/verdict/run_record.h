// Everything that a run's result follows from, and the folder that holds it:
//
//   journal.jsonl                          what was asked for and what the guests did
//   inputs/kernel.config                   not there if it is not known
//   inputs/suites/NAME/requirements.toml   the catalogue
//   inputs/suites/NAME/cases.json          what SUITE --kassay_list printed
//   inputs/profiles/NAME.toml              how machines were booted
//
// A run's folder has this form from the first moment on, and a certificate has it too.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/kernel/kernel.h"
#include "harness/profile/profile.h"
#include "harness/suite/selection.h"
#include "harness/verdict/journal.h"

namespace kassay {

inline constexpr const char* kInputsName = "inputs";

struct RunRecord {
  JournalContent journal;
  std::vector<Suite> suites;  // with the cases that were asked for, sorted by name
  KernelConfig config;        // empty if it is not known
};

// Writes inputs/ of a run of these suites (with all of their cases) under these profiles.
[[nodiscard]] Status WriteInputs(const std::filesystem::path& run_dir,
                                 const Installation& installation, const std::vector<Suite>& suites,
                                 const std::set<std::string>& profiles, const Kernel& kernel);

// Usage errors: no run, a damaged journal or catalogue. Refused (kNonconformant): a case list of
// another suite, a configuration that is not the kernel's.
[[nodiscard]] Result<RunRecord> ReadRunRecord(const std::filesystem::path& run_dir);

// The profiles under inputs/, by name.
[[nodiscard]] Result<std::map<std::string, Profile>> ReadProfiles(
    const std::filesystem::path& run_dir);

}  // namespace kassay
