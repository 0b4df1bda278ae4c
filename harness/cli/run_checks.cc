#include "harness/cli/run_checks.h"

#include <fmt/format.h>

#include "harness/base/file.h"
#include "harness/compare/baseline_files.h"
#include "harness/compare/compare_text.h"
#include "harness/report/html/html.h"
#include "harness/suite/installed_suites.h"
#include "harness/suite/name_pattern.h"
#include "harness/verdict/run_record.h"

namespace kassay::cli {
namespace fs = std::filesystem;

static constexpr const char* kAuto = "auto";

void AddCheckFlags(CLI::App& command, CheckFlags& flags) {
  command.add_option("--baseline", flags.baseline,
                     "Fail (exit code 4) only on what is worse than this baseline (the folder of a "
                     "kernel, or one file), result file or run folder; `auto` takes the recorded "
                     "one of the same kernel");
  command.add_option("--baselines", flags.baselines_dir,
                     "The folder of recorded baselines; without it results/baselines");
  command.add_option("--level", flags.level,
                     "A certification level (levels/NAME.toml): what it names must pass; absent, "
                     "disabled, unmet and not run are failures too");
  command.add_option("--waivers", flags.waivers, "Waivers (TOML) for known defects")
      ->check(CLI::ExistingFile);
  command.add_flag("--expect-errata", flags.expect_errata,
                   "Exit with 0 if every finding is a known bug of this kernel's version");
  command.add_option(
      "--allow-unmet", flags.allow_unmet,
      "Cases that may stay unmet, in GoogleTest's filter language (may be repeated); "
      "others that are unmet end the run with exit code 3, but for those that want a "
      "key that the kernel trusts");
}

fs::path BaselinesDir(const Installation& installation, const fs::path& named) {
  if (!named.empty()) return named;
  const fs::path here = "results/baselines";
  std::error_code ignored;
  return fs::is_directory(here, ignored) ? here : installation.BaselinesDir();
}

namespace {

void AddLevelFindings(const ResolvedLevel& resolved, const LevelReport& report,
                      std::vector<std::string>& findings) {
  findings.push_back(
      fmt::format("level {}: {} of {} must-pass requirements pass{}{}", report.level,
                  report.passed.size(), resolved.must_pass.size(),
                  report.waived.empty() ? "" : fmt::format(", {} waived", report.waived.size()),
                  report.failed.empty() ? "" : fmt::format(", {} FAIL", report.failed.size())));
  for (const RequirementReason& failure : report.failed) {
    findings.push_back(fmt::format("level {}: {} must pass: {}", report.level, failure.requirement,
                                   failure.reason));
  }
}

void AddBaselineFindings(const Comparison& comparison, std::vector<std::string>& findings) {
  findings.push_back("against the baseline of " + DisplayName(comparison.before) + ": " +
                     Summary(comparison));
  for (const Difference& d : comparison.differences) {
    findings.push_back(fmt::format("not only the kernel differs: {}: '{}' against '{}'", d.what,
                                   d.before, d.after));
  }
  for (const FeatureChange& feature : comparison.features) {
    if (!feature.worse) continue;
    findings.push_back(fmt::format("worse: feature {}: {} -> {}", feature.feature,
                                   feature.before ? ToString(feature.before->status) : "not known",
                                   feature.after ? ToString(feature.after->status) : "not run"));
  }
  for (const CaseChange& change : comparison.cases) {
    const bool better = change.change == Change::kFixed || change.change == Change::kNowHolds;
    if (!change.worse && !better) continue;
    findings.push_back(
        fmt::format("{}: {} [{}] {}: {}", change.worse ? "worse" : "better", change.Either().id,
                    fmt::join(change.Either().requirements, ", "), ToString(change.change),
                    change.after ? Describe(*change.after) : change.note));
  }
}

// What the flags forgive counts as if it had passed: with --expect-errata what a known bug
// explains, with --allow-unmet what it names.
RunOutcome CodeOf(const RunResult& run, const CheckFlags& flags) {
  const NameFilter allowed = FilterOf(flags.allow_unmet);
  RunResult forgiven = run;
  for (CaseResult& result : forgiven.cases) {
    const bool expected = flags.expect_errata && result.erratum;
    const bool may_be_unmet = result.verdict == Verdict::kUnmet && !allowed.Empty() &&
                              allowed.MatchesCase(result.suite, result.case_name);
    if (expected) result.verdict = Verdict::kPass;
    if (may_be_unmet) result.verdict = Verdict::kAbsent;
  }
  return OutcomeOf(forgiven);
}

}  // namespace

Result<RunChecks> RunChecks::Load(const Installation& installation, const CheckFlags& flags) {
  RunChecks checks;
  checks.flags_ = flags;
  checks.flags_.baselines_dir = BaselinesDir(installation, flags.baselines_dir);
  if (!flags.waivers.empty()) {
    KASSAY_TRY(checks.waivers_, LoadWaivers(flags.waivers));
    KASSAY_TRY(checks.waivers_text_, ReadFile(flags.waivers));
  }
  if (!flags.level.empty()) {
    KASSAY_TRY(checks.level_, LoadLevel(installation.LevelsDir(), flags.level));
    KASSAY_TRY(checks.catalogues_, LoadCatalogues(installation));
  }
  if (!flags.baseline.empty() && flags.baseline != kAuto) {
    KASSAY_TRY(checks.baseline_, LoadBaseline(flags.baseline));
  }
  return checks;
}

Status RunChecks::ReadyFor(const KernelIdentity& kernel) {
  if (level_) {
    KASSAY_TRY(const KernelVersion version, ParseKernelVersion(kernel.version));
    KASSAY_TRY(resolved_, ResolveLevel(*level_, catalogues_, version));
  }
  if (flags_.baseline == kAuto) {
    KASSAY_TRY(const fs::path folder, FindBaseline(flags_.baselines_dir, kernel));
    KASSAY_TRY(baseline_, LoadBaseline(folder));
  }
  return {};
}

Status RunChecks::LeaveWaivers(const fs::path& run_dir) const {
  return waivers_text_.empty()
             ? Status()
             : WriteFileAtomically(run_dir / kInputsName / kWaiversName, waivers_text_);
}

Result<CheckOutcome> RunChecks::Apply(RunResult& run) const {
  CheckOutcome outcome;
  KASSAY_TRY(const std::vector<WaiverFinding> waived, ApplyWaivers(run, waivers_, TodayUtc()));
  bool expired = false;
  for (const WaiverFinding& finding : waived) {
    expired = expired || finding.kind == WaiverFinding::Kind::kExpired;
    outcome.findings.push_back(finding.text);
  }
  RunOutcome own = CodeOf(run, flags_);
  // Known or not: somebody answered for the defect until a day that is over.
  if (expired && own == RunOutcome::kConformant) own = RunOutcome::kNonconformant;
  outcome.outcome = own;

  bool level_holds = true;
  if (resolved_) {
    const LevelReport report = JudgeLevel(*resolved_, run);
    AddLevelFindings(*resolved_, report, outcome.findings);
    level_holds = report.failed.empty();
  }
  if (baseline_) {
    const Comparison comparison = Compare(*baseline_, BaselineOf(run));
    AddBaselineFindings(comparison, outcome.findings);
    // A baseline of other suites excuses nothing.
    if (comparison.NothingInCommon()) {
      outcome.findings.push_back("nothing of this run is in the baseline: it was not used");
    } else if (own != RunOutcome::kInterrupted && own != RunOutcome::kCouldNotTest) {
      outcome.outcome = OutcomeOf(comparison);
    }
  }
  const bool told = own != RunOutcome::kInterrupted;
  if (!level_holds && told) outcome.outcome = RunOutcome::kNonconformant;
  const bool excused =
      outcome.outcome == RunOutcome::kConformant && OutcomeOf(run) == RunOutcome::kNonconformant;
  outcome.verdict = !excused                         ? std::string(ToString(outcome.outcome))
                    : own == RunOutcome::kConformant ? "known bugs only"
                                                     : "not worse";
  return outcome;
}

}  // namespace kassay::cli
