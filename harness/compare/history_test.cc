#include "harness/compare/history.h"

#include <gmock/gmock.h>

#include "harness/base/file.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

RunResult RunAt(const std::string& started_at, const std::string& release, Verdict verdict) {
  RunResult run;
  run.started_at = started_at;
  run.kernel.release = release;
  CaseResult result;
  result.suite = "io_uring";
  result.case_name = "A.B";
  result.requirements = {"IOU-001", "IOU-002"};
  result.verdict = verdict;
  result.reason = "it's '; DROP TABLE run; --";
  run.cases = {result};
  return run;
}

class HistoryTest : public ::testing::Test {
 protected:
  HistoryTest() {
    std::string name = ::testing::TempDir() + "/history-XXXXXX";
    dir_ = ::mkdtemp(name.data());
  }
  ~HistoryTest() override { fs::remove_all(dir_); }
  History Open() const { return History::Open(dir_ / "sub/history.sqlite").value(); }
  fs::path dir_;
};

TEST_F(HistoryTest, KeepsRunsOverProcessesOldestFirst) {
  ASSERT_TRUE(Open().Add(RunAt("2026-02-01T00:00:00Z", "7.2", Verdict::kPass)).value());
  ASSERT_TRUE(Open().Add(RunAt("2026-01-01T00:00:00Z", "7.0", Verdict::kFail)).value());
  const auto rows = Open().OfCase("io_uring.A.B", 100).value();
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].release, "7.0");
  EXPECT_EQ(rows[0].verdict, Verdict::kFail);
  EXPECT_EQ(rows[0].reason, "it's '; DROP TABLE run; --");
  EXPECT_EQ(rows[1].release, "7.2");
  EXPECT_THAT(Open().OfCase("io_uring.A.B", 1).value(), SizeIs(1));
  EXPECT_EQ(Open().OfCase("io_uring.A.B", 1).value()[0].release, "7.2");
}

TEST_F(HistoryTest, TheSameResultIsTakenUpOnce) {
  const RunResult run = RunAt("2026-01-01T00:00:00Z", "7.0", Verdict::kFail);
  EXPECT_TRUE(Open().Add(run).value());
  EXPECT_FALSE(Open().Add(run).value());
  EXPECT_THAT(Open().OfCase("io_uring.A.B", 100).value(), SizeIs(1));
}

TEST_F(HistoryTest, ARequirementIsFoundThroughTheCasesThatCiteIt) {
  ASSERT_TRUE(Open().Add(RunAt("2026-01-01T00:00:00Z", "7.0", Verdict::kFail)).value());
  EXPECT_THAT(Open().OfRequirement("IOU-002", 10).value(), SizeIs(1));
  EXPECT_THAT(Open().OfRequirement("IOU-003", 10).value(), IsEmpty());
  EXPECT_THAT(Open().OfCase("no.such", 10).value(), IsEmpty());
  EXPECT_THAT(Open().Known("IOU", 10).value(), ElementsAre("IOU-001", "IOU-002"));
}

TEST_F(HistoryTest, AFileThatIsNotOursIsRefused) {
  const fs::path file = dir_ / "other.sqlite";
  ASSERT_TRUE(WriteFileAtomically(file, std::string(4096, 'x')));
  const auto history = History::Open(file);
  ASSERT_FALSE(history);
  EXPECT_THAT(history.error().message, HasSubstr("other.sqlite"));
}

}  // namespace
}  // namespace kassay
