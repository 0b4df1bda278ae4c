#include "suites/support/child.h"

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "harness/protocol/records.h"
#include "harness/protocol/suite_program.h"
#include "suites/support/held_child.h"

namespace kassay {
namespace {

using std::chrono::milliseconds;

TEST(Returned, AMismatchNamesWhatWasExpectedAndWhatCame) {
  ::testing::StringMatchResultListener listener;
  const auto seen = InChild([] { return 7; });
  EXPECT_FALSE(::testing::ExplainMatchResult(Returned(-13), seen, &listener));
  EXPECT_THAT(listener.str(),
              ::testing::HasSubstr("where a value was expected that is equal to -13"));
  EXPECT_EQ(::testing::PrintToString(seen), "a child that returned 7");
}

class LimitScaleTest : public ::testing::Test {
 protected:
  ~LimitScaleTest() override { unsetenv("KASSAY_LIMIT_SCALE"); }
  static void Scale(const std::string& by) {
    std::string program = "suite";
    std::string filter = "--gtest_filter=A.B";
    std::string option = kLimitScaleOption + by;
    char* argv[] = {program.data(), filter.data(), option.data(), nullptr};
    TakeLimitScale(3, argv);
  }
  static int AnswerLate() {
    std::this_thread::sleep_for(milliseconds(1500));
    return 7;
  }
};

TEST_F(LimitScaleTest, IsOneUnlessItIsAskedFor) {
  EXPECT_EQ(ScaledMilliseconds(20), 20'000);
  Scale("2.5");
  EXPECT_EQ(ScaledMilliseconds(20), 50'000);
  Scale("0.1");
  EXPECT_EQ(ScaledMilliseconds(20), 2'000);
}

TEST_F(LimitScaleTest, WhatIsNoScaleChangesNothing) {
  for (const char* wrong : {"", "0", "-1", "1000", "nan", "x"}) {
    Scale(wrong);
    EXPECT_EQ(ScaledMilliseconds(20), 20'000) << wrong;
  }
}

TEST_F(LimitScaleTest, ReachesAChild) {
  EXPECT_THAT(InChild(AnswerLate, 20), Returned(7));
  EXPECT_TRUE(InChild(AnswerLate, 1).timed_out);
  Scale("20");
  EXPECT_THAT(InChild(AnswerLate, 1), Returned(7));
  Scale("0.1");
  EXPECT_TRUE(InChild(AnswerLate, 10).timed_out);
}

TEST_F(LimitScaleTest, ReachesAHeldChildAndTheChildOfAChild) {
  EXPECT_EQ(HeldChild<int>(AnswerLate, 1).Value(), std::nullopt);
  Scale("20");
  EXPECT_EQ(HeldChild<int>(AnswerLate, 1).Value(), 7);
  EXPECT_THAT(InChild([] { return InChild(AnswerLate, 1).value.value_or(0); }, 1), Returned(7));
}

}  // namespace
}  // namespace kassay
