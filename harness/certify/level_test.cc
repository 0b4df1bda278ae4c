#include "harness/certify/level.h"

#include <gmock/gmock.h>

namespace kassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kLevel = R"([level]
name = "core"
title = "Core"
text = "What must hold."
must_pass = ["IOU-*"]
[[except]]
requirement = "IOU-003"
reason = "a limit, not a promise"
)";

Requirement Req(const std::string& id) {
  Requirement requirement;
  requirement.id = id;
  return requirement;
}

std::vector<Catalogue> Catalogues() {
  Catalogue catalogue;
  catalogue.suite = "io_uring";
  for (const char* id : {"IOU-001", "IOU-002", "IOU-003", "IOU-004", "IOU-005", "IOU-006"}) {
    catalogue.requirements.push_back(Req(id));
  }
  catalogue.requirements[3].untested = "needs hardware";
  catalogue.requirements[4].until = KernelVersion{7, 3, 0};
  catalogue.requirements[5].since = KernelVersion{7, 2, 0};
  return {catalogue};
}

CaseResult Case(const std::string& name, const std::string& id, Verdict verdict) {
  CaseResult result;
  result.suite = "io_uring";
  result.case_name = name;
  result.requirements = {id};
  result.verdict = verdict;
  result.passes = verdict == Verdict::kPass ? 1 : 0;
  return result;
}

Result<ResolvedLevel> Resolve(const std::string& toml, const KernelVersion& version) {
  const auto level = ParseLevel(toml, "core.toml");
  if (!level) return Fail(level.error());
  return ResolveLevel(*level, Catalogues(), version);
}

TEST(Level, AGlobIsResolvedAndWhatItLeavesOutIsListedWithTheReason) {
  const auto resolved = Resolve(kLevel, {7, 0, 13});
  ASSERT_TRUE(resolved) << resolved.error().message;
  EXPECT_THAT(resolved->must_pass, ElementsAre("IOU-001", "IOU-002", "IOU-005"));
  ASSERT_EQ(resolved->not_asked.size(), 3U);
  EXPECT_EQ(resolved->not_asked[0].reason, "excepted: a limit, not a promise");
  EXPECT_EQ(resolved->not_asked[1].reason, "not tested: needs hardware");
  EXPECT_EQ(resolved->not_asked[2].reason, "promised from 7.2 on");
  EXPECT_THAT(Resolve(kLevel, {7, 3, 4})->must_pass, ElementsAre("IOU-001", "IOU-002", "IOU-006"));
}

TEST(Level, SaysWhatItAcceptsOfProfiles) {
  const auto level =
      ParseLevel(std::string(kLevel) + "[accepts]\ncommand_line = ['a']\nfiles = ['keys']\n", "f");
  ASSERT_TRUE(level) << level.error().message;
  const ProfileChanges accepts{{"a"}, {}, {"keys"}};
  EXPECT_EQ(level->accepts, accepts);
  EXPECT_EQ(ResolveLevel(*level, Catalogues(), {7, 0, 13})->accepts, accepts);
  EXPECT_THAT(ParseLevel(std::string(kLevel) + "[accepts]\nwords = ['a']\n", "f").error().message,
              HasSubstr("unknown key 'words'"));
}

TEST(Level, NamesThatNobodyKnowsAreRefused) {
  const auto with = [](const std::string& must) {
    return Resolve("[level]\nname='c'\ntitle='t'\ntext='x'\nmust_pass=" + must, {7, 0, 13});
  };
  EXPECT_THAT(with("['XYZ-*']").error().message, HasSubstr("'XYZ-*'"));
  EXPECT_THAT(with("['IOU-099']").error().message, HasSubstr("'IOU-099'"));
  EXPECT_THAT(with("['IOU-004']").error().message, HasSubstr("no case can test IOU-004"));
}

TEST(Level, AMisspeltKeyIsAnErrorWithItsLine) {
  const auto level = ParseLevel("[level]\nname='c'\ntitle='t'\ntext='x'\nmustpass=['A']", "f.toml");
  EXPECT_THAT(level.error().message, HasSubstr("f.toml:1: 'must_pass' is missing"));
  const auto extra = ParseLevel(std::string(kLevel) + "colour = 'red'\n", "f.toml");
  EXPECT_THAT(extra.error().message, HasSubstr("f.toml:9: unknown key 'colour'"));
  EXPECT_FALSE(ParseLevel("[level", "f.toml"));
}

TEST(JudgeLevel, EverythingButAPassFails) {
  const ResolvedLevel level{"core", {"R-1"}, {}};
  for (const Verdict verdict : {Verdict::kFail, Verdict::kCrash, Verdict::kTimeout,
                                Verdict::kAbsent, Verdict::kUnmet, Verdict::kError}) {
    RunResult run;
    run.cases = {Case("A", "R-1", Verdict::kPass), Case("B", "R-1", verdict)};
    const LevelReport report = JudgeLevel(level, run);
    ASSERT_EQ(report.failed.size(), 1U) << ToString(verdict);
    EXPECT_THAT(report.failed[0].reason, HasSubstr("io_uring.B"));
  }
}

TEST(JudgeLevel, ARequirementWithoutACaseFails) {
  const LevelReport report = JudgeLevel({"core", {"R-1"}, {}}, RunResult{});
  ASSERT_EQ(report.failed.size(), 1U);
  EXPECT_EQ(report.failed[0].reason, "did not run");
}

TEST(JudgeLevel, AFlakyPassFails) {
  RunResult run;
  run.cases = {Case("A", "R-1", Verdict::kPass)};
  run.cases[0].attempts = 3;
  run.cases[0].passes = 2;
  EXPECT_THAT(JudgeLevel({"core", {"R-1"}, {}}, run).failed.at(0).reason, HasSubstr("2 of 3"));
  run.cases[0].passes = 3;
  EXPECT_THAT(JudgeLevel({"core", {"R-1"}, {}}, run).passed, ElementsAre("R-1"));
}

TEST(JudgeLevel, AWaivedRequirementIsNamedApart) {
  RunResult run;
  run.cases = {Case("A", "R-1", Verdict::kFail)};
  run.cases[0].waiver = "W-1";
  const LevelReport report = JudgeLevel({"core", {"R-1"}, {}}, run);
  EXPECT_THAT(report.waived, ElementsAre("R-1"));
  EXPECT_THAT(report.failed, IsEmpty());
}

}  // namespace
}  // namespace kassay
