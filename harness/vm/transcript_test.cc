#include "harness/vm/transcript.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kassay {
namespace {

using End = GuestOutcome::End;
using protocol::Done;
using protocol::Encode;
using protocol::Ended;
using protocol::KernelLine;
using protocol::Output;
using protocol::Record;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(Transcript, TellsAWholeRun) {
  std::vector<std::string> seen;
  Transcript transcript([&seen](const std::string& line) { seen.push_back(line); });
  ASSERT_TRUE(transcript.Append(Encode(Record{"one"}) + Encode(Output{"said\n"})));
  EXPECT_THAT(seen, ElementsAre("one"));
  ASSERT_TRUE(transcript.Append(Encode(Ended{Ended::How::kExited, 7, ""}) +
                                Encode(KernelLine{4, 12'345'678, "WARNING: here"})));
  EXPECT_FALSE(transcript.Finished());
  ASSERT_TRUE(transcript.Append(Encode(Done{0, 512, 0})));
  EXPECT_TRUE(transcript.Finished());
  const GuestOutcome outcome = transcript.Take();
  EXPECT_EQ(outcome.end, End::kExited);
  EXPECT_EQ(outcome.status, 7);
  EXPECT_THAT(outcome.records, ElementsAre("one"));
  EXPECT_EQ(outcome.output, "said\n");
  EXPECT_THAT(outcome.kernel_log, ElementsAre("<4>[   12.345678] WARNING: here"));
  EXPECT_EQ(outcome.taint_before, 0U);
  EXPECT_EQ(outcome.taint_after, 512U);
}

TEST(Transcript, RefusesWhatComesOutOfOrder) {
  const std::string ended = Encode(Ended{});
  const std::string done = Encode(Done{});
  for (const std::string& lie : {
           done,
           Encode(KernelLine{}),
           ended + ended,
           ended + Encode(Record{"late"}),
           ended + Encode(Output{"late"}),
           ended + done + done,
           ended + done + Encode(Record{"late"}),
           Encode(protocol::Hello{1, "7.0", 0, {}, {}}),
           Encode(protocol::Ping{1}),
           std::string("\x00\x00\x00\x00\x63", 5),
       }) {
    Transcript transcript(nullptr);
    EXPECT_FALSE(transcript.Append(lie));
  }
}

TEST(Transcript, BoundsWhatAGuestLeavesInMemory) {
  Transcript transcript(nullptr);
  const std::string output = Encode(Output{std::string(protocol::kMaxOutputBytes, 'x')});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(transcript.Append(output));
  ASSERT_TRUE(transcript.Append(Encode(Output{"the end"}) + Encode(Ended{})));
  const std::string line = Encode(KernelLine{4, 1, "again"});
  for (std::size_t i = 0; i < kMaxRunKernelLines + 5; ++i) ASSERT_TRUE(transcript.Append(line));
  ASSERT_TRUE(transcript.Append(Encode(Done{0, 0, 2})));
  const GuestOutcome outcome = transcript.Take();
  EXPECT_LT(outcome.output.size(), kMaxRunOutputBytes + 100);
  EXPECT_TRUE(outcome.output.ends_with("the end"));
  ASSERT_THAT(outcome.kernel_log, SizeIs(kMaxRunKernelLines + 2));
  EXPECT_EQ(outcome.kernel_log[kMaxRunKernelLines], "[5 more lines left out]");
}

TEST(Transcript, RefusesOneRecordTooMany) {
  Transcript transcript(nullptr);
  const std::string record = Encode(Record{"r"});
  for (std::size_t i = 0; i < kMaxRunRecords; ++i) ASSERT_TRUE(transcript.Append(record));
  EXPECT_FALSE(transcript.Append(record));
}

TEST(Transcript, EndsAProgramThatDidNotStartAsAShellWould) {
  const auto end_of = [](int error) {
    Transcript transcript(nullptr);
    EXPECT_TRUE(transcript.Append(Encode(Ended{Ended::How::kNotStarted, error, "execve"}) +
                                  Encode(Done{})));
    return transcript.Take();
  };
  EXPECT_EQ(end_of(ENOENT).status, 127);
  EXPECT_EQ(end_of(EACCES).status, 126);
  EXPECT_THAT(end_of(EACCES).detail, HasSubstr("execve: Permission denied"));
}

}  // namespace
}  // namespace kassay
