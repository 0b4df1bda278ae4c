#include "harness/compare/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "harness/base/sha256.h"
#include "harness/suite/name_pattern.h"

namespace kassay {
namespace {

constexpr double kFlakeLevel = 0.05;  // below this a drop in passes is not called a flake

constexpr std::array<std::string_view, 12> kChanges{
    "regressed", "new failure", "lost",  "not run",        "deleted",          "flaky",
    "fixed",     "now holds",   "added", "changed reason", "changed evidence", "same"};

enum class Standing { kHolds, kBroken, kGone, kUntold };

bool IsMixed(const BaselineCase& c) { return c.passes > 0 && c.passes < c.attempts; }

Standing StandingOf(const BaselineCase& c) {
  if (IsMixed(c) || IsNonconformant(c.verdict)) return Standing::kBroken;
  if (c.verdict == Verdict::kPass) return Standing::kHolds;
  return c.verdict == Verdict::kAbsent ? Standing::kGone : Standing::kUntold;
}

// Of two verdicts by which a case does not hold.
bool IsGraver(Verdict a, Verdict b) {
  constexpr std::array kMildestFirst{Verdict::kFail, Verdict::kTimeout, Verdict::kCrash};
  return std::ranges::find(kMildestFirst, a) > std::ranges::find(kMildestFirst, b);
}

std::string Rates(const BaselineCase& before, const BaselineCase& after) {
  return fmt::format("{} of {} passes, was {} of {}", after.passes, after.attempts, before.passes,
                     before.attempts);
}

Change SameStanding(const BaselineCase& before, const BaselineCase& after) {
  if (before.verdict != after.verdict || before.reason != after.reason ||
      before.erratum != after.erratum) {
    return Change::kChangedReason;
  }
  return before.evidence == after.evidence ? Change::kSame : Change::kChangedEvidence;
}

// Both sides ran it more than once, or one of them saw it pass and fail.
Change ByRates(const BaselineCase& before, const BaselineCase& after) {
  const double down =
      FlakeProbability(before.passes, before.attempts, after.passes, after.attempts);
  const double up = FlakeProbability(after.passes, after.attempts, before.passes, before.attempts);
  if (down <= kFlakeLevel) return Change::kRegressed;
  if (up <= kFlakeLevel) return Change::kFixed;
  return Change::kFlaky;
}

Change Classify(const BaselineCase& before, const BaselineCase& after) {
  const auto is_told = [](Standing s) { return s == Standing::kHolds || s == Standing::kBroken; };
  const Standing was = StandingOf(before);
  const Standing is = StandingOf(after);
  const bool mixed = IsMixed(before) || IsMixed(after);
  if (mixed && is_told(was) && is_told(is)) return ByRates(before, after);
  switch (is) {
    case Standing::kHolds:
      if (was == Standing::kHolds) return SameStanding(before, after);
      return was == Standing::kBroken ? Change::kFixed : Change::kNowHolds;
    case Standing::kBroken:
      if (!is_told(was)) return Change::kNewFailure;
      if (was == Standing::kHolds || IsGraver(after.verdict, before.verdict))
        return Change::kRegressed;
      return SameStanding(before, after);
    case Standing::kGone:
      return was == Standing::kHolds ? Change::kLost : SameStanding(before, after);
    case Standing::kUntold:
      return was == Standing::kUntold ? SameStanding(before, after) : Change::kNotRun;
  }
  return Change::kSame;
}

bool InScope(const Baseline& side, const std::string& suite, const std::string& case_name) {
  return std::binary_search(side.suites.begin(), side.suites.end(), suite) &&
         (case_name.empty() || NameFilter(side.filter).MatchesCase(suite, case_name));
}

bool InScope(const Baseline& side, const BaselineCase& c) {
  const std::string suite = c.Suite();
  return InScope(side, suite, c.id.substr(std::min(c.id.size(), suite.size() + 1)));
}

// Of the suites that both sides ran, as one short digest; empty if there are none.
std::string DigestOver(const Environment& side, const Environment& other) {
  std::string digests;
  for (const auto& [suite, sha256] : side.suites_sha256)
    if (other.suites_sha256.contains(suite)) digests += fmt::format("{} {}\n", suite, sha256);
  return digests.empty() ? "" : Sha256Hex(digests).substr(0, 12);
}

std::string DigestOf(const Baseline& side, const std::string& suite) {
  const auto found = side.environment.suites_sha256.find(suite);
  return found == side.environment.suites_sha256.end() ? "" : found->second;
}

class Comparer {
 public:
  Comparer(const Baseline& before, const Baseline& after) : before_(before), after_(after) {
    result_.before = before.kernel;
    result_.after = after.kernel;
    for (const BaselineCase& c : after.cases) {
      const Standing standing = StandingOf(c);
      if (standing == Standing::kUntold) continue;
      told_after_.insert(c.requirements.begin(), c.requirements.end());
    }
  }

