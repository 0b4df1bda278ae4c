#include "harness/image/transport.h"

#include <gmock/gmock.h>

#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Module;
using ::testing::Not;
using testing::ScratchFolder;
using testing::Write;

constexpr const char* kBuiltIn =
    "CONFIG_BLK_DEV_INITRD=y\nCONFIG_BINFMT_ELF=y\nCONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_CONSOLE=y\n"
    "CONFIG_VIRTIO_BLK=y\n";
constexpr const char* kModules =
    "CONFIG_BLK_DEV_INITRD=y\nCONFIG_BINFMT_ELF=y\nCONFIG_VIRTIO_PCI=m\nCONFIG_VIRTIO_CONSOLE=m\n"
    "CONFIG_VIRTIO_BLK=m\n";

class Transport : public ::testing::Test {
 protected:
  Result<std::vector<std::string>> Of(const std::string& config, int disk_mib = 0) {
    Kernel kernel;
    kernel.config = KernelConfig::Parse(config).value();
    Profile profile;
    profile.disk_mib = disk_mib;
    return TransportModules(kernel, ModuleTree::Open(modules_).value(), profile);
  }
  void AddModules() {
    modules_ = folder_ / "7.0";
    for (const std::string name : {"virtio_pci", "virtio_console", "virtio_blk"})
      Write(modules_ / "kernel" / (name + ".ko"), Module({"name=" + name}));
  }

  ScratchFolder folder_;
  std::filesystem::path modules_;
};

TEST_F(Transport, BuiltInNeedsNothing) { EXPECT_THAT(Of(kBuiltIn).value(), IsEmpty()); }

TEST_F(Transport, OfModulesIsLoadedFirst) {
  AddModules();
  EXPECT_THAT(Of(kModules).value(), ElementsAre("virtio_pci", "virtio_console"));
  EXPECT_THAT(Of(kModules, 64).value(), ElementsAre("virtio_pci", "virtio_console", "virtio_blk"));
}

TEST_F(Transport, AsModulesThatWereNotGivenIsWrongUsage) {
  const auto modules = Of(kModules);
  ASSERT_FALSE(modules);
  EXPECT_EQ(modules.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(modules.error().message,
              AllOf(HasSubstr("CONFIG_VIRTIO_PCI=m"), HasSubstr("CONFIG_VIRTIO_CONSOLE=m"),
                    HasSubstr("--modules"), Not(HasSubstr("VIRTIO_BLK"))));
}

TEST_F(Transport, ThatIsNowhereIsNamedByOption) {
  AddModules();
  const auto modules = Of("CONFIG_BLK_DEV_INITRD=y\n# CONFIG_BINFMT_ELF is not set\n");
  ASSERT_FALSE(modules);
  EXPECT_EQ(modules.error().kind, ErrorKind::kUnable);
  // The modules are there, whatever the configuration says.
  EXPECT_THAT(modules.error().message,
              AllOf(HasSubstr("CONFIG_BINFMT_ELF"), Not(HasSubstr("VIRTIO_PCI"))));
}

TEST_F(Transport, WithoutAConfigurationIsTried) {
  EXPECT_THAT(Of("").value(), IsEmpty());
  AddModules();
  EXPECT_THAT(Of("").value(), ElementsAre("virtio_pci", "virtio_console"));
}

}  // namespace
}  // namespace kassay
