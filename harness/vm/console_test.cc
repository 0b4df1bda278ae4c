#include "harness/vm/console.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/vm/tail_buffer.h"

namespace kassay {
namespace {

// Nobody reads meanwhile, as on a host that is busy with other things.
TEST(ConsolePipe, LosesNothingOfAWriterThatWritesByteByByteAndDoesNotWait) {
  const auto pipe = MakeConsolePipe();
  ASSERT_TRUE(pipe) << pipe.error().message;
  ASSERT_EQ(::fcntl(pipe->writing.Get(), F_SETFL, O_NONBLOCK), 0);
  int written = 0;
  while (written < (64 << 10) && ::write(pipe->writing.Get(), "x", 1) == 1) ++written;
  EXPECT_EQ(written, 64 << 10);
}

TEST(PanicLine, IsTheKernelsOwnWithoutStamps) {
  EXPECT_EQ(PanicLine("[    1.000000] fine\r\n"
                      "[    3.301852][   T12] Kernel panic - not syncing: sysrq triggered crash\r\n"
                      "[    3.301900] CPU: 0\r\n"),
            "Kernel panic - not syncing: sysrq triggered crash");
  EXPECT_EQ(PanicLine("[    1.000000] fine\n"), "");
  EXPECT_EQ(PanicLine(""), "");
}

TEST(DeathLine, IsTheFirstReportAndThePanic) {
  EXPECT_EQ(DeathLine("[ 1.0] Oops: int3: 0000 [#1] SMP\n[ 1.1] Call Trace:\n"
                      "[ 1.2] Kernel panic - not syncing: Fatal exception\n"),
            "Oops: int3: 0000 [#1] SMP; Kernel panic - not syncing: Fatal exception");
  EXPECT_EQ(DeathLine("[ 1.2] Kernel panic - not syncing: VFS\n"),
            "Kernel panic - not syncing: VFS");
  EXPECT_EQ(DeathLine("[ 1.0] Oops: int3: 0000 [#1] SMP\n"), "");
}

TEST(DistressLine, IsTheFirstReport) {
  EXPECT_EQ(DistressLine("[ 1.0] ok\n[ 2.0] BUG: kernel NULL pointer dereference, address: 0\n"
                         "[ 2.1] Oops: Oops: 0002 [#1] SMP\n"),
            "BUG: kernel NULL pointer dereference, address: 0");
  EXPECT_EQ(DistressLine("[ 9.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!\n"),
            "watchdog: BUG: soft lockup - CPU#0 stuck for 22s!");
  EXPECT_EQ(DistressLine("[ 9.0] rcu: INFO: rcu_preempt self-detected stall on CPU\n"),
            "rcu: INFO: rcu_preempt self-detected stall on CPU");
  EXPECT_EQ(DistressLine("all is well\n"), "");
}

TEST(LastLines, GivesTheEnd) {
  EXPECT_EQ(LastLines("a\r\nb\r\nc\r\n", 2), "b\nc");
  EXPECT_EQ(LastLines("a\nb\n\n\n", 5), "a\nb");
  EXPECT_EQ(LastLines("only", 3), "only");
  EXPECT_EQ(LastLines("", 3), "");
  EXPECT_EQ(LastLines(std::string(100, 'x'), 3, 10), std::string(10, 'x'));
}

TEST(TailBuffer, KeepsTheLastPartAndSaysWhatIsMissing) {
  TailBuffer tail(4);
  tail.Append("abcd");
  EXPECT_EQ(tail.Text(), "abcd");
  tail.Append("e");
  EXPECT_EQ(tail.Text(), "[1 bytes before this are left out]\nbcde");
  for (int i = 0; i < 100; ++i) tail.Append("0123456789");
  EXPECT_EQ(tail.Text(), "[1001 bytes before this are left out]\n6789");
  EXPECT_LE(tail.Raw().size(), 8U);
  tail.Clear();
  EXPECT_EQ(tail.Text(), "");
}

}  // namespace
}  // namespace kassay
