#include "harness/compare/baseline.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "harness/base/file.h"

namespace kassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

CaseResult Case(const std::string& name, Verdict verdict) {
  CaseResult result;
  result.suite = "io_uring";
  result.case_name = name;
  result.profile = "stock";
  result.requirements = {"IOU-002", "IOU-001"};
  result.verdict = verdict;
  result.duration_ms = 1234;
  result.kernel_log = {"<4>[1.0] noise"};
  return result;
}

RunResult Sample() {
  RunResult run;
  run.kernel = {.spec = "debian:7.0.13",
                .release = "7.0.13+deb13-cloud-amd64",
                .version = "7.0.13",
                .vendor = "debian",
                .package_version = "7.0.13-1~bpo13+1",
                .image_sha256 = std::string(64, 'a')};
  run.suites = {"io_uring"};
  run.started_at = "2026-11-23T10:00:00Z";
  run.finished_at = "2026-11-23T10:02:00Z";
  run.features = {{.feature = "f", .suite = "io_uring", .status = FeatureStatus::kConformant}};
  run.cases = {Case("B.Second", Verdict::kFail), Case("A.First", Verdict::kPass)};
  run.cases[0].reason = "expected -13";
  run.cases[0].erratum = ErratumMatch{"IOU-001", "7.1.8", "text", "source"};
  run.cases[1].evidence = {{"errno", "-13"}, {"long", std::string(500, 'x')}};
  run.cases[1].measures = {{"took", 17, "ms"}};
  return run;
}

TEST(Baseline, ComesBackUnchangedAndIsSortedById) {
  const Baseline baseline = BaselineOf(Sample());
  const auto back = BaselineFromJson(ToJson(baseline));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->cases, baseline.cases);
  EXPECT_EQ(back->features, baseline.features);
  EXPECT_EQ(ToJson(*back), ToJson(baseline));
  EXPECT_EQ(back->cases[0].id, "io_uring.A.First");
  EXPECT_THAT(back->cases[0].requirements, ElementsAre("IOU-001", "IOU-002"));
  EXPECT_EQ(back->cases[1].erratum, "IOU-001");
}

// A case of a feature that is absent never runs: no attempt at all.
TEST(Baseline, WhatDidNotRunComesBackToo) {
  RunResult run = Sample();
  run.cases[0].verdict = Verdict::kAbsent;
  run.cases[0].reason = "f: CONFIG_F is not set";
  run.cases[0].attempts = 0;
  const auto back = BaselineFromJson(ToJson(BaselineOf(run)));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->cases[1].verdict, Verdict::kAbsent);
}

TEST(Baseline, IsTheSameBytesWhateverTheOrderTimesAndLogs) {
  RunResult other = Sample();
  std::swap(other.cases[0], other.cases[1]);
  other.started_at = "2027-01-01T00:00:00Z";
  other.cases[0].duration_ms = 9;
  other.cases[0].measures[0].value = 18;
  other.cases[1].kernel_log.clear();
  EXPECT_EQ(ToJson(BaselineOf(other)), ToJson(BaselineOf(Sample())));
}

TEST(Baseline, HoldsNoTimesLogsOrPathsOfTheMachine) {
  RunResult run = Sample();
  run.kernel.spec = "/home/someone/linux";
  const std::string json = ToJson(BaselineOf(run));
  for (const char* leak : {"/home", "2026-", "1234", "noise", "took"}) {
    EXPECT_THAT(json, Not(HasSubstr(leak)));
  }
  EXPECT_LT(json.size(), 1500U);
}

TEST(Baseline, KeepsTheNameOfAVariantOfTheReferenceKernel) {
  RunResult run = Sample();
  run.kernel.vendor = "reference";
  run.kernel.spec = "reference:7.0/minimal";
  EXPECT_EQ(BaselineOf(run).kernel.spec, "reference:7.0/minimal");
}

TEST(Baseline, RefusesWhatIsNotOne) {
  const std::string good = ToJson(BaselineOf(Sample()));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    const auto baseline = BaselineFromJson(text);
    return baseline ? std::string("accepted") : baseline.error().message;
  };
  EXPECT_THAT(with("\"pass\"", "\"okay\""), HasSubstr("/cases/0/verdict"));
  EXPECT_THAT(with("\"kassay_baseline\": 1", "\"kassay_baseline\": 2"), HasSubstr("format 2"));
  EXPECT_THAT(with("io_uring.B.Second", "io_uring.A.First"), HasSubstr("there twice"));
  EXPECT_THAT(with("[\"errno\",\"-13\"]", "[\"errno\"]"), HasSubstr("/cases/0/evidence/0"));
  EXPECT_THAT(with("\"suites\":", "\"suits\":"), HasSubstr("/suites is missing"));
  EXPECT_FALSE(BaselineFromJson(good.substr(0, good.size() / 2)));
}

