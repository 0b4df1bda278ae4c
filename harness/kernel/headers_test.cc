#include "harness/kernel/headers.h"

#include <gmock/gmock.h>

#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

using ::testing::HasSubstr;
using testing::ScratchFolder;
using testing::Write;

TEST(Headers, OfAnotherBuildAreTold) {
  const ScratchFolder folder;
  EXPECT_TRUE(CheckHeaders(folder / "", "7.0.13-test")) << "they do not say of which";
  Write(folder / "include/config/kernel.release", "7.0.13-test\n");
  EXPECT_TRUE(CheckHeaders(folder / "", "7.0.13-test"));
  const Status other = CheckHeaders(folder / "", "7.0.13-test-rt");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(other.error().message,
              HasSubstr("are of release 7.0.13-test, the kernel is 7.0.13-test-rt"));
}

}  // namespace
}  // namespace kassay
