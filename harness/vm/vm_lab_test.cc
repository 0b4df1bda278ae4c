// What is found out before a machine of a VmLab is started.
#include "harness/vm/vm_lab.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "harness/base/file.h"
#include "harness/vm/testing/images.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class VmLabTest : public ::testing::Test {
 protected:
  VmLabTest() {
    std::string name = ::testing::TempDir() + "/lab-XXXXXX";
    dir_ = ::mkdtemp(name.data());
    options_.installation.data_dir = dir_;
    options_.kernel.image = dir_ / "image";
    options_.vm.qemu = "/no/such/qemu";
    Write("vm/profiles/quick.toml", "description = \"quick\"\n");
    Write("vm/profiles/shipped.toml", "description = \"shipped\"\nboot = \"bzimage\"\n");
  }
  ~VmLabTest() override { fs::remove_all(dir_); }

  void Write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(WriteFileAtomically(dir_ / name, text));
  }
  [[nodiscard]] Error WhyNotReady(const std::set<std::string>& profiles) const {
    const Status status = VmLab(options_).Ready(profiles);
    return status ? Error{"ready"} : status.error();
  }

  fs::path dir_;
  VmLabOptions options_;
};

TEST_F(VmLabTest, AVmlinuxIsRefusedWhereTheFirmwaresWayIsAskedFor) {
  Write("image", "\177ELF");
  EXPECT_THAT(WhyNotReady({"quick"}).message, HasSubstr("/no/such/qemu"));
  const Error by_profile = WhyNotReady({"quick", "shipped"});
  EXPECT_EQ(by_profile.kind, ErrorKind::kUsage);
  EXPECT_THAT(by_profile.message, HasSubstr("is a vmlinux"));
  options_.vm.boot = "bzimage";
  EXPECT_EQ(WhyNotReady({"quick"}).kind, ErrorKind::kUsage);
  options_.vm.boot = "direct";
  EXPECT_THAT(WhyNotReady({"quick", "shipped"}).message, HasSubstr("/no/such/qemu"));
}

TEST_F(VmLabTest, FirmwareIsNeededWhereTheKernelBootsThroughIt) {
  Write("vm/profiles/uefi.toml", "firmware = \"uefi\"\nenroll = [\"a.der\"]\n");
  ::setenv("KASSAY_FIRMWARE_DIR", (dir_ / "none").c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  Write("image", testing::WithEfiStub(testing::SmallBzImage("x")));
  options_.vm.qemu = "/bin/true";
  EXPECT_THAT(WhyNotReady({"uefi"}).message, HasSubstr("apt-get install ovmf"));
  options_.vm.boot = "direct";
  EXPECT_THAT(WhyNotReady({"uefi"}).message, HasSubstr("/bin/true is no QEMU"));
  options_.vm.boot.clear();
  Write("image", testing::SmallBzImage("no stub"));
  EXPECT_THAT(WhyNotReady({"uefi"}).message, HasSubstr("/bin/true is no QEMU"));
  ::unsetenv("KASSAY_FIRMWARE_DIR");  // NOLINT(concurrency-mt-unsafe)
}

TEST_F(VmLabTest, WithoutAMachineNothingIsNeeded) { EXPECT_EQ(WhyNotReady({}).message, "ready"); }

}  // namespace
}  // namespace kassay