  Comparison Run() && {
    CompareConditions();
    CompareCases();
    CompareFeatures();
    std::ranges::stable_sort(result_.cases, {}, [](const CaseChange& each) {
      return std::pair(!each.worse, each.change);
    });
    return std::move(result_);
  }

 private:
  // What one side does not know, because it needed no machine, is no difference.
  void Differ(bool refuses, const std::string& what, const std::string& a, const std::string& b) {
    if (!a.empty() && !b.empty() && a != b) result_.differences.push_back({refuses, what, a, b});
  }

  void CompareConditions() {
    const Environment& a = before_.environment;
    const Environment& b = after_.environment;
    Differ(true, "boot path", a.boot, b.boot);
    for (const auto& [profile, command_line] : a.command_lines) {
      const auto other = b.command_lines.find(profile);
      if (other == b.command_lines.end()) continue;
      Differ(true, "kernel command line of profile " + profile, command_line, other->second);
    }
    Differ(false, "isolation", a.isolation, b.isolation);
    Differ(false, "kassay version", a.kassay_version, b.kassay_version);
    Differ(false, "suite executables", DigestOver(a, b), DigestOver(b, a));
    Differ(false, "QEMU version", a.qemu_version, b.qemu_version);
    Differ(false, "accelerator", a.accelerator, b.accelerator);
    Differ(false, "CPU model", a.CpuModel(), b.CpuModel());
  }

  void CompareCases() {
    auto a = before_.cases.begin();
    auto b = after_.cases.begin();
    while (a != before_.cases.end() || b != after_.cases.end()) {
      if (b == after_.cases.end() || (a != before_.cases.end() && a->id < b->id)) {
        OnlyBefore(*a++);
      } else if (a == before_.cases.end() || b->id < a->id) {
        OnlyAfter(*b++);
      } else {
        Both(*a++, *b++);
      }
    }
  }

  void Both(const BaselineCase& before, const BaselineCase& after) {
    if (before.profile != after.profile) {
      Differ(true, "profile of " + after.id, before.profile, after.profile);
    }
    CaseChange change{Classify(before, after), false, before, after, ""};
    if (change.change == Change::kSame) {
      ++result_.same;
      return;
    }
    const bool held = StandingOf(before) == Standing::kHolds;
    change.worse = change.change == Change::kRegressed || change.change == Change::kNewFailure ||
                   change.change == Change::kLost || (change.change == Change::kNotRun && held);
    if (before.attempts > 1 || after.attempts > 1) change.note = Rates(before, after);
    Keep(std::move(change));
  }

  void OnlyAfter(const BaselineCase& after) {
    const bool broken = StandingOf(after) == Standing::kBroken;
    if (!broken && !InScope(before_, after)) {
      ++result_.out_of_scope;
      return;
    }
    const bool flaky = IsMixed(after);
    CaseChange change{Change::kAdded, broken && !flaky, std::nullopt, after, ""};
    if (broken) change.note = "fails, and the other side has no result for it";
    if (flaky) change.change = Change::kFlaky;
    Keep(std::move(change));
  }

