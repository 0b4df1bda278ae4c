#include "harness/compare/compare.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "harness/compare/compare_text.h"

namespace kassay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

BaselineCase Case(const std::string& name, Verdict verdict, const std::string& reason = "") {
  BaselineCase c;
  c.id = "s." + name;
  c.profile = "stock";
  c.requirements = {"REQ-" + name};
  c.verdict = verdict;
  c.reason = reason;
  c.passes = verdict == Verdict::kPass ? 1 : 0;
  return c;
}

BaselineCase Repeated(int passes, int attempts) {
  BaselineCase c = Case("A", passes == attempts ? Verdict::kPass : Verdict::kFail);
  c.passes = passes;
  c.attempts = attempts;
  return c;
}

Baseline Side(std::vector<BaselineCase> cases) {
  Baseline side;
  side.suites = {"s"};
  side.environment.suites_sha256 = {{"s", "1"}};
  side.environment.boot = "direct";
  side.environment.qemu_version = "7.2.22";
  side.environment.command_lines = {{"stock", "quiet"}};
  side.cases = std::move(cases);
  return side;
}

struct Outcome {
  Change change;
  bool worse;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome Of(const BaselineCase& before, const BaselineCase& after) {
  const Comparison comparison = Compare(Side({before}), Side({after}));
  if (comparison.cases.empty()) return {Change::kSame, comparison.Worse()};
  EXPECT_EQ(comparison.cases[0].worse, comparison.Worse());
  return {comparison.cases[0].change, comparison.Worse()};
}

Outcome Of(Verdict before, Verdict after) { return Of(Case("A", before), Case("A", after)); }

std::ptrdiff_t Count(const Comparison& comparison, Change change) {
  return std::ranges::count(comparison.cases, change, &CaseChange::change);
}

TEST(Compare, EveryPairOfVerdicts) {
  using V = Verdict;
  const std::vector<Verdict> all = {V::kPass,   V::kFail,  V::kTimeout, V::kCrash,
                                    V::kAbsent, V::kUnmet, V::kError};
  const Outcome same{Change::kSame, false};
  const Outcome reason{Change::kChangedReason, false};
  const Outcome regressed{Change::kRegressed, true};
  const Outcome newly{Change::kNewFailure, true};
  const Outcome fixed{Change::kFixed, false};
  const Outcome holds{Change::kNowHolds, false};
  const Outcome lost{Change::kLost, true};
  const Outcome hidden{Change::kNotRun, true};  // it held: a regression could hide behind this
  const Outcome not_run{Change::kNotRun, false};
  // Rows: before; columns: after; both in the order of `all`.
  const std::vector<std::vector<Outcome>> expected = {
      {same, regressed, regressed, regressed, lost, hidden, hidden},
      {fixed, same, regressed, regressed, reason, not_run, not_run},
      {fixed, reason, same, regressed, reason, not_run, not_run},
      {fixed, reason, reason, same, reason, not_run, not_run},
      {holds, newly, newly, newly, same, not_run, not_run},
      {holds, newly, newly, newly, reason, same, reason},
      {holds, newly, newly, newly, reason, reason, same},
  };
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t j = 0; j < all.size(); ++j) {
      EXPECT_EQ(Of(all[i], all[j]), expected[i][j])
          << ToString(all[i]) << " -> " << ToString(all[j]);
    }
  }
}

TEST(Compare, ReasonAndEvidenceAreTold) {
  EXPECT_EQ(Of(Case("A", Verdict::kFail, "got 0"), Case("A", Verdict::kFail, "got -1")),
            (Outcome{Change::kChangedReason, false}));
  BaselineCase before = Case("A", Verdict::kPass);
  BaselineCase after = before;
  before.evidence = {{"errno", "-13"}};
  after.evidence = {{"errno", "-1"}};
  EXPECT_EQ(Of(before, after), (Outcome{Change::kChangedEvidence, false}));
  EXPECT_THAT(ToTable(Compare(Side({before}), Side({after}))), HasSubstr("errno: -13 -> -1"));
}