TEST(Recordable, OnlyACompleteRunWithoutHarnessErrors) {
  EXPECT_TRUE(CheckRecordable(Sample()));
  RunResult run = Sample();
  run.interrupted = true;
  EXPECT_FALSE(CheckRecordable(run));
  run = Sample();
  run.filter = "A.*";
  EXPECT_THAT(CheckRecordable(run).error().message, HasSubstr("--case 'A.*'"));
  run = Sample();
  run.cases[0].verdict = Verdict::kError;
  EXPECT_THAT(CheckRecordable(run).error().message, HasSubstr("io_uring.B.Second"));
}

TEST(BaselineFile, IsNamedByVendorAndPackageVersionAndFoundAgain) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "baselines";
  std::filesystem::remove_all(folder);
  const RunResult run = Sample();
  EXPECT_EQ(BaselineFileName(run.kernel), "debian-7.0.13-1~bpo13+1.json");
  KernelIdentity tree = {.release = "7.0.0-rc1/../x", .image_sha256 = std::string(64, 'b')};
  EXPECT_EQ(BaselineFileName(tree), "tree-7.0.0-rc1-..-x-bbbbbbbbbbbb.json");
  // Every build of it is another image.
  tree = {.release = "7.0.13-kassay", .vendor = "reference", .image_sha256 = std::string(64, 'c')};
  EXPECT_EQ(BaselineFileName(tree), "reference-7.0.13-kassay.json");

  const auto file = folder / BaselineFileName(run.kernel);
  ASSERT_TRUE(WriteFileAtomically(file, ToJson(BaselineOf(run))));
  EXPECT_EQ(FindBaseline(folder, {.spec = "debian:7.0.13"}).value(), file);
  EXPECT_EQ(FindBaseline(folder, run.kernel).value(), file);
  const auto none = FindBaseline(folder, {.spec = "debian:7.3.4"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ExitCode::kUsage);
}

TEST(LoadBaseline, ReadsARunsResultToo) {
  const auto file = std::filesystem::path(::testing::TempDir()) / "results.json";
  ASSERT_TRUE(WriteFileAtomically(file, ToJson(Sample())));
  const auto loaded = LoadBaseline(file);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(ToJson(*loaded), ToJson(BaselineOf(Sample())));
}

RunResult OfSuite(const std::string& suite, const std::string& case_name) {
  RunResult run = Sample();
  run.suites = {suite};
  run.features[0].suite = suite;
  run.cases = {Case(case_name, Verdict::kPass)};
  run.cases[0].suite = suite;
  run.environment.suite_sha256 = suite;
  run.environment.command_lines = {{"stock", "quiet"}};
  return run;
}

TEST(Baseline, OneSuiteIsRecordedAnewWithoutTheOthers) {
  Baseline recorded = BaselineOf(OfSuite("mount", "M.Old"));
  const auto both = Complemented(BaselineOf(OfSuite("io_uring", "A.New")), recorded);
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_THAT(both->suites, ElementsAre("io_uring", "mount"));
  ASSERT_EQ(both->cases.size(), 2U);
  EXPECT_EQ(both->cases[0].id, "io_uring.A.New");
  EXPECT_EQ(both->cases[1].id, "mount.M.Old");
  EXPECT_EQ(both->features.size(), 2U);
  EXPECT_NE(both->environment.suite_sha256, recorded.environment.suite_sha256);
  const auto again = Complemented(BaselineOf(OfSuite("mount", "M.New")), *both);
  ASSERT_TRUE(again) << again.error().message;
  ASSERT_EQ(again->cases.size(), 2U);
  EXPECT_EQ(again->cases[1].id, "mount.M.New");
}

TEST(Baseline, SuitesFoundUnderOtherConditionsAreNotMixed) {
  const Baseline recorded = BaselineOf(OfSuite("mount", "M.Old"));
  RunResult other = OfSuite("io_uring", "A.New");
  other.environment.command_lines["stock"] = "quiet lsm=landlock";
  auto mixed = Complemented(BaselineOf(other), recorded);
  ASSERT_FALSE(mixed);
  EXPECT_THAT(mixed.error().message, HasSubstr("command line of profile stock"));
  other = OfSuite("io_uring", "A.New");
  other.kernel.image_sha256 = std::string(64, 'b');
  mixed = Complemented(BaselineOf(other), recorded);
  ASSERT_FALSE(mixed);
  EXPECT_THAT(mixed.error().message, HasSubstr("kernel image"));
}

}  // namespace
}  // namespace kassay
