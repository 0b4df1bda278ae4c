#include "harness/host/host_lab.h"

#include <gmock/gmock.h>

#include <csignal>

#include "harness/profile/profile.h"
#include "harness/protocol/records.h"

namespace kassay {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

GuestOutcome RunShell(const std::string& script, std::chrono::milliseconds limit) {
  GuestCommand command;
  command.argv = {"/bin/sh", "-c", script};
  command.limit = limit;
  const auto headers = std::make_shared<KernelHeaders>(
      []() -> Result<std::filesystem::path> { return "/the/headers"; });
  HostLab lab({}, headers, /*machines=*/nullptr);
  const auto guest = lab.Fresh(kHostProfile, {});
  if (!guest) return GuestOutcome();
  const auto outcome = (*guest)->Run(command, nullptr);
  EXPECT_TRUE(outcome) << outcome.error().message;
  return outcome.value_or(GuestOutcome());
}

TEST(HostLab, TakesRecordsLineByLineAndNamesTheHeaders) {
  const GuestOutcome outcome = RunShell(
      "exec 5>/proc/self/fd/$KASSAY_RECORD_FD; echo one >&5; echo $KASSAY_KERNEL_HEADERS >&5; "
      "echo out; echo err >&2; exit 3",
      std::chrono::seconds(10));
  EXPECT_THAT(outcome.records, ElementsAre("one", "/the/headers"));
  EXPECT_EQ(outcome.output, "out\nerr\n");
  EXPECT_EQ(outcome.end, GuestOutcome::End::kExited);
  EXPECT_EQ(outcome.status, 3);
}

TEST(HostLab, KeepsOneRecordAndOneByteOverTheBounds) {
  const GuestOutcome outcome = RunShell(
      "(head -c 100000 /dev/zero; echo; yes | head -n 5000) "
      ">/proc/self/fd/$KASSAY_RECORD_FD",
      std::chrono::seconds(10));
  ASSERT_THAT(outcome.records, SizeIs(kMaxRecordsPerCase + 1));
  EXPECT_THAT(outcome.records[0], SizeIs(kMaxRecordBytes + 1));
  EXPECT_EQ(outcome.records[1], "y");
}

TEST(HostLab, TellsALimitAndASignal) {
  EXPECT_EQ(RunShell("exec sleep 60", std::chrono::milliseconds(200)).end,
            GuestOutcome::End::kTimedOut);
  const GuestOutcome killed = RunShell("kill -SEGV $$", std::chrono::seconds(10));
  EXPECT_EQ(killed.end, GuestOutcome::End::kSignalled);
  EXPECT_EQ(killed.status, SIGSEGV);
}

}  // namespace
}  // namespace kassay
