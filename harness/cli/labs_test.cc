// Which lab a profile comes from.
#include "harness/cli/labs.h"

#include <gmock/gmock.h>

#include "harness/base/file.h"

namespace kassay::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LabsTest : public ::testing::Test {
 protected:
  LabsTest() {
    std::string name = ::testing::TempDir() + "/labs-XXXXXX";
    dir_ = ::mkdtemp(name.data());
    EXPECT_TRUE(WriteFileAtomically(dir_ / "vm/profiles/stock.toml", "description = \"stock\"\n"));
    EXPECT_TRUE(WriteFileAtomically(dir_ / "image", "\177ELF"));
    machines_.kernel.image = dir_ / "image";
    machines_.installation.data_dir = dir_;
    machines_.installation.libexec_dir = dir_ / "libexec";
    EXPECT_TRUE(WriteFileAtomically(dir_ / "suites/ring/requirements.toml", ""));
    machines_.headers = std::make_shared<KernelHeaders>([this]() -> Result<std::filesystem::path> {
      ++asked_;
      return dir_ / "headers";
    });
    machines_.vm.qemu = "/no/such/qemu";
  }
  ~LabsTest() override { std::filesystem::remove_all(dir_); }

  std::filesystem::path dir_;
  VmLabOptions machines_;
  int asked_ = 0;
};

TEST_F(LabsTest, WhatRunsOnThisMachineNeedsNoOther) {
  const auto lab = WithThisMachine(machines_);
  EXPECT_TRUE(lab->Ready({kHostProfile}));
  EXPECT_THAT(lab->Ready({kHostProfile, "stock"}).error().message, HasSubstr("/no/such/qemu"));
  EXPECT_EQ(lab->SuitePath(kHostProfile, "ring"), (dir_ / "libexec/suites/ring").string());
  EXPECT_EQ(lab->SuitePath("stock", "ring"), "/kassay/suites/ring");
}

TEST_F(LabsTest, WhatRunsOnThisMachineFindsTheHeadersThatAreLookedForOnce) {
  const auto lab = WithThisMachine(machines_);
  EXPECT_EQ(asked_, 0);
  for (int i = 0; i < 2; ++i) {
    const auto guest = lab->Fresh(kHostProfile, {});
    ASSERT_TRUE(guest) << guest.error().message;
    const auto outcome = (*guest)->Run(
        {{"/bin/sh", "-c", "echo $KASSAY_KERNEL_HEADERS"}, std::chrono::seconds(10), "x"}, {});
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(outcome->output, (dir_ / "headers").string() + "\n");
  }
  EXPECT_EQ(asked_, 1);
  EXPECT_THAT(lab->Facts(), IsEmpty());
  EXPECT_THAT(lab->Shell(kHostProfile, {}).error().message, HasSubstr("no terminal"));
}

TEST_F(LabsTest, AVmlinuxDoesNotBootAsShipped) {
  const Status refused = CheckBootsAsShipped(machines_.kernel);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUsage);
}

}  // namespace
}  // namespace kassay::cli
