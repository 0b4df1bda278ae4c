#include "harness/compare/bisect.h"

#include <gmock/gmock.h>

#include <string>

namespace kassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// One letter a kernel: g, b or ?.
Result<BisectOutcome> Over(const std::string& kernels) {
  return Bisect(kernels.size(), [&](size_t i) -> Result<CaseStanding> {
    return kernels[i] == 'g' ? CaseStanding::kGood
                             : (kernels[i] == 'b' ? CaseStanding::kBad : CaseStanding::kUntold);
  });
}

TEST(Bisect, FindsTheFirstBadWhereverItIs) {
  for (size_t count = 2; count < 20; ++count) {
    for (size_t first_bad = 1; first_bad < count; ++first_bad) {
      const auto outcome = Over(std::string(first_bad, 'g') + std::string(count - first_bad, 'b'));
      ASSERT_TRUE(outcome);
      EXPECT_EQ(outcome->first_bad, first_bad);
      EXPECT_EQ(outcome->last_good, first_bad - 1);
      EXPECT_THAT(outcome->untold, IsEmpty());
      EXPECT_LE(outcome->asked, 7U);
    }
  }
}

TEST(Bisect, KernelsThatCannotTellStayBetween) {
  const auto outcome = Over("gg??bb");
  EXPECT_EQ(outcome->last_good, 1U);
  EXPECT_EQ(outcome->first_bad, 4U);
  EXPECT_THAT(outcome->untold, ElementsAre(2, 3));
  const auto around = Over("gg?bbb");
  EXPECT_EQ(around->first_bad, 3U);
  EXPECT_THAT(around->untold, ElementsAre(2));
  EXPECT_EQ(Over("g????gb")->last_good, 5U);
}

TEST(Bisect, EndsThatAreNotAsSaidAreRefused) {
  EXPECT_THAT(Over("bb").error().message, HasSubstr("good end"));
  EXPECT_THAT(Over("gg").error().message, HasSubstr("bad end"));
  EXPECT_FALSE(Over("g"));
}

}  // namespace
}  // namespace kassay
