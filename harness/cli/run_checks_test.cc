#include "harness/cli/run_checks.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "harness/base/file.h"
#include "harness/compare/baseline_files.h"

namespace kassay::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;

class RunChecksTest : public ::testing::Test {
 protected:
  RunChecksTest() {
    std::string name = ::testing::TempDir() + "/run-checks-XXXXXX";
    dir_ = ::mkdtemp(name.data());
    run_.kernel.spec = "debian:7.0.13";
    run_.kernel.version = "7.0.13";
    run_.kernel.package_version = "7.0.13-1";
    run_.suites = {"io_uring"};
    run_.cases = {Case("List.Binds", "IOU-041"), Case("List.Enables", "IOU-042")};
  }
  ~RunChecksTest() override { fs::remove_all(dir_); }

  static CaseResult Case(const std::string& name, const std::string& requirement) {
    CaseResult result;
    result.suite = "io_uring";
    result.case_name = name;
    result.requirements = {requirement};
    result.verdict = Verdict::kFail;
    result.erratum = ErratumMatch{requirement, "7.2.11", "text", "source"};
    return result;
  }

  void Waive(const std::string& requirement, const std::string& until) {
    toml_ += "[[waiver]]\nid = \"W-" + requirement + "\"\nrequirement = \"" + requirement +
             "\"\nkernel = \"<7.2.11\"\nreason = \"r\"\nowner = \"o\"\nuntil = " + until + "\n";
    flags_.waivers = dir_ / "waivers.toml";
    ASSERT_TRUE(WriteFileAtomically(flags_.waivers, toml_));
  }

  CheckOutcome Apply() {
    auto checks = RunChecks::Load(Installation::OfThisProgram(), flags_);
    EXPECT_TRUE(checks) << checks.error().message;
    EXPECT_TRUE(checks->ReadyFor(run_.kernel));
    RunResult run = run_;
    auto outcome = checks->Apply(run);
    EXPECT_TRUE(outcome) << outcome.error().message;
    return *outcome;
  }

  fs::path dir_;
  std::string toml_;
  RunResult run_;
  CheckFlags flags_;
};

TEST_F(RunChecksTest, KnownBugsAreExpectedWhenThatIsAskedFor) {
  EXPECT_EQ(Apply().outcome, RunOutcome::kNonconformant);
  EXPECT_EQ(Apply().verdict, "nonconformant");
  flags_.expect_errata = true;
  EXPECT_EQ(Apply().outcome, RunOutcome::kConformant);
  EXPECT_EQ(Apply().verdict, "known bugs only") << "what fails is not called conformant";
  run_.cases[1].erratum.reset();
  EXPECT_EQ(Apply().outcome, RunOutcome::kNonconformant);
}

TEST_F(RunChecksTest, OnlyWhatMayStayUnmetDoes) {
  for (CaseResult& result : run_.cases) result.verdict = Verdict::kPass;
  run_.cases[0].verdict = Verdict::kUnmet;
  EXPECT_EQ(Apply().outcome, RunOutcome::kCouldNotTest);
  flags_.allow_unmet = {"*.NoSuchCase"};
  EXPECT_EQ(Apply().outcome, RunOutcome::kCouldNotTest);
  flags_.allow_unmet = {"*.NoSuchCase", run_.cases[0].Id()};
  EXPECT_EQ(Apply().outcome, RunOutcome::kConformant);
  // It does not excuse a failure, nor a run in which nothing was tested.
  run_.cases[0].verdict = Verdict::kFail;
  EXPECT_EQ(Apply().outcome, RunOutcome::kNonconformant);
  run_.cases[0].verdict = Verdict::kUnmet;
  run_.cases.resize(1);
  EXPECT_EQ(Apply().outcome, RunOutcome::kCouldNotTest);
  // A baseline in which it was unmet too does not turn the run green.
  flags_.allow_unmet.clear();
  run_.cases.push_back(run_.cases[0]);
  run_.cases[1].case_name = "List.Passes";
  run_.cases[1].verdict = Verdict::kPass;
  flags_.baseline = (dir_ / "before.json").string();
  ASSERT_TRUE(WriteFileAtomically(flags_.baseline, ToJson(BaselineOf(run_))));
  EXPECT_EQ(Apply().outcome, RunOutcome::kCouldNotTest);
}

