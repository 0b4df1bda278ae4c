#include "harness/compare/record_plan.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "harness/base/file.h"
#include "harness/compare/baseline_files.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kDigest = "d";

Suite SuiteOf(const std::vector<ListedCase>& cases) {
  Suite suite;
  suite.catalogue.suite = "io_uring";
  suite.catalogue.profile = "stock";
  suite.list.cases = cases;
  return suite;
}

ListedCase Listed(const std::string& name, std::vector<std::string> requirements = {"A-2", "A-1"}) {
  ListedCase listed;
  listed.name = name;
  listed.requirements = std::move(requirements);
  return listed;
}

Baseline RecordedOf(const Suite& suite) {
  Baseline baseline;
  baseline.environment.suites_sha256 = {{"io_uring", kDigest}};
  for (const ListedCase& listed : suite.list.cases) {
    BaselineCase& each = baseline.cases.emplace_back();
    each.id = "io_uring." + listed.name;
    each.profile = "stock";
    each.requirements = {"A-1", "A-2"};
  }
  return baseline;
}

TEST(RecordPlan, WhatAsksTheSameIsUpToDate) {
  const Suite suite = SuiteOf({Listed("B.Second"), Listed("A.First")});
  EXPECT_EQ(WhyStale(RecordedOf(suite), suite, kDigest), "");
}

TEST(RecordPlan, OtherCasesAndAnotherBuildAreNot) {
  const Baseline recorded = RecordedOf(SuiteOf({Listed("A.First"), Listed("B.Second")}));
  const auto why = [&](const std::vector<ListedCase>& cases) {
    return WhyStale(recorded, SuiteOf(cases), kDigest);
  };
  EXPECT_EQ(why({Listed("A.First"), Listed("B.Second"), Listed("C.Third")}),
            "cases: 1 new, 0 changed, 0 gone");
  EXPECT_EQ(why({Listed("A.First")}), "cases: 0 new, 0 changed, 1 gone");
  EXPECT_EQ(why({Listed("A.First", {"A-1"}), Listed("B.Second")}),
            "cases: 0 new, 1 changed, 0 gone");
  ListedCase moved = Listed("A.First");
  moved.profile = "selinux";
  EXPECT_EQ(why({moved, Listed("B.Second")}), "cases: 0 new, 1 changed, 0 gone");
  EXPECT_EQ(WhyStale(recorded, SuiteOf({Listed("A.First"), Listed("B.Second")}), "other"),
            "its executable or catalogue changed");
}

// A suite's executable that only lists one case.
class RecordPlanOfAnInstallation : public ::testing::Test {
 protected:
  RecordPlanOfAnInstallation() {
    std::string name = ::testing::TempDir() + "/record-plan-XXXXXX";
    dir_ = ::mkdtemp(name.data());
    installation_.data_dir = dir_ / "share";
    installation_.libexec_dir = dir_ / "libexec";
    const std::string script =
        "#!/bin/sh\necho '{\"suite\":\"s\",\"features\":[],\"prepares\":false,\"cases\":[{\"case\":"
        "\"A.B\",\"requirements\":[\"ABC-001\"],\"detection\":false,\"timeout_s\":30,"
        "\"profile\":\"\",\"expects_panic\":\"\",\"file\":\"f\",\"line\":1}]}'\n";
    EXPECT_TRUE(WriteFileAtomically(dir_ / "libexec" / "suites" / "s", script));
    fs::permissions(dir_ / "libexec" / "suites" / "s", fs::perms::owner_all);
    EXPECT_TRUE(WriteFileAtomically(
        dir_ / "share" / "suites" / "s" / "requirements.toml",
        "[suite]\nname = \"s\"\ntitle = \"t\"\nprofile = \"stock\"\n[[feature]]\nid = \"f\"\n"
        "title = \"t\"\n[[requirement]]\nid = \"ABC-001\"\ntext = \"t\"\nsource = \"s\"\n"
        "feature = \"f\"\n"));
    options_ = {dir_ / "baselines", {"debian:1", "debian:2"}, {"s"}, false};
  }
  ~RecordPlanOfAnInstallation() override { fs::remove_all(dir_); }

  static KernelIdentity KernelOf(const std::string& version) {
    return {.spec = "debian:" + version, .vendor = "debian", .package_version = version};
  }
  void Record(const std::string& version) {
    RunResult run;
    run.kernel = KernelOf(version);
    run.suites = {"s"};
    run.environment.suites_sha256 = Sha256OfSuites(installation_, {"s"}).value();
    CaseResult& result = run.cases.emplace_back();
    result.suite = "s";
    result.case_name = "A.B";
    result.profile = "stock";
    result.requirements = {"ABC-001"};
    ASSERT_TRUE(RecordBaseline(BaselineOf(run), options_.folder));
  }
  std::vector<RecordStep> Steps() {
    const auto steps = PlanRecording(options_, installation_);
    EXPECT_TRUE(steps) << steps.error().message;
    return steps.value_or(std::vector<RecordStep>());
  }

  fs::path dir_;
  Installation installation_;
  RecordPlanOptions options_;
};

TEST_F(RecordPlanOfAnInstallation, GoesOnWhereItStopped) {
  EXPECT_THAT(Steps(), ElementsAre(RecordStep{"debian:1", "s", "not recorded"},
                                   RecordStep{"debian:2", "s", "not recorded"}));
  Record("1");
  EXPECT_THAT(Steps(), ElementsAre(RecordStep{"debian:2", "s", "not recorded"}));
  Record("2");
  EXPECT_THAT(Steps(), IsEmpty());
  options_.force = true;
  EXPECT_EQ(Steps().size(), 2U);
}

TEST_F(RecordPlanOfAnInstallation, WhatCannotBeReadIsRecordedAnew) {
  Record("1");
  Record("2");
  RunResult first;
  first.kernel = KernelOf("1");
  ASSERT_TRUE(WriteFileAtomically(options_.folder / BaselineName(first.kernel) / "s.json",
                                  "{\"kassay_baseline\": 1,"));
  ASSERT_EQ(Steps().size(), 1U);
  EXPECT_EQ(Steps()[0].kernel, "debian:1");
}

TEST(RecordPlan, WhatIsLeftIsSaidAsCommands) {
  EXPECT_THAT(CommandsFor({{"k:1", "b", ""},
                           {"k:2", "a", ""},
                           {"k:2", "b", ""},
                           {"k:3", "a", ""},
                           {"k:3", "b", ""}}),
              ElementsAre("kassay baseline record --all --force --kernel k:2 --kernel k:3 "
                          "--suite a --suite b",
                          "kassay baseline record --all --force --kernel k:1 --suite b"));
}

}  // namespace
}  // namespace kassay
