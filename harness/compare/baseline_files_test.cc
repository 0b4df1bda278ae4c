#include "harness/compare/baseline_files.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "harness/base/file.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

RunResult RunOf(const std::vector<std::string>& suites) {
  RunResult run;
  run.kernel = {.spec = "debian:7.0.13",
                .release = "7.0.13+deb13-cloud-amd64",
                .vendor = "debian",
                .package_version = "7.0.13-1~bpo13+1",
                .image_sha256 = std::string(64, 'a')};
  run.environment.isolation = "case";
  run.suites = suites;
  for (const std::string& suite : suites) {
    CaseResult& result = run.cases.emplace_back();
    result.suite = suite;
    result.case_name = "A.Holds";
    result.profile = "stock";
    result.verdict = Verdict::kPass;
  }
  return run;
}

class BaselineFiles : public ::testing::Test {
 protected:
  BaselineFiles() {
    std::string name = ::testing::TempDir() + "/baselines-XXXXXX";
    dir_ = ::mkdtemp(name.data());
  }
  ~BaselineFiles() override { fs::remove_all(dir_); }

  [[nodiscard]] fs::path Record(const RunResult& run) const {
    const auto folder = RecordBaseline(BaselineOf(run), dir_);
    EXPECT_TRUE(folder) << folder.error().message;
    return folder.value_or(fs::path());
  }
  static std::string ProblemOf(const fs::path& path) {
    const auto loaded = LoadBaseline(path);
    if (loaded) return "none";
    EXPECT_EQ(loaded.error().kind, ErrorKind::kUsage);
    return loaded.error().message;
  }

  fs::path dir_;
};

TEST_F(BaselineFiles, AreNamedByAllThatTellsKernelsApartAndFoundAgain) {
  const RunResult run = RunOf({"io_uring"});
  constexpr const char* kName = "debian-7.0.13+deb13-cloud-amd64-7.0.13-1~bpo13+1";
  EXPECT_EQ(BaselineName(run.kernel), kName);
  KernelIdentity tree = {.release = "7.0.0-rc1/../x", .image_sha256 = std::string(64, 'b')};
  EXPECT_EQ(BaselineName(tree), "tree-7.0.0-rc1-..-x-bbbbbbbbbbbb");
  // Every build of it is another image.
  tree = {.release = "7.0.13-kassay", .vendor = "reference", .image_sha256 = std::string(64, 'c')};
  EXPECT_EQ(BaselineName(tree), "reference-7.0.13-kassay");

  const fs::path folder = Record(run);
  EXPECT_EQ(folder, dir_ / kName);
  EXPECT_EQ(FindBaseline(dir_, {.spec = "debian:7.0.13"}).value(), folder);
  EXPECT_EQ(FindBaseline(dir_, {.spec = kName}).value(), folder);
  EXPECT_EQ(FindBaseline(dir_, run.kernel).value(), folder);
  const auto none = FindBaseline(dir_, {.spec = "debian:7.3.4"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::kUsage);
}

// A distribution builds several kernels from one version of its package.
TEST_F(BaselineFiles, AnotherFlavourOrImageOfTheSameVersionIsNotFound) {
  const RunResult run = RunOf({"io_uring"});
  const fs::path folder = Record(run);
  KernelIdentity flavour = run.kernel;
  flavour.release = "7.0.13+deb13-rt-amd64";
  const auto none = FindBaseline(dir_, flavour);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("no baseline for"));
  KernelIdentity rebuilt = run.kernel;
  rebuilt.image_sha256 = std::string(64, 'd');
  const auto other = FindBaseline(dir_, rebuilt);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(other.error().message, HasSubstr("--baseline " + folder.string()));
}

TEST_F(BaselineFiles, AreOneASuiteAndOneIsRecordedAnewWithoutTheOthers) {
  const fs::path folder = Record(RunOf({"io_uring", "mount"}));
  const std::string mount = ReadFile(folder / "mount.json").value();
  RunResult again = RunOf({"io_uring"});
  again.cases[0].verdict = Verdict::kFail;
  EXPECT_EQ(Record(again), folder);
  EXPECT_EQ(ReadFile(folder / "mount.json").value(), mount);
  const auto both = LoadBaseline(folder);
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_THAT(both->suites, ElementsAre("io_uring", "mount"));
  EXPECT_EQ(both->cases[0].verdict, Verdict::kFail);
  EXPECT_EQ(both->cases[1].verdict, Verdict::kPass);
}

TEST_F(BaselineFiles, OtherConditionsAreRefusedUnlessTheRestIsRecordedNext) {
  const fs::path folder = Record(RunOf({"io_uring", "mount"}));
  const std::string before = ReadFile(folder / "io_uring.json").value();
  RunResult other = RunOf({"io_uring"});
  other.kernel.image_sha256 = std::string(64, 'b');
  const auto refused = RecordBaseline(BaselineOf(other), dir_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("record all suites anew"));
  EXPECT_EQ(ReadFile(folder / "io_uring.json").value(), before);
  EXPECT_TRUE(RecordBaseline(BaselineOf(other), dir_, {"mount"}));
}

TEST_F(BaselineFiles, AreLoadedAsAFolderAsOneAndFromARun) {
  const RunResult run = RunOf({"io_uring", "mount"});
  const fs::path folder = Record(run);
  EXPECT_EQ(LoadBaseline(folder / "mount.json").value().suites, std::vector<std::string>{"mount"});
  const fs::path out = dir_ / "out";
  ASSERT_TRUE(WriteFileAtomically(out / "results.json", ToJson(run)));
  EXPECT_EQ(ToJson(LoadBaseline(out).value()), ToJson(LoadBaseline(folder).value()));
  EXPECT_EQ(ToJson(LoadBaseline(out / "results.json").value()), ToJson(BaselineOf(run)));
}

TEST_F(BaselineFiles, AFolderWithWhatDoesNotBelongThereIsRefused) {
  const fs::path folder = Record(RunOf({"io_uring", "mount"}));
  fs::copy_file(folder / "mount.json", folder / "posture.json");
  EXPECT_THAT(ProblemOf(folder), HasSubstr("posture.json is not what was recorded of the suite"));
  RunResult other = RunOf({"posture"});
  other.kernel.package_version = "7.0.14-1";
  fs::remove(folder / "posture.json");
  fs::copy_file(Record(other) / "posture.json", folder / "posture.json");
  EXPECT_THAT(ProblemOf(folder), HasSubstr("posture.json is of another kernel"));
  EXPECT_THAT(ProblemOf(dir_), HasSubstr("no results.json and no baseline"));
  EXPECT_NE(ProblemOf(dir_ / "nowhere"), "none");
}

// A kernel under test may be a build tree, in which there are other files of that kind.
TEST_F(BaselineFiles, ABuildTreeIsNotTakenForThem) {
  const fs::path tree = dir_ / "linux";
  ASSERT_TRUE(WriteFileAtomically(tree / "compile_commands.json", "[]"));
  EXPECT_FALSE(IsRecorded(tree));
  EXPECT_FALSE(IsRecorded(dir_ / "nowhere"));
  const fs::path folder = Record(RunOf({"mount"}));
  EXPECT_TRUE(IsRecorded(folder));
  EXPECT_TRUE(IsRecorded(folder / "mount.json"));
}

}  // namespace
}  // namespace kassay