TEST_F(RunChecksTest, AWaiverBesideKnownBugsTakesNothingBack) {
  flags_.expect_errata = true;
  Waive("IOU-041", "2999-01-01");
  EXPECT_EQ(Apply().outcome, RunOutcome::kConformant);
  // What the waiver covers need not be known, what it does not cover must be.
  run_.cases[0].erratum.reset();
  EXPECT_EQ(Apply().outcome, RunOutcome::kConformant);
  run_.cases[1].erratum.reset();
  EXPECT_EQ(Apply().outcome, RunOutcome::kNonconformant);
  flags_.expect_errata = false;
  Waive("IOU-042", "2999-01-01");
  EXPECT_EQ(Apply().outcome, RunOutcome::kConformant);
  EXPECT_EQ(Apply().verdict, "conformant");
}

TEST_F(RunChecksTest, AnExpiredWaiverFailsEvenIfTheBugIsKnown) {
  flags_.expect_errata = true;
  Waive("IOU-041", "2020-01-01");
  const CheckOutcome outcome = Apply();
  EXPECT_EQ(outcome.outcome, RunOutcome::kNonconformant);
  EXPECT_THAT(outcome.findings, Contains(HasSubstr("W-IOU-041")));
}

TEST_F(RunChecksTest, ABaselineExcusesWhatFailedBeforeAndNothingElse) {
  flags_.baseline = (dir_ / "before.json").string();
  ASSERT_TRUE(WriteFileAtomically(flags_.baseline, ToJson(BaselineOf(run_))));
  EXPECT_EQ(Apply().outcome, RunOutcome::kConformant);
  EXPECT_EQ(Apply().verdict, "not worse") << "what fails is not called conformant";
  run_.cases.push_back(Case("List.Other", "IOU-043"));
  EXPECT_EQ(Apply().outcome, RunOutcome::kRegressed);
  EXPECT_EQ(Apply().verdict, "regressed");
}

TEST_F(RunChecksTest, ARecordedBaselineIsFoundByTheKernelOrByItsFolder) {
  const auto folder = RecordBaseline(BaselineOf(run_), dir_);
  ASSERT_TRUE(folder) << folder.error().message;
  flags_.baselines_dir = dir_;
  for (const std::string& baseline : {std::string("auto"), folder->string()}) {
    flags_.baseline = baseline;
    EXPECT_EQ(Apply().verdict, "not worse") << baseline;
  }
}

TEST_F(RunChecksTest, ABaselineOfOtherSuitesExcusesNothing) {
  RunResult other = run_;
  other.suites = {"mount"};
  for (CaseResult& result : other.cases) result.suite = "mount";
  flags_.baseline = (dir_ / "other.json").string();
  ASSERT_TRUE(WriteFileAtomically(flags_.baseline, ToJson(BaselineOf(other))));
  const CheckOutcome outcome = Apply();
  EXPECT_EQ(outcome.outcome, RunOutcome::kNonconformant);
  EXPECT_THAT(outcome.findings, Contains(HasSubstr("nothing of this run is in the baseline")));
}

TEST_F(RunChecksTest, ABaselineThatIsNotThereIsToldBeforeTheRun) {
  flags_.baseline = "auto";
  flags_.baselines_dir = dir_;
  auto checks = RunChecks::Load(Installation::OfThisProgram(), flags_);
  ASSERT_TRUE(checks) << checks.error().message;
  const Status ready = checks->ReadyFor(run_.kernel);
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(ready.error().message,
              HasSubstr("make one: kassay baseline record --kernel debian:7.0.13"));
}

}  // namespace
}  // namespace kassay::cli
