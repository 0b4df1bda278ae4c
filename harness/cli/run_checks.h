// What a run is held against: a certification level, waivers, a baseline.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/installation.h"
#include "harness/base/result.h"
#include "harness/certify/level.h"
#include "harness/certify/waiver.h"
#include "harness/compare/baseline.h"
#include "harness/result/run_result.h"

namespace kassay::cli {

struct CheckFlags {
  std::string baseline;  // a file, a folder, or "auto"; empty for none
  std::filesystem::path baselines_dir;
  std::string level;
  std::filesystem::path waivers;
  bool expect_errata = false;  // what a known bug of this kernel's version explains is expected
  std::vector<std::string>
      allow_unmet;  // cases that may stay unmet, in GoogleTest's filter language
};

// --baseline, --baselines, --level, --waivers, --expect-errata, --allow-unmet.
void AddCheckFlags(CLI::App& command, CheckFlags& flags);

struct CheckOutcome {
  std::vector<std::string> findings;  // one line each, for the terminal and the report
  RunOutcome outcome = RunOutcome::kConformant;
  // What `code` says in a word. Where failures are left that the baseline had ("not worse") or that
  // --expect-errata forgives ("known bugs only"), code 0 is not "conformant".
  std::string verdict = "conformant";
};

class RunChecks {
 public:
  // Reads all files first: a run of minutes must not end in a misspelt name.
  [[nodiscard]] static Result<RunChecks> Load(const Installation& installation,
                                              const CheckFlags& flags);

  // Finds what depends on the kernel: its recorded baseline (`auto`), what the level asks of its
  // version. Before the run, for a run of minutes must not end in a baseline that is not there.
  [[nodiscard]] Status ReadyFor(const KernelIdentity& kernel);

  // Needs ReadyFor(). Marks waived cases in `run`. The code: interrupted and could-not-test stay;
  // then a level that does not hold (1); then, with a baseline, 4 if something got worse, else 0
  // whatever failed before; without, what is left of the run after waivers and, if asked for, known
  // bugs.
  [[nodiscard]] Result<CheckOutcome> Apply(RunResult& run) const;
  // Puts the waivers among the inputs of a run's folder, where `kassay report` finds them.
  [[nodiscard]] Status LeaveWaivers(const std::filesystem::path& run_dir) const;

 private:
  CheckFlags flags_;
  std::vector<Waiver> waivers_;
  std::string waivers_text_;
  std::optional<Level> level_;
  std::optional<ResolvedLevel> resolved_;
  std::vector<Catalogue> catalogues_;
  std::optional<Baseline> baseline_;
};

// The folder of recorded baselines: `named` if it is not empty, else results/baselines of the
// working folder if there is one, else of the installation.
[[nodiscard]] std::filesystem::path BaselinesDir(const Installation& installation,
                                                 const std::filesystem::path& named);

}  // namespace kassay::cli
