#include "harness/result/run_result.h"

#include <gmock/gmock.h>

namespace kassay {
namespace {

using ::testing::HasSubstr;

RunResult Sample() {
  RunResult run;
  run.kernel.spec = "debian:7.0.13";
  run.environment.command_lines = {{"stock", "console=ttyS0"}};
  run.suites = {"io_uring"};
  run.features = {{.feature = "io_uring_bpf_filter", .status = FeatureStatus::kConformant}};
  CaseResult result;
  result.suite = "io_uring";
  result.case_name = "TaskList.SurvivesExec";
  result.requirements = {"IOU-051"};
  result.verdict = Verdict::kFail;
  result.failures = {{"suites/io_uring/exec.cc", 12, "Expected: -13, actual: 0"}};
  result.evidence = {{"errno", "0"}};
  result.measures = {{"returned after", -17, "ms"}, {"counted", "3 of 4", ""}};
  result.erratum = ErratumMatch{"IOU-051", "7.1.8", "lost over execve", "io_uring/cancel.c"};
  run.cases = {result};
  return run;
}

TEST(RunResult, ComesBackFromJsonUnchanged) {
  const RunResult run = Sample();
  const auto back = RunResultFromJson(ToJson(run));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(ToJson(*back), ToJson(run));
  EXPECT_EQ(back->cases[0].erratum, run.cases[0].erratum);
  EXPECT_EQ(back->cases[0].failures, run.cases[0].failures);
  EXPECT_EQ(back->cases[0].measures, run.cases[0].measures);
}

TEST(RunResult, AnArchitectureIsWrittenWhereItIsNotTheFirst) {
  RunResult run = Sample();
  EXPECT_THAT(ToJson(run), ::testing::Not(::testing::HasSubstr("architecture")));
  EXPECT_EQ(RunResultFromJson(ToJson(run))->kernel.architecture, "x86_64");
  run.kernel.architecture = "aarch64";
  EXPECT_EQ(RunResultFromJson(ToJson(run))->kernel.architecture, "aarch64");
}

TEST(RunResult, AResultFromBeforeTheCpuWasRecordedIsOfTheLargest) {
  RunResult run = Sample();
  run.environment.accelerator = "tcg";
  const auto back = RunResultFromJson(ToJson(run));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->environment.CpuModel(), "max");
  run.environment.cpu = "qemu64";
  EXPECT_EQ(RunResultFromJson(ToJson(run))->environment.CpuModel(), "qemu64");
  EXPECT_EQ(Environment().CpuModel(), "") << "no machine was needed";
  EXPECT_EQ(Environment().Machine(), "no machine was needed");
}

TEST(RunResult, AMeasureIsReadWithItsUnit) {
  EXPECT_EQ((Measure{"returned after", -17, "ms"}).Text(), "-17 ms");
  EXPECT_EQ((Measure{"rounds", 40, ""}).Text(), "40");
  EXPECT_EQ((Measure{"counted", "3 of 4", ""}).Text(), "3 of 4");
}

TEST(RunResult, AResultFromBeforeThereWereMeasuresIsRead) {
  RunResult run = Sample();
  run.cases[0].measures.clear();
  const std::string json = ToJson(run);
  EXPECT_EQ(json.find("measures"), std::string::npos);
  EXPECT_TRUE(RunResultFromJson(json));
}

TEST(RunResult, NamesThePlaceOfABadField) {
  std::string json = ToJson(Sample());
  json.replace(json.find("\"fail\""), 6, "\"fine\"");
  const auto back = RunResultFromJson(json);
  ASSERT_FALSE(back);
  EXPECT_THAT(back.error().message, HasSubstr("/cases/0/verdict has the unknown value 'fine'"));
}

TEST(RunResult, RefusesANewerFormatAndCutOffText) {
  std::string json = ToJson(Sample());
  EXPECT_FALSE(RunResultFromJson(json.substr(0, json.size() / 2)));
  json.replace(json.find("\"format\": 1"), 11, "\"format\": 2");
  EXPECT_THAT(RunResultFromJson(json).error().message, HasSubstr("format 2"));
}

TEST(RunResult, InvalidUtf8FromTheGuestIsReplacedNotThrown) {
  RunResult run = Sample();
  run.cases[0].console = "\xff\xfe<script>";
  EXPECT_TRUE(RunResultFromJson(ToJson(run)));
}

TEST(Outcome, FollowsVerdictsFeaturesAndWaivers) {
  RunResult run = Sample();
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kNonconformant);
  run.cases[0].waiver = "W-1";
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kConformant);
  run.features[0].status = FeatureStatus::kMissing;
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kNonconformant);
  run.features[0].status = FeatureStatus::kAbsent;
  run.cases[0].verdict = Verdict::kError;
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kCouldNotTest);
  run.interrupted = true;
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kInterrupted);
}

TEST(Outcome, IsNotConformantWithoutATest) {
  RunResult run = Sample();
  run.cases.resize(1);
  CaseResult& only = run.cases[0];
  only.waiver.clear();
  for (const Verdict verdict : {Verdict::kAbsent, Verdict::kUnmet}) {
    only.verdict = verdict;
    EXPECT_EQ(OutcomeOf(run), RunOutcome::kCouldNotTest) << ToString(verdict);
  }
  // Unmet for want of a trusted key it says nothing, beside others that were tested.
  only.cause = "trust";
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kCouldNotTest);
  run.cases.push_back(only);
  run.cases[1].verdict = Verdict::kPass;
  run.cases[1].cause.clear();
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kConformant);
  run.cases[0].cause.clear();
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kCouldNotTest);
  run.cases[1].verdict = Verdict::kFail;
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kNonconformant);  // a failure says more
}

}  // namespace
}  // namespace kassay
