#include "harness/compare/baseline.h"

#include <gmock/gmock.h>

#include "harness/compare/compare.h"

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
  EXPECT_THAT(with("[\"errno\",\"-13\"]", "[\"errno\"]"),
              HasSubstr("/cases/0/evidence is not of pairs"));
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

Baseline OfSuite(const std::string& suite, const std::string& profile) {
  RunResult run = Sample();
  run.suites = {suite};
  run.features[0].suite = suite;
  for (CaseResult& result : run.cases) {
    result.suite = suite;
    result.profile = profile;
  }
  run.environment = {.kassay_version = "0.1.0",
                     .suites_sha256 = {{suite, std::string(64, 'd')}},
                     .qemu_version = "7.2.22",
                     .accelerator = "tcg",
                     .boot = "direct",
                     .isolation = "case",
                     .command_lines = {{profile, "quiet"}}};
  return BaselineOf(run);
}

TEST(BaselineParts, ComeApartBySuiteAndTogetherAgain) {
  const std::vector<Baseline> parts = {OfSuite("io_uring", "stock"), OfSuite("mldsa", "trust"),
                                       OfSuite("mount", "stock")};
  const Baseline all = Joined(parts);
  EXPECT_THAT(all.suites, ElementsAre("io_uring", "mldsa", "mount"));
  EXPECT_EQ(all.cases.size(), 6U);
  EXPECT_EQ(all.environment.command_lines.size(), 2U);
  const std::vector<Baseline> again = BySuite(all);
  ASSERT_EQ(again.size(), parts.size());
  for (size_t i = 0; i < parts.size(); ++i) EXPECT_EQ(ToJson(again[i]), ToJson(parts[i]));
}

TEST(BaselineParts, ASuiteWithoutAMachineSaysNothingOfQemu) {
  Baseline all = Joined({OfSuite("context_analysis", "host"), OfSuite("mount", "stock")});
  all.environment.command_lines.erase("host");
  const std::vector<Baseline> parts = BySuite(all);
  EXPECT_EQ(parts[0].environment.qemu_version + parts[0].environment.boot, "");
  EXPECT_EQ(parts[1].environment.qemu_version, "7.2.22");
  EXPECT_EQ(ToJson(Joined(parts)), ToJson(all));
  EXPECT_TRUE(CheckBeside(parts[0], parts[1]));
  EXPECT_TRUE(Compare(parts[0], all).differences.empty());
}

TEST(BaselineParts, FoundUnderOtherConditionsDoNotStandBesideEachOther) {
  const Baseline recorded = OfSuite("mount", "stock");
  const auto problem_with = [&](void (*change)(Baseline&)) {
    Baseline fresh = OfSuite("io_uring", "stock");
    change(fresh);
    const Status status = CheckBeside(fresh, recorded);
    return status ? std::string("accepted") : status.error().message;
  };
  EXPECT_EQ(problem_with([](Baseline&) {}), "accepted");
  EXPECT_EQ(problem_with([](Baseline& b) { b.environment.qemu_version = "10"; }), "accepted");
  EXPECT_THAT(problem_with([](Baseline& b) { b.kernel.image_sha256 = std::string(64, 'b'); }),
              HasSubstr("kernel image is not that of the recorded suite mount"));
  EXPECT_THAT(problem_with([](Baseline& b) { b.environment.command_lines["stock"] = "lsm="; }),
              HasSubstr("command line of profile stock"));
  EXPECT_THAT(problem_with([](Baseline& b) { b.environment.boot = "bzimage"; }),
              HasSubstr("way to boot"));
  EXPECT_THAT(problem_with([](Baseline& b) { b.environment.accelerator = "kvm"; }),
              HasSubstr("accelerator"));
  EXPECT_THAT(problem_with([](Baseline& b) { b.environment.cpu = "qemu64"; }),
              HasSubstr("CPU model"));
  EXPECT_EQ(problem_with([](Baseline& b) { b.environment.cpu = "max"; }), "accepted");
  EXPECT_THAT(problem_with([](Baseline& b) { b.environment.isolation = "suite"; }),
              HasSubstr("isolation"));
}

TEST(BaselineParts, WhatTheyDifferInShowsInAComparison) {
  Baseline other = OfSuite("mount", "stock");
  other.environment.qemu_version = "10.0.2";
  other.environment.command_lines["stock"] = "quiet lsm=landlock";
  const Baseline mixed = Joined({OfSuite("io_uring", "stock"), other});
  EXPECT_EQ(mixed.environment.qemu_version, "7.2.22 / 10.0.2");
  EXPECT_EQ(mixed.environment.command_lines.at("stock"), "quiet / quiet lsm=landlock");
  EXPECT_TRUE(Compare(OfSuite("io_uring", "stock"), mixed).Refused());
}

}  // namespace
}  // namespace kassay
