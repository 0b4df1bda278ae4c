#include "harness/certify/waiver.h"

#include <gmock/gmock.h>

namespace kassay {
namespace {

using ::testing::HasSubstr;
using Kind = WaiverFinding::Kind;

std::string Toml(const std::string& more = "") {
  return R"([[waiver]]
id = "W-1"
requirement = "IOU-051"
kernel = ">=7.0 <7.1.8"
reason = "known and harmless here"
owner = "kernel team"
until = 2027-01-31
)" + more;
}

RunResult RunOf(Verdict verdict) {
  RunResult run;
  run.kernel.version = "7.0.13";
  CaseResult result;
  result.suite = "io_uring";
  result.case_name = "TaskList.SurvivesExec";
  result.requirements = {"IOU-051"};
  result.verdict = verdict;
  run.cases = {result};
  return run;
}

std::vector<WaiverFinding> Apply(RunResult& run, const std::string& toml,
                                 const std::string& today = "2026-11-24") {
  const auto waivers = ParseWaivers(toml, "w.toml");
  EXPECT_TRUE(waivers) << waivers.error().message;
  return ApplyWaivers(run, *waivers, today).value();
}

TEST(Waiver, ActsOnAFailingCaseAndIsShown) {
  RunResult run = RunOf(Verdict::kFail);
  const auto findings = Apply(run, Toml());
  EXPECT_EQ(run.cases[0].waiver, "W-1");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::kActs);
  EXPECT_THAT(findings[0].text, HasSubstr("until 2027-01-31: known and harmless here"));
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kConformant);
}

TEST(Waiver, ActsThroughItsLastDayAndNotAfter) {
  RunResult run = RunOf(Verdict::kFail);
  EXPECT_EQ(Apply(run, Toml(), "2027-01-31")[0].kind, Kind::kActs);
  EXPECT_EQ(Apply(run, Toml(), "2027-02-01")[0].kind, Kind::kExpired);
  EXPECT_EQ(run.cases[0].waiver, "");
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kNonconformant);
}

TEST(Waiver, OneWhoseDefectIsGoneIsReported) {
  RunResult run = RunOf(Verdict::kPass);
  EXPECT_EQ(Apply(run, Toml())[0].kind, Kind::kNotNeeded);
  run = RunOf(Verdict::kUnmet);
  EXPECT_EQ(Apply(run, Toml())[0].kind, Kind::kUnused);
  run = RunOf(Verdict::kError);
  EXPECT_EQ(Apply(run, Toml())[0].kind, Kind::kUnused);
  EXPECT_EQ(run.cases[0].waiver, "");
}

TEST(Waiver, SaysNothingAboutOtherKernels) {
  RunResult run = RunOf(Verdict::kFail);
  run.kernel.version = "7.1.8";
  EXPECT_TRUE(Apply(run, Toml()).empty());
  EXPECT_EQ(run.cases[0].waiver, "");
}

TEST(Waiver, DoesNotCoverTheOtherRequirementsOfACase) {
  RunResult run = RunOf(Verdict::kFail);
  run.cases[0].requirements = {"IOU-051", "IOU-052"};
  Apply(run, Toml());
  EXPECT_EQ(run.cases[0].waiver, "");
  std::string named = Toml();
  named.insert(named.find("kernel ="), "cases = [\"TaskList.*\"]\n");
  Apply(run, named);
  EXPECT_EQ(run.cases[0].waiver, "W-1");
  run.cases[0].case_name = "Other.Case";
  Apply(run, named);
  EXPECT_EQ(run.cases[0].waiver, "");
}

TEST(Waiver, BadFilesAreRefusedWithFileAndLine) {
  const auto error = [](const std::string& toml) {
    const auto waivers = ParseWaivers(toml, "w.toml");
    return waivers ? std::string("accepted") : waivers.error().message;
  };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string toml = Toml();
    toml.replace(toml.find(from), from.size(), to);
    return error(toml);
  };
  EXPECT_THAT(with("2027-01-31", "\"2027-01-31\""), HasSubstr("w.toml:7: 'until' is not a date"));
  EXPECT_THAT(with("owner = \"kernel team\"\n", ""), HasSubstr("'owner' is missing"));
  EXPECT_THAT(with(">=7.0", ">=seven"), HasSubstr("w.toml:4: 'kernel' is no condition:"));
  EXPECT_THAT(with("reason =", "raeson ="), HasSubstr("'reason' is missing"));
  EXPECT_THAT(error(Toml(Toml())), HasSubstr("'W-1' is there twice"));
  EXPECT_THAT(error(Toml("extra = 1\n")), HasSubstr("unknown key 'extra'"));
}

}  // namespace
}  // namespace kassay