TEST(Compare, AnotherMeasureIsNoChange) {
  RunResult run;
  run.suites = {"s"};
  CaseResult& result = run.cases.emplace_back();
  result.suite = "s";
  result.case_name = "A.B";
  result.measures = {{"returned after", 17, "ms"}};
  const Baseline before = BaselineOf(run);
  result.measures = {{"returned after", 99, "ms"}, {"rounds", 3, ""}};
  EXPECT_EQ(Compare(before, BaselineOf(run)).same, 1U);
}

TEST(Compare, ACaseWithoutResultNeverHidesARegression) {
  const Baseline before = Side({Case("A", Verdict::kPass), Case("B", Verdict::kPass)});
  Baseline after = Side({Case("A", Verdict::kPass)});
  Comparison comparison = Compare(before, after);
  EXPECT_EQ(Count(comparison, Change::kNotRun), 1);
  EXPECT_TRUE(comparison.Worse());
  after.interrupted = true;
  after.environment.suites_sha256["s"] = "2";
  EXPECT_EQ(Count(Compare(before, after), Change::kNotRun), 1);
}

// A run of one suite beside a baseline of all.
TEST(Compare, OnlyTheExecutablesOfSuitesOnBothSidesAreTold) {
  const Baseline before = Side({Case("A", Verdict::kPass)});
  Baseline after = before;
  after.environment.suites_sha256["s"] = "2";
  EXPECT_EQ(Compare(before, after).differences.size(), 1U);
  after.environment.suites_sha256 = {{"s", "1"}, {"t", "2"}};
  EXPECT_TRUE(Compare(before, after).differences.empty());
  after.environment.suites_sha256.clear();  // a result from before they were known by suite
  EXPECT_TRUE(Compare(before, after).differences.empty());
}

TEST(Compare, ADeletedCaseCountsUnlessItsRequirementIsStillTold) {
  const Baseline before = Side({Case("A", Verdict::kPass)});
  BaselineCase renamed = Case("B", Verdict::kPass);
  Baseline after = Side({renamed});
  after.environment.suites_sha256["s"] = "2";
  EXPECT_TRUE(Compare(before, after).Worse());
  after.cases[0].requirements = {"REQ-A"};
  const Comparison comparison = Compare(before, after);
  EXPECT_FALSE(comparison.Worse());
  EXPECT_EQ(Count(comparison, Change::kDeleted), 1);
  EXPECT_EQ(Count(comparison, Change::kAdded), 1);
}

TEST(Compare, WhatWasNotAskedForIsCountedNotJudged) {
  const Baseline before = Side({Case("A", Verdict::kPass), Case("B", Verdict::kPass)});
  Baseline after = Side({Case("A", Verdict::kPass)});
  after.filter = "A*";
  Comparison comparison = Compare(before, after);
  EXPECT_FALSE(comparison.Worse());
  EXPECT_EQ(comparison.out_of_scope, 1U);
  after.filter = "*";  // it was asked for, and did not run
  EXPECT_TRUE(Compare(before, after).Worse());
  after.suites = {"other"};
  EXPECT_EQ(Compare(before, after).out_of_scope, 1U);
}

TEST(Compare, TwoSidesWithoutACommonCaseAreNoComparison) {
  Baseline a = Side({Case("A", Verdict::kPass)});
  Baseline b = Side({Case("B", Verdict::kPass)});
  EXPECT_FALSE(Compare(a, a).NothingInCommon());
  a.filter = "*A";
  b.filter = "*B";
  EXPECT_TRUE(Compare(a, b).NothingInCommon());
  EXPECT_FALSE(Compare(Side({}), Side({})).NothingInCommon());
}

TEST(Compare, ANewCaseThatFailsIsWorseEvenOutsideTheOtherSidesScope) {
  Baseline before = Side({});
  before.suites = {"other"};
  EXPECT_TRUE(Compare(before, Side({Case("A", Verdict::kFail)})).Worse());
  EXPECT_FALSE(Compare(before, Side({Case("A", Verdict::kPass)})).Worse());
}

TEST(Compare, AWaivedRegressionIsShownAndNotCounted) {
  BaselineCase after = Case("A", Verdict::kFail);
  after.waiver = "W-7";
  const Comparison comparison = Compare(Side({Case("A", Verdict::kPass)}), Side({after}));
  EXPECT_EQ(Count(comparison, Change::kRegressed), 1);
  EXPECT_FALSE(comparison.Worse());
  EXPECT_THAT(ToTable(comparison), HasSubstr("waived by W-7"));
}

