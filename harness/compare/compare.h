// What changed between two runs or baselines, and whether the second is worse.
//
// Worse means: something that held no longer holds, or can no longer be told to hold. A case that
// did not run on one side is never counted as unchanged.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/compare/baseline.h"

namespace kassay {

enum class Change {
  kRegressed,      // held, and does not any more; or fails in a worse way (fail, timeout, crash)
  kNewFailure,     // does not hold, and before nobody could tell (absent, unmet, not in the suite)
  kLost,           // held, and the feature is gone
  kNotRun,         // could be told before and cannot be now (unmet, error, no result)
  kDeleted,        // the suite no longer has it
  kFlaky,          // passes and fails; too few attempts to tell a regression from a flake
  kFixed,          // did not hold, and does now
  kNowHolds,       // could not be told before, and holds
  kAdded,          // the suite did not have it before
  kChangedReason,  // another verdict or reason, neither better nor worse
  kChangedEvidence,  // the same verdict and reason, other evidence
  kSame,
};
[[nodiscard]] std::string_view ToString(Change change);

// A condition other than the kernel that is not the same on both sides.
struct Difference {
  bool refuses = false;  // it changes what the cases mean: no verdict without --allow-differences
  std::string what;      // "kernel command line of profile stock"
  std::string before;
  std::string after;
};

struct FeatureChange {
  std::string feature;
  std::string suite;
  std::optional<BaselineFeature> before;
  std::optional<BaselineFeature> after;
  bool worse = false;
};

struct CaseChange {
  Change change = Change::kSame;
  bool worse = false;
  std::optional<BaselineCase> before;
  std::optional<BaselineCase> after;
  std::string note;  // why it counts, or why it does not: "waived by W-1", "3 of 10 passes, was 9"

  [[nodiscard]] const BaselineCase& Either() const { return after ? *after : *before; }
};

struct Comparison {
  KernelIdentity before;
  KernelIdentity after;
  std::vector<Difference> differences;
  std::vector<FeatureChange> features;  // only those that changed
  std::vector<CaseChange> cases;        // only those that changed, worst kinds first, then by id
  size_t same = 0;
  size_t out_of_scope = 0;  // only on one side because the other was asked for less

  [[nodiscard]] bool Worse() const;
  [[nodiscard]] bool Refused() const;  // a difference that refuses
  // There are cases, and each of them is only on one side: nothing was compared.
  [[nodiscard]] bool NothingInCommon() const;
};

[[nodiscard]] Comparison Compare(const Baseline& before, const Baseline& after);

// The probability (Fisher's exact test, one-sided) of at most `passes_after` passes if both sides
// passed at the same rate. In [0, 1]; needs 0 <= passes <= attempts and attempts >= 1.
[[nodiscard]] double FlakeProbability(int passes_before, int attempts_before, int passes_after,
                                      int attempts_after);

// kRegressed if it is worse, else kConformant.
[[nodiscard]] RunOutcome OutcomeOf(const Comparison& comparison);

}  // namespace kassay
