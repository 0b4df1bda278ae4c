#include "harness/kernel/build_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "harness/base/file.h"

namespace kassay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class FragmentsTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/kassay-fragments-XXXXXX";
    folder_ = mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(folder_ / name, text));
  }
  std::filesystem::path folder_;
};

TEST_F(FragmentsTest, AreJoinedInTheOrderOfTheirNames) {
  Write("20-b.config", "CONFIG_B=m\n");
  Write("10-a.config", "# why\nCONFIG_A=y\n# CONFIG_C is not set\n");
  Write("notes.txt", "not a fragment");
  const auto fragments = ReadFragments(folder_);
  ASSERT_TRUE(fragments) << fragments.error().message;
  EXPECT_LT(fragments->text.find("CONFIG_A=y"), fragments->text.find("CONFIG_B=m"));
  EXPECT_EQ(fragments->wishes.size(), 3U);
}

TEST_F(FragmentsTest, TellWhatKconfigDidNotTake) {
  Write("10-a.config", "CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\n# CONFIG_D is not set\n");
  const auto fragments = ReadFragments(folder_);
  ASSERT_TRUE(fragments);
  const auto config = KernelConfig::Parse("CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\n");
  ASSERT_TRUE(config);
  EXPECT_THAT(UnmetWishes(*fragments, *config),
              ElementsAre("CONFIG_B=m (10-a.config)", "CONFIG_C=n (10-a.config)"));
}

TEST_F(FragmentsTest, MayNotContradictEachOther) {
  Write("10-a.config", "CONFIG_A=y\n");
  Write("20-b.config", "# CONFIG_A is not set\n");
  const auto fragments = ReadFragments(folder_);
  ASSERT_FALSE(fragments);
  EXPECT_THAT(fragments.error().message, HasSubstr("20-b.config asks for CONFIG_A=n"));
}

TEST_F(FragmentsTest, OfTheMinimalKernelAreWhatKassayChoicesAndSuitesName) {
  Write("10-base.config", "CONFIG_PCI=y\n");
  Write("20-more.config", "CONFIG_MORE=y\n");
  Write("minimal/10-choices.config", "# CONFIG_SIZE is not set\nCONFIG_WORD=\"a\"\n");
  const auto minimal = MinimalFragments(folder_,
                                        "# rings\nCONFIG_RING=y\nCONFIG_SIZE=12\n# CONFIG_WORD is "
                                        "not set\n# CONFIG_NEW is not set\n");
  ASSERT_TRUE(minimal) << minimal.error().message;
  for (const char* line : {"CONFIG_PCI=y", "CONFIG_RING=y", "# CONFIG_SIZE is not",
                           "CONFIG_WORD=\"a", "# CONFIG_NEW is not"})
    EXPECT_THAT(minimal->text, HasSubstr(line));
  for (const char* line : {"CONFIG_MORE", "CONFIG_SIZE=12", "# CONFIG_WORD"})
    EXPECT_THAT(minimal->text, Not(HasSubstr(line)));
}

TEST_F(FragmentsTest, MustBeThere) {
  EXPECT_FALSE(ReadFragments(folder_));
  Write("10-a.config", "this is no configuration\n");
  const auto fragments = ReadFragments(folder_);
  ASSERT_FALSE(fragments);
  EXPECT_THAT(fragments.error().message, HasSubstr("10-a.config"));
}

}  // namespace
}  // namespace kassay
