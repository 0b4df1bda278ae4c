#include "harness/base/process/program.h"

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "harness/base/interrupt.h"

namespace kassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Program Shell(const std::string& script) {
  Program program;
  program.argv = {"/bin/sh", "-c", script};
  return program;
}

TEST(Program, GivesExitCodeAndBothStreams) {
  const auto outcome = RunProgram(Shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->exit_code, 3);
  EXPECT_EQ(outcome->standard_output, "out\n");
  EXPECT_EQ(outcome->standard_error, "err\n");
  EXPECT_FALSE(outcome->Succeeded());
  EXPECT_EQ(outcome->HowItEnded(), "exited with 3");
}

TEST(Program, NamesTheSignal) {
  const auto outcome = RunProgram(Shell("kill -SEGV $$"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->HowItEnded(), "was killed by SIGSEGV");
}

TEST(Program, IsKilledWithItsChildrenAfterTheLimit) {
  Program program = Shell("sleep 60 & echo $!; wait");
  program.limit = std::chrono::milliseconds(300);
  const auto outcome = RunProgram(program);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->timed_out);
  EXPECT_EQ(outcome->signal, SIGKILL);
  // The group is gone a moment later: the orphan has to be reaped by its new parent.
  const pid_t child = std::stoi(outcome->standard_output);
  bool gone = false;
  for (int i = 0; i < 50 && !gone; ++i) {
    std::ifstream status("/proc/" + std::to_string(child) + "/stat");
    std::string pid;
    std::string name;
    std::string state;
    gone = !(status >> pid >> name >> state) || state == "Z";
    if (!gone) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(gone);
}

TEST(Program, OutputIsBounded) {
  Program program = Shell("yes");
  program.max_output_bytes = 1000;
  const auto outcome = RunProgram(program);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->cut);
  EXPECT_EQ(outcome->standard_output.size(), 1000U);
  EXPECT_FALSE(outcome->Succeeded());
}

TEST(Program, RecordsComeLineByLineAndVariablesAreSet) {
  std::vector<std::string> records;
  Program program = Shell("echo one >&$KASSAY_RECORD_FD; echo $X >&$KASSAY_RECORD_FD");
  program.environment = {{"X", "two"}};
  program.on_record = [&](std::string record) { records.push_back(std::move(record)); };
  ASSERT_TRUE(RunProgram(program));
  EXPECT_THAT(records, ElementsAre("one", "two"));
}

TEST(Program, ThatIsNotThereIsAnError) {
  Program program;
  program.argv = {"/nonexistent/program"};
  const auto outcome = RunProgram(program);
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("cannot start /nonexistent/program"));
}

TEST(Program, EndsOnInterrupt) {
  RequestInterrupt();
  const auto outcome = RunProgram(Shell("sleep 60"));
  ClearInterruptForTesting();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ExitCode::kInterrupted);
}

}  // namespace
}  // namespace kassay
