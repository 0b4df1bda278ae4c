// Certification levels: which requirements must hold. levels/NAME.toml:
//
//   [level]
//   name = "core"
//   title = "Core"
//   text = "What every kernel of the 7.0 line must keep on a stock configuration."
//   must_pass = ["IOU-*", "MNT-001"]
//   profile = "certify"               # optional: for all suites, instead of their own
//   [accepts]                         # optional: what profiles may change of the vendor's boot
//   command_line = ["lsm=landlock"]
//   modules = ["loop"]
//   files = ["keys"]
//   enroll = ["certificates/trusted-rsa.der"]
//   [[except]]
//   requirement = "IOU-063"
//   reason = "pins a present limit, not a promise"
//
// In a run of a level nothing may be left open: a must-pass requirement that is absent, disabled,
// unmet or was not run fails like one that does not hold.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/profile/profile.h"
#include "harness/result/run_result.h"
#include "harness/suite/catalogue.h"

namespace kassay {

// A requirement, and why it is excepted, not asked for or does not hold.
struct RequirementReason {
  std::string requirement;
  std::string reason;
};

struct Level {
  std::string name;
  std::string title;
  std::string text;
  std::vector<std::string> must_pass;  // ids and globs
  std::string profile;                 // empty: the suites' own
  ProfileChanges accepts;
  std::vector<RequirementReason> except;
};

// Errors name file and line.
[[nodiscard]] Result<Level> ParseLevel(std::string_view toml, const std::string& file);
// levels_dir/NAME.toml; an unknown name is a usage error that lists the known ones.
[[nodiscard]] Result<Level> LoadLevel(const std::filesystem::path& levels_dir,
                                      const std::string& name);

struct ResolvedLevel {
  std::string name;
  std::vector<std::string> must_pass;  // ids, sorted
  // Matched by a glob: excepted, untestable, or not promised by this version by the requirement's
  // own since or until.
  std::vector<RequirementReason> not_asked;
  ProfileChanges accepts;
};

// Usage errors: a glob that matches nothing, an id or exception that no catalogue knows, an id
// named outright that no case can test.
[[nodiscard]] Result<ResolvedLevel> ResolveLevel(const Level& level,
                                                 const std::vector<Catalogue>& catalogues,
                                                 const KernelVersion& version);

struct LevelReport {
  std::string level;
  std::vector<std::string> passed;        // requirement ids, sorted
  std::vector<std::string> waived;        // failing, and a waiver acts on each failing case
  std::vector<RequirementReason> failed;  // "did not run", "io_uring.X: absent: older kernel", ...
};

// A requirement holds if at least one case tells of it and every case that cites it passes, in
// each of its attempts.
[[nodiscard]] LevelReport JudgeLevel(const ResolvedLevel& level, const RunResult& run);

}  // namespace kassay
