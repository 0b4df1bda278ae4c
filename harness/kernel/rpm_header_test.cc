#include "harness/kernel/rpm_header.h"

#include <gmock/gmock.h>

#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

using ::testing::HasSubstr;
using testing::kKernelCore;
using testing::RpmHead;
using testing::RpmTags;

TEST(RpmHeader, SaysNameVersionVendorAndArchitecture) {
  const auto header = ParseRpmHeader(RpmHead(kKernelCore));
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->name, "kernel-core");
  EXPECT_EQ(header->version, "7.0-1");
  EXPECT_EQ(header->vendor, "Fedora Project");
  EXPECT_EQ(header->architecture, "x86_64");
}

TEST(RpmHeader, HasAnEpochInItsVersionUnlessThatIsZero) {
  RpmTags tags = kKernelCore;
  tags[1003] = "3";
  EXPECT_EQ(ParseRpmHeader(RpmHead(tags))->version, "3:7.0-1");
  tags[1003] = "0";
  EXPECT_EQ(ParseRpmHeader(RpmHead(tags))->version, "7.0-1");
}

TEST(RpmHeader, CutShortAnywhereIsDamaged) {
  const std::string whole = RpmHead(kKernelCore);
  ASSERT_TRUE(ParseRpmHeader(whole));
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto header = ParseRpmHeader(whole.substr(0, size));
    ASSERT_FALSE(header) << size;
    EXPECT_THAT(header.error().message, HasSubstr("damaged")) << size;
  }
}

TEST(RpmHeader, LiesAboutLengthsAreDamage) {
  const std::string whole = RpmHead(kKernelCore);
  // The counts of the signature's entries, of its bytes, and of the header's.
  for (const size_t at : {96 + 8, 96 + 12, 112 + 8, 112 + 12}) {
    std::string bytes = whole;
    bytes[at] = '\xff';
    EXPECT_FALSE(ParseRpmHeader(bytes)) << at;
  }
}

TEST(RpmHeader, ATagOfAnotherTypeOrOutsideOfTheStoreIsLeftOut) {
  const size_t index = 112 + 16;  // the name's entry
  std::string bytes = RpmHead(kKernelCore);
  bytes[index + 7] = 8;
  EXPECT_THAT(ParseRpmHeader(bytes).error().message, HasSubstr("no name"));
  bytes = RpmHead(kKernelCore);
  bytes[index + 8] = '\x7f';
  EXPECT_THAT(ParseRpmHeader(bytes).error().message, HasSubstr("no name"));
}

}  // namespace
}  // namespace kassay
