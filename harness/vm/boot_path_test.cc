#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/file.h"
#include "harness/vm/boot.h"
#include "harness/vm/testing/images.h"
#include "harness/vm/testing/test_machine.h"

namespace kassay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::SmallBzImage;
using testing::SmallElf;

class BootPath : public ::testing::Test {
 protected:
  void Image(const std::string& bytes) {
    kernel_.image = scratch_.path() / "image";
    ASSERT_TRUE(WriteFileAtomically(kernel_.image, bytes));
  }

  kassay::testing::ScratchFolder scratch_;
  Kernel kernel_;
  Profile profile_;
  VmOptions options_;
};

TEST_F(BootPath, IsTheOptionsElseTheProfiles) {
  Image(SmallBzImage("x"));
  EXPECT_EQ(*BootModeFor(kernel_, profile_, options_), BootMode::kDirect);
  profile_.boot = "bzimage";
  EXPECT_EQ(*BootModeFor(kernel_, profile_, options_), BootMode::kBzImage);
  options_.boot = "direct";
  EXPECT_EQ(*BootModeFor(kernel_, profile_, options_), BootMode::kDirect);
}

TEST_F(BootPath, ThroughTheFirmwareTakesABzImage) {
  Image(SmallElf());
  EXPECT_EQ(*BootModeFor(kernel_, profile_, options_), BootMode::kDirect);
  // Whoever asks for it: the option or the profile.
  options_.boot = "bzimage";
  for (int i = 0; i < 2; ++i) {
    const auto refused = BootModeFor(kernel_, profile_, options_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kUsage);
    EXPECT_THAT(refused.error().message,
                AllOf(HasSubstr("image is a vmlinux"), HasSubstr("give the bzImage that holds it"),
                      HasSubstr("--boot direct")));
    profile_.boot = "bzimage";
    options_.boot.clear();
  }
}

TEST_F(BootPath, WhereThereIsNoOtherNoneIsNamed) {
  Image(SmallElf());
  const Status refused = CheckBootPath(kernel_, BootMode::kBzImage);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, Not(HasSubstr("--boot")));
  EXPECT_TRUE(CheckBootPath(kernel_, BootMode::kDirect));
  EXPECT_TRUE(CheckBootPath(kernel_, SmallBzImage("x"), BootMode::kBzImage));
}

}  // namespace
}  // namespace kassay