TEST(Compare, OneFlakeIsNotARegression) {
  EXPECT_EQ(Of(Repeated(3, 3), Repeated(2, 3)), (Outcome{Change::kFlaky, false}));
  EXPECT_EQ(Of(Repeated(3, 3), Repeated(0, 3)), (Outcome{Change::kRegressed, true}));
  EXPECT_EQ(Of(Repeated(1, 1), Repeated(9, 10)), (Outcome{Change::kFlaky, false}));
  EXPECT_EQ(Of(Repeated(20, 20), Repeated(10, 20)), (Outcome{Change::kRegressed, true}));
  EXPECT_EQ(Of(Repeated(10, 20), Repeated(20, 20)), (Outcome{Change::kFixed, false}));
  EXPECT_EQ(Of(Repeated(7, 10), Repeated(6, 10)), (Outcome{Change::kFlaky, false}));
}

TEST(FlakeProbability, IsFishersOneSidedTest) {
  // 3 of 3 against 0 of 3: one table of C(6,3) = 20.
  EXPECT_NEAR(FlakeProbability(3, 3, 0, 3), 1.0 / 20, 1e-9);
  // 2 of 2 against at most 1 of 2: C(3,1) * C(1,1) / C(4,2) = 1/2.
  EXPECT_NEAR(FlakeProbability(2, 2, 1, 2), 0.5, 1e-9);
  EXPECT_NEAR(FlakeProbability(5, 5, 5, 5), 1.0, 1e-9);
}

TEST(Compare, SaysWhetherOnlyTheKernelDiffers) {
  Baseline before = Side({Case("A", Verdict::kPass)});
  EXPECT_THAT(ToTable(Compare(before, before)), HasSubstr("image is the same on both sides"));
  Baseline other_kernel = before;
  other_kernel.kernel.image_sha256 = "f";
  EXPECT_THAT(ToTable(Compare(before, other_kernel)), HasSubstr("Only the kernel differs"));
  Baseline after = before;
  after.environment.qemu_version = "9.0";
  EXPECT_FALSE(Compare(before, after).Refused());
  EXPECT_THAT(ToTable(Compare(before, after)), HasSubstr("QEMU version differs"));
  after.environment.command_lines["stock"] = "quiet lsm=selinux";
  EXPECT_TRUE(Compare(before, after).Refused());
  after = before;
  after.cases[0].profile = "selinux";
  EXPECT_TRUE(Compare(before, after).Refused());
}

TEST(Compare, AFeatureThatGoesAwayIsWorse) {
  Baseline before = Side({});
  before.features = {{"f", "s", FeatureStatus::kConformant, ""}};
  Baseline after = before;
  const auto with = [&](FeatureStatus from, FeatureStatus to) {
    before.features[0].status = from;
    after.features[0].status = to;
    return Compare(before, after).Worse();
  };
  EXPECT_TRUE(with(FeatureStatus::kConformant, FeatureStatus::kDisabled));
  EXPECT_TRUE(with(FeatureStatus::kBackported, FeatureStatus::kAbsent));
  EXPECT_TRUE(with(FeatureStatus::kAbsent, FeatureStatus::kMissing));
  EXPECT_FALSE(with(FeatureStatus::kMissing, FeatureStatus::kMissing));
  EXPECT_FALSE(with(FeatureStatus::kAbsent, FeatureStatus::kConformant));
  EXPECT_FALSE(with(FeatureStatus::kDisabled, FeatureStatus::kAbsent));
}

TEST(Markdown, GuestTextCannotBecomeMarkup) {
  BaselineCase after = Case("A", Verdict::kFail, "`|</details>\n# x ![i](http://e)");
  const std::string text = ToMarkdown(Compare(Side({Case("A", Verdict::kPass)}), Side({after})));
  EXPECT_THAT(text, HasSubstr("`fail: '\\|</details>?# x ![i](http://e)`"));
  EXPECT_THAT(text, Not(HasSubstr("\n# x")));
}

}  // namespace
}  // namespace kassay
