#include "harness/guest/kernel_log.h"

#include <gtest/gtest.h>

namespace kassay::guest {
namespace {

TEST(ParseKmsgRecord, TakesTheKernelsLine) {
  const auto line = ParseKmsgRecord("4,1234,5678901,-;WARNING: CPU: 0 PID: 1 at fs/a.c:1\n");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->level, 4);
  EXPECT_EQ(line->microseconds, 5678901U);
  EXPECT_EQ(line->text, "WARNING: CPU: 0 PID: 1 at fs/a.c:1");
}

TEST(ParseKmsgRecord, LeavesOutTheDictionaryAndKeepsSemicolons) {
  const auto line =
      ParseKmsgRecord("6,1,2,-,caller=T1;pci 0000:00: a; b\n SUBSYSTEM=pci\n DEVICE=+pci\n");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->text, "pci 0000:00: a; b");
}

TEST(ParseKmsgRecord, LeavesOutWhatUserSpaceWrote) {
  EXPECT_FALSE(ParseKmsgRecord("12,1,2,-;WARNING: not the kernel\n").has_value());
}

TEST(ParseKmsgRecord, RefusesWhatIsNone) {
  for (const char* text :
       {"", "4", "4,1", "4,1,2", "4,1,2,-", "x,1,2,-;text", "4,1,;text", ";text"})
    EXPECT_FALSE(ParseKmsgRecord(text).has_value()) << text;
}

}  // namespace
}  // namespace kassay::guest
