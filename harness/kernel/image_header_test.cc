#include "harness/kernel/image_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

using testing::BzImage;
using ::testing::HasSubstr;
using testing::ScratchFolder;
using testing::Write;

TEST(BzImage, TellsItsRelease) {
  const auto release = ParseBzImageRelease(BzImage("7.0.13+deb13-cloud-amd64"));
  ASSERT_TRUE(release) << release.error().message;
  EXPECT_EQ(*release, "7.0.13+deb13-cloud-amd64");
}

TEST(BzImage, IsRefusedWithoutItsMagic) {
  std::string image = BzImage("7.0.13");
  image[0x202] = 'X';
  EXPECT_FALSE(ParseBzImageRelease(image));
  EXPECT_FALSE(ParseBzImageRelease(""));
  EXPECT_FALSE(ParseBzImageRelease(BzImage("7.0.13").substr(0, 0x20f)));
}

TEST(BzImage, AVersionOutsideTheFileIsRefused) {
  std::string image = BzImage("7.0.13");
  image[0x20e] = '\xff';
  image[0x20f] = '\xff';
  const auto release = ParseBzImageRelease(image);
  ASSERT_FALSE(release);
  EXPECT_THAT(release.error().message, HasSubstr("truncated"));
}

TEST(BzImage, AVersionThatIsNoneIsRefused) {
  EXPECT_FALSE(ParseBzImageRelease(BzImage("")));
  EXPECT_FALSE(ParseBzImageRelease(BzImage("x7.0")));
  EXPECT_FALSE(ParseBzImageRelease(BzImage("7.0/../../etc")));
  EXPECT_FALSE(ParseBzImageRelease(BzImage("7.0\n")));
  EXPECT_FALSE(ParseBzImageRelease(BzImage(std::string(65, '7'))));
  EXPECT_TRUE(ParseBzImageRelease(BzImage(std::string(64, '7'))));
}

TEST(Vmlinux, TellsItsReleaseFromTheBanner) {
  const ScratchFolder folder;
  // The banner lies across the border of two reads; the text before it is no banner.
  std::string image = "\177ELF Linux version without a number ";
  image.resize((1U << 20) - 9, '.');
  image += "Linux version 7.0.13-test (builder@host) #1";
  Write(folder / "vmlinux", image);
  const auto release = ReadImageRelease(folder / "vmlinux");
  ASSERT_TRUE(release) << release.error().message;
  EXPECT_EQ(*release, "7.0.13-test");
}

TEST(Vmlinux, IsRefusedWithoutABanner) {
  const ScratchFolder folder;
  Write(folder / "vmlinux", "\177ELF no kernel");
  const auto release = ReadImageRelease(folder / "vmlinux");
  ASSERT_FALSE(release);
  EXPECT_THAT(release.error().message, HasSubstr("no Linux kernel"));
}

TEST(Image, IsTheKindThatItsMarksSay) {
  EXPECT_EQ(*ParseImageKind(BzImage("7.0.13")), ImageKind::kBzImage);
  EXPECT_EQ(*ParseImageKind("\177ELF"), ImageKind::kVmlinux);
  std::string unmarked = BzImage("7.0.13");
  unmarked[0x1fe] = '\0';
  EXPECT_FALSE(ParseImageKind(unmarked));
  EXPECT_FALSE(ParseImageKind(""));
  const ScratchFolder folder;
  Write(folder / "image", BzImage("7.0.13"));
  EXPECT_EQ(*ReadImageKind(folder / "image"), ImageKind::kBzImage);
  Write(folder / "image", "hello");
  EXPECT_THAT(ReadImageKind(folder / "image").error().message, HasSubstr("image: neither"));
  EXPECT_THAT(ReadImageKind(folder / "nothing").error().message, HasSubstr("No such file"));
}

TEST(Image, OfNoKnownKindSaysWhatIsExpected) {
  const ScratchFolder folder;
  Write(folder / "text", "hello");
  const auto release = ReadImageRelease(folder / "text");
  ASSERT_FALSE(release);
  EXPECT_THAT(release.error().message, HasSubstr("neither a bzImage nor a vmlinux: it is a text"));
  EXPECT_FALSE(ReadImageRelease(folder / "nothing"));
}

}  // namespace
}  // namespace kassay
