#include "harness/base/process/program.h"

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "harness/base/interrupt.h"

namespace kassay {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

Command Shell(const std::string& script) { return {.argv = {"/bin/sh", "-c", script}}; }

// Gone, or a zombie that its new parent has yet to reap, a moment later.
bool IsSoonGone(const std::string& pid) {
  for (int i = 0; i < 50; ++i) {
    std::ifstream status("/proc/" + std::to_string(std::stoi(pid)) + "/stat");
    std::string number;
    std::string name;
    std::string state;
    if (!(status >> number >> name >> state) || state == "Z") return true;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return false;
}

TEST(Program, GivesExitCodeAndBothStreams) {
  const auto outcome = RunProgram(Shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->ending.status.exit_code, 3);
  EXPECT_EQ(outcome->standard_output, "out\n");
  EXPECT_EQ(outcome->standard_error, "err\n");
  EXPECT_FALSE(outcome->ending.Succeeded());
  EXPECT_EQ(outcome->ending.Words(), "ended with exit code 3");
}

TEST(Program, NamesTheSignal) {
  const auto outcome = RunProgram(Shell("kill -SEGV $$"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->ending.Words(), "was killed by SIGSEGV");
  EXPECT_EQ(SignalName(77), "signal 77");
}

TEST(Program, IsKilledWithItsChildrenAfterTheLimit) {
  const auto outcome = RunProgram(Shell("sleep 60 & echo $!; wait"), {.time = milliseconds(300)});
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->ending.timed_out);
  EXPECT_EQ(outcome->ending.status.signal, SIGKILL);
  EXPECT_EQ(outcome->ending.Words(), "did not end within its time limit");
  EXPECT_TRUE(IsSoonGone(outcome->standard_output));
}

TEST(Program, EndsAtItsLimitThoughItNeverStopsTalking) {
  const auto ending = StreamProgram({.argv = {"yes"}}, {.time = milliseconds(300)},
                                    [](std::string_view) { return true; });
  ASSERT_TRUE(ending) << ending.error().message;
  EXPECT_TRUE(ending->timed_out);
}

TEST(Program, LeavesNothingBehindInItsGroup) {
  // What stays behind holds the output open, and is not waited for.
  const auto outcome = RunProgram(Shell("sleep 60 & echo $!"));
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->ending.Succeeded()) << outcome->ending.Words();
  EXPECT_TRUE(IsSoonGone(outcome->standard_output));
}

TEST(Program, OutputIsBounded) {
  const auto outcome = RunProgram({.argv = {"yes"}}, {.output_bytes = 1000});
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->ending.cut);
  EXPECT_EQ(outcome->standard_output.size(), 1000U);
  EXPECT_FALSE(outcome->ending.Succeeded());
}

TEST(Program, GivesAllThatItSaysThoughItEndsAtOnce) {
  const auto outcome = RunProgram(Shell("head -c 60000 /dev/zero; exit 0"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->standard_output.size(), 60000U);
}

TEST(Program, BothStreamsComeInTheirOrder) {
  std::string said;
  const auto ending =
      StreamProgram(Shell("echo one; echo two >&2; echo three"), {}, [&](std::string_view bytes) {
        said += bytes;
        return true;
      });
  ASSERT_TRUE(ending) << ending.error().message;
  EXPECT_EQ(said, "one\ntwo\nthree\n");
}

TEST(Program, HasAStreamMoreUnderItsNumber) {
  std::string records;
  std::vector<Stream> streams(1);
  auto stream = MakeStream([&](std::string_view bytes) {
    records += bytes;
    return true;
  });
  ASSERT_TRUE(stream) << stream.error().message;
  streams[0] = *std::move(stream);
  Command command = Shell("echo one >/proc/self/fd/$FD; echo $X >/proc/self/fd/$FD");
  command.environment = {{"X", "two"}, {"FD", std::to_string(streams[0].pipe.writing.Get())}};
  const auto outcome = RunProgram(command, {}, std::move(streams));
  ASSERT_TRUE(outcome && outcome->ending.Succeeded());
  EXPECT_EQ(records, "one\ntwo\n");
}

TEST(Program, ThatIsNotThereIsAnError) {
  const auto outcome = RunProgram({.argv = {"/nonexistent/program"}});
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("cannot start /nonexistent/program"));
}

TEST(Program, EndsOnInterrupt) {
  RequestInterrupt();
  const auto outcome = RunProgram(Shell("sleep 60"));
  ClearInterruptForTesting();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kInterrupted);
}

// As a build does that removes what is half written; and a child that ignores SIGTERM does not
// outlive it.
TEST(Program, HasItsGraceOnInterrupt) {
  const std::string mark = ::testing::TempDir() + "/in-order";
  std::string child;
  const auto ending =
      StreamProgram(Shell("trap 'sleep 0.2; echo > " + mark +
                          "; exit' TERM; sh -c 'trap \"\" TERM; exec sleep 60' & "
                          "sleep 0.3; echo $!; while :; do sleep 0.01; done"),
                    {.grace = std::chrono::seconds(10)}, [&](std::string_view bytes) {
                      child += bytes;
                      RequestInterrupt();
                      return true;
                    });
  ClearInterruptForTesting();
  ASSERT_FALSE(ending);
  EXPECT_EQ(ending.error().kind, ErrorKind::kInterrupted);
  EXPECT_TRUE(std::ifstream(mark).good());
  EXPECT_TRUE(IsSoonGone(child));
}

}  // namespace
}  // namespace kassay