  void OnlyBefore(const BaselineCase& before) {
    if (!InScope(after_, before)) {
      ++result_.out_of_scope;
      return;
    }
    const bool held = StandingOf(before) == Standing::kHolds;
    const bool same_suites = DigestOf(before_, before.Suite()) == DigestOf(after_, before.Suite());
    CaseChange change{Change::kDeleted, false, before, std::nullopt, ""};
    if (after_.interrupted || same_suites) {
      change.change = Change::kNotRun;
      change.worse = held;
      change.note = after_.interrupted ? "the run was interrupted" : "no result";
    } else if (held) {
      // A case may be renamed; what it stood for must still be told by another one.
      for (const std::string& requirement : before.requirements) {
        if (told_after_.count(requirement) != 0) continue;
        change.worse = true;
        change.note = "nothing tells about " + requirement + " any more";
        break;
      }
    }
    Keep(std::move(change));
  }

  void Keep(CaseChange change) {
    if (change.worse && change.after && !change.after->waiver.empty()) {
      change.worse = false;
      change.note = "waived by " + change.after->waiver;
    }
    result_.cases.push_back(std::move(change));
  }

  static bool IsThere(FeatureStatus status) {
    return status == FeatureStatus::kConformant || status == FeatureStatus::kNonconformant ||
           status == FeatureStatus::kBackported;
  }

  void CompareFeatures() {
    std::map<std::pair<std::string, std::string>, FeatureChange> changes;
    for (const BaselineFeature& f : before_.features) changes[{f.suite, f.feature}].before = f;
    for (const BaselineFeature& f : after_.features) changes[{f.suite, f.feature}].after = f;
    for (auto& [key, change] : changes) {
      std::tie(change.suite, change.feature) = key;
      if (change.before == change.after) continue;
      const Baseline& lacking = change.before ? after_ : before_;
      const bool on_both = change.before && change.after;
      if (!on_both && !InScope(lacking, change.suite, "")) continue;
      const bool was = change.before && IsThere(change.before->status);
      const auto is = change.after ? change.after->status : FeatureStatus::kUntested;
      const bool was_missing = change.before && change.before->status == FeatureStatus::kMissing;
      change.worse = (is == FeatureStatus::kMissing && !was_missing) ||
                     (was && (is == FeatureStatus::kAbsent || is == FeatureStatus::kDisabled));
      result_.features.push_back(std::move(change));
    }
  }

  const Baseline& before_;
  const Baseline& after_;
  std::set<std::string> told_after_;  // requirements that some case of `after` says something about
  Comparison result_;
};

double LogChoose(int n, int k) {
  return std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0);
}

}  // namespace

std::string_view ToString(Change change) { return kChanges.at(static_cast<size_t>(change)); }

double FlakeProbability(int passes_before, int attempts_before, int passes_after,
                        int attempts_after) {
  const int total = attempts_before + attempts_after;
  const int passes = passes_before + passes_after;
  double probability = 0;
  for (int k = std::max(0, passes - attempts_before); k <= passes_after; ++k) {
    probability += std::exp(LogChoose(passes, k) + LogChoose(total - passes, attempts_after - k) -
                            LogChoose(total, attempts_after));
  }
  return std::clamp(probability, 0.0, 1.0);
}

Comparison Compare(const Baseline& before, const Baseline& after) {
  return Comparer(before, after).Run();
}

bool Comparison::Worse() const {
  return std::ranges::count(cases, true, &CaseChange::worse) > 0 ||
         std::ranges::count(features, true, &FeatureChange::worse) > 0;
}

bool Comparison::Refused() const {
  return std::ranges::count(differences, true, &Difference::refuses) > 0;
}

bool Comparison::NothingInCommon() const {
  const auto on_both = [](const CaseChange& each) { return each.before && each.after; };
  return same == 0 && out_of_scope > 0 && std::ranges::none_of(cases, on_both);
}

RunOutcome OutcomeOf(const Comparison& comparison) {
  return comparison.Worse() ? RunOutcome::kRegressed : RunOutcome::kConformant;
}

}  // namespace kassay
