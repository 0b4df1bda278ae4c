// Waivers: defects that somebody answers for, for a while. A waiver is shown wherever it acts, ends
// by its date, and is reported once the defect is gone.
//
//   [[waiver]]
//   id = "W-2026-01"
//   requirement = "IOU-051"
//   cases = ["TaskList.*"]           # optional: only these cases
//   kernel = ">=7.0 <7.1.8"          # as in the catalogue's errata
//   reason = "lost over execve; no secrets are behind it on this product"
//   owner = "kernel team <kernel@example.org>"
//   until = 2027-01-31               # the last day on which it acts
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/result/run_result.h"
#include "harness/suite/version_condition.h"

namespace kassay {

// Below inputs/ of a run's folder (harness/verdict/run_record.h): those that it was shown with.
inline constexpr const char* kWaiversName = "waivers.toml";

struct Waiver {
  std::string id;
  std::string requirement;
  std::vector<std::string> cases;  // globs on "Suite.Name" within the requirement; empty for all
  std::string kernel;              // as written
  VersionCondition kernels;
  std::string reason;
  std::string owner;
  std::string until;  // "2027-01-31"
};

// Errors name file and line: unknown or missing keys, a bad date or version, an id used twice.
[[nodiscard]] Result<std::vector<Waiver>> ParseWaivers(std::string_view toml,
                                                       const std::string& file);
[[nodiscard]] Result<std::vector<Waiver>> LoadWaivers(const std::filesystem::path& file);

struct WaiverFinding {
  enum class Kind {
    kActs,       // a failing case is waived
    kExpired,    // the defect is still there, and the waiver's time is over: the run fails
    kNotNeeded,  // the defect is gone: remove the waiver
    kUnused,     // nothing of it was part of this run, or could be told
  };
  Kind kind = Kind::kUnused;
  std::string waiver;
  std::string text;  // one line for a person
};

// Marks the cases that a waiver acts on (CaseResult::waiver). A case that cites several
// requirements is waived only if each of them is, or if a waiver names the case. `today` is
// "2026-11-24"; an unknown kernel version is a usage error.
[[nodiscard]] Result<std::vector<WaiverFinding>> ApplyWaivers(RunResult& run,
                                                              const std::vector<Waiver>& waivers,
                                                              const std::string& today);

// Today's date in UTC, "2026-11-24".
[[nodiscard]] std::string TodayUtc();

}  // namespace kassay
