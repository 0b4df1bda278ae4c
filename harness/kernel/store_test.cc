#include "harness/kernel/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "harness/base/file.h"
#include "harness/base/sha256.h"
#include "harness/kernel/testing/loopback_mirror.h"
#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using testing::BzImage;
using testing::Deb;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::LoopbackMirror;
using testing::Module;
using testing::ScratchFolder;
using testing::Write;

constexpr const char* kRelease = "7.0.13-test";

std::string Control(const std::string& name) {
  return "Package: " + name + "\nVersion: 7.0.13-1\nMaintainer: Debian Kernel Team\n";
}

// What Debian ships before 7.2 in three packages.
std::string BinaryDeb() {
  return Deb(Control("linux-binary"), {{"./boot/vmlinuz-7.0.13-test", BzImage(kRelease), "", ""}});
}
std::string ModulesDeb() {
  return Deb(Control("linux-modules"),
             {{"./usr/lib/modules/7.0.13-test/kernel/a.ko", Module({"depends="}), "", ""}});
}
std::string BaseDeb() {
  return Deb(Control("linux-base"), {{"./boot/config-7.0.13-test", "CONFIG_A=y\n", "", ""}});
}

class Store : public ::testing::Test {
 protected:
  Store() {
    options_.cache_dir = folder_ / "cache";
    options_.pins_file = folder_ / "kernels.toml";
    options_.apt_dir = folder_ / "apt";
    packages_ = {{"linux-binary.deb", BinaryDeb()},
                 {"linux-modules.deb", ModulesDeb()},
                 {"linux-base.deb", BaseDeb()}};
    std::string pins = "[[kernel]]\nvendor = \"debian\"\nname = \"7.0.13\"\nrelease = \"" +
                       std::string(kRelease) + "\"\n";
    for (const auto& [name, bytes] : packages_) {
      pins += "[[kernel.files]]\npath = \"pool/l/" + name +
              "\"\nsize = " + std::to_string(bytes.size()) + "\nsha256 = \"" + Sha256Hex(bytes) +
              "\"\n";
      Write(folder_ / "from" / name, bytes);
      mirror_.Serve("pool/l/" + name, bytes);
    }
    Write(options_.pins_file, pins);
  }

  Result<Kernel> Resolve(const std::string& spec) const {
    return KernelStore(options_).Resolve(spec);
  }

  Error ErrorOf(const std::string& spec) const {
    const auto kernel = Resolve(spec);
    EXPECT_FALSE(kernel) << spec;
    return kernel ? Error{} : kernel.error();
  }

  std::vector<fs::path> Trees() const {
    std::vector<fs::path> trees;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(options_.cache_dir / "trees", none)) {
      if (entry.is_directory()) trees.push_back(entry.path());
    }
    return trees;
  }

  ScratchFolder folder_;
  LoopbackMirror mirror_;
  std::map<std::string, std::string> packages_;
  StoreOptions options_;
};

TEST_F(Store, TakesAPinnedKernelFromAFolder) {
  options_.from_dir = folder_ / "from";
  const auto kernel = Resolve("debian:7.0.13");
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(kernel->identity.spec, "debian:7.0.13");
  EXPECT_EQ(kernel->identity.release, kRelease);
  EXPECT_EQ(kernel->identity.version, "7.0.13");
  EXPECT_EQ(kernel->identity.vendor, "debian");
  EXPECT_EQ(kernel->identity.image_sha256, Sha256Hex(BzImage(kRelease)));
  EXPECT_EQ(kernel->identity.config_sha256, Sha256Hex("CONFIG_A=y\n"));
  EXPECT_EQ(kernel->identity.modules_sha256,
            Sha256Hex("kernel/a.ko " + Sha256Hex(Module({"depends="})) + "\n"));
  EXPECT_TRUE(kernel->config.IsSet("CONFIG_A"));
  EXPECT_THAT(mirror_.Requests(), IsEmpty());
}

TEST_F(Store, TakesAPinnedKernelFromAptsMirror) {
  Write(options_.apt_dir / "sources.list", "deb " + mirror_.Url() + "/ bookworm main\n");
  ASSERT_TRUE(Resolve("debian:7.0.13"));
  EXPECT_EQ(mirror_.Requests().size(), 3U);
}

TEST_F(Store, AMirrorThatIsGivenGoesBeforeApts) {
  Write(options_.apt_dir / "sources.list", "deb http://127.0.0.1:1/debian bookworm main\n");
  options_.mirror = mirror_.Url() + "/";
  ASSERT_TRUE(Resolve("debian:7.0.13"));
}

TEST_F(Store, TriesTheNextMirror) {
  Write(options_.apt_dir / "sources.list",
        "deb http://127.0.0.1:1/debian bookworm main\ndeb " + mirror_.Url() + " bookworm main\n");
  ASSERT_TRUE(Resolve("debian:7.0.13"));
}

TEST_F(Store, NeedsNeitherPackageNorMirrorTheSecondTime) {
  options_.from_dir = folder_ / "from";
  const auto first = Resolve("debian:7.0.13");
  ASSERT_TRUE(first);
  options_.from_dir.clear();
  const auto second = Resolve("debian:7.0.13");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->identity.modules_sha256, first->identity.modules_sha256);
  EXPECT_EQ(second->image, first->image);
}

TEST_F(Store, WithoutAnyMirrorSaysWhatToDo) {
  const Error error = ErrorOf("debian:7.0.13");
  EXPECT_EQ(error.kind, ErrorKind::kUnable);
  EXPECT_THAT(error.message, HasSubstr("no package mirror"));
  EXPECT_THAT(error.message, HasSubstr("--mirror"));
  EXPECT_THAT(error.message, HasSubstr("--from"));
  EXPECT_THAT(Trees(), IsEmpty());
}

TEST_F(Store, RefusesAWrongFileInTheFolderAndLeavesIt) {
  options_.from_dir = folder_ / "from";
  std::string wrong = packages_["linux-base.deb"];
  wrong[100] ^= 1;
  Write(folder_ / "from/linux-base.deb", wrong);
  EXPECT_THAT(ErrorOf("debian:7.0.13").message, HasSubstr("wrong checksum"));
  EXPECT_EQ(*ReadFile(folder_ / "from/linux-base.deb"), wrong);
  Write(folder_ / "from/linux-base.deb", wrong.substr(0, 50));
  EXPECT_THAT(ErrorOf("debian:7.0.13").message, HasSubstr("truncated"));
  EXPECT_THAT(Trees(), IsEmpty());
}

TEST_F(Store, RefusesAWrongFileOfAMirror) {
  options_.mirror = mirror_.Url();
  std::string wrong = packages_["linux-base.deb"];
  wrong[100] ^= 1;
  mirror_.Serve("pool/l/linux-base.deb", wrong);
  EXPECT_THAT(ErrorOf("debian:7.0.13").message, HasSubstr("wrong checksum"));
  EXPECT_FALSE(fs::exists(options_.cache_dir / "packages/linux-base.deb"));
  EXPECT_FALSE(fs::exists(options_.cache_dir / "packages/linux-base.deb.part"));
  mirror_.Serve("pool/l/linux-base.deb", packages_["linux-base.deb"]);
  EXPECT_TRUE(Resolve("debian:7.0.13"));
}

TEST_F(Store, FetchesADamagedPackageOfItsOwnAgain) {
  options_.mirror = mirror_.Url();
  Write(options_.cache_dir / "packages/linux-base.deb", "damaged");
  EXPECT_TRUE(Resolve("debian:7.0.13"));
}

TEST_F(Store, UnpacksADamagedTreeAgain) {
  options_.from_dir = folder_ / "from";
  const auto first = Resolve("debian:7.0.13");
  ASSERT_TRUE(first);
  Write(first->image, "damaged");
  const auto second = Resolve("debian:7.0.13");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(*ReadFile(second->image), BzImage(kRelease));
}

TEST_F(Store, IsSharedByTwoAtOnce) {
  options_.mirror = mirror_.Url();
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { good += Resolve("debian:7.0.13").has_value() ? 1 : 0; });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 4);
  EXPECT_EQ(mirror_.Requests().size(), 3U);  // each package once
  EXPECT_EQ(Trees().size(), 1U);
}

TEST_F(Store, RefusesAPinWhoseImageIsOfAnotherRelease) {
  options_.from_dir = folder_ / "from";
  std::string pins = *ReadFile(options_.pins_file);
  pins.replace(pins.find(kRelease), std::strlen(kRelease), "7.0.14-test");
  Write(options_.pins_file, pins);
  EXPECT_THAT(ErrorOf("debian:7.0.13").message, HasSubstr("its image says 7.0.13-test"));
}

TEST_F(Store, ListsWhatIsKnownForAnUnknownKernel) {
  for (const char* spec : {"debian:9.9", "7.0.13", "fedora:7.0.13"}) {
    const Error error = ErrorOf(spec);
    EXPECT_EQ(error.kind, ErrorKind::kUsage) << spec;
    EXPECT_THAT(error.message, HasSubstr("known are debian:7.0.13")) << spec;
  }
}

TEST_F(Store, SaysHowAKernelIsNamed) {
  for (const char* spec : {"", "nosuch", "/nosuch/bzImage", "image:", "image:/nosuch",
                           "image:/etc/passwd,colour=red", "/nosuch/a.deb", "a.deb,b"}) {
    EXPECT_EQ(ErrorOf(spec).kind, ErrorKind::kUsage) << spec;
  }
}

TEST_F(Store, TakesPackagesByPath) {
  const std::string from = (folder_ / "from").string();
  const auto kernel = Resolve(from + "/linux-base.deb," + from + "/linux-binary.deb," + from +
                              "/linux-modules.deb");
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(kernel->identity.package, "linux-binary");
  EXPECT_EQ(kernel->identity.package_version, "7.0.13-1");
  EXPECT_EQ(kernel->identity.vendor, "debian");
  EXPECT_FALSE(kernel->modules_dir.empty());
  const auto image_only = Resolve(from + "/linux-binary.deb");
  ASSERT_TRUE(image_only) << image_only.error().message;
  EXPECT_TRUE(image_only->modules_dir.empty());
  EXPECT_TRUE(image_only->config.Empty());
}

TEST_F(Store, TakesTheLayoutFrom7_2On) {
  const std::string root = "./usr/lib/modules/7.2-test/";
  Write(folder_ / "a.deb",
        Deb(Control("linux-binary"), {{root + "vmlinuz", BzImage("7.2-test"), "", ""},
                                      {root + "config", "CONFIG_B=m\n", "", ""}}));
  const auto kernel = Resolve((folder_ / "a.deb").string());
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(kernel->identity.version, "7.2.0");
  EXPECT_EQ(kernel->config.Value("CONFIG_B"), "m");
  EXPECT_TRUE(kernel->modules_dir.empty()) << "a folder with nothing to load is no modules folder";
}

TEST_F(Store, RefusesPackagesWithoutAnImageAndLeavesNothing) {
  EXPECT_THAT(ErrorOf((folder_ / "from/linux-base.deb").string()).message,
              HasSubstr("no kernel image"));
  Write(folder_ / "cut.deb", BinaryDeb().substr(0, 300));
  EXPECT_THAT(ErrorOf((folder_ / "cut.deb").string()).message, HasSubstr("cut.deb"));
  EXPECT_THAT(Trees(), IsEmpty());
}

TEST_F(Store, ListsAndRemovesWhatItHolds) {
  options_.mirror = mirror_.Url();
  const KernelStore store(options_);
  EXPECT_FALSE(store.Stored()->at(0).unpacked);
  ASSERT_TRUE(Resolve("debian:7.0.13"));
  const auto stored = store.Stored();
  ASSERT_TRUE(stored);
  EXPECT_TRUE(stored->at(0).unpacked);
  EXPECT_GT(stored->at(0).packages_bytes, 0U);
  const auto freed = store.Remove(stored->at(0).pin);
  ASSERT_TRUE(freed) << freed.error().message;
  EXPECT_EQ(*freed, stored->at(0).packages_bytes + stored->at(0).tree_bytes);
  EXPECT_FALSE(store.Stored()->at(0).unpacked);
  EXPECT_EQ(store.Stored()->at(0).packages_bytes, 0U);
}

TEST_F(Store, ThatCannotBeWrittenSaysSo) {
  Write(folder_ / "file", "x");
  options_.cache_dir = folder_ / "file" / "cache";
  options_.from_dir = folder_ / "from";
  EXPECT_THAT(ErrorOf("debian:7.0.13").message, HasSubstr("cannot write"));
}

class ImageSpecs : public Store {
 protected:
  ImageSpecs() {
    Write(folder_ / "img/bzImage", BzImage(kRelease));
    Write(folder_ / "mods/lib/modules/7.0.13-test/kernel/a.ko", Module({"depends="}));
    Write(folder_ / "my.config", "CONFIG_C=y\n");
  }
  const std::string image_ = (folder_ / "img/bzImage").string();
};

TEST_F(ImageSpecs, TakeModulesAndConfig) {
  const std::string root = folder_.Path().string();
  for (const std::string modules :
       {"/mods", "/mods/lib/modules", "/mods/lib/modules/7.0.13-test"}) {
    const auto kernel = Resolve("image:" + image_ + ",modules=" + root + modules +
                                ",config=" + root + "/my.config");
    ASSERT_TRUE(kernel) << kernel.error().message;
    EXPECT_EQ(kernel->modules_dir, folder_ / "mods/lib/modules/7.0.13-test");
    EXPECT_TRUE(kernel->config.IsSet("CONFIG_C"));
    EXPECT_EQ(kernel->identity.vendor, "");
    EXPECT_EQ(kernel->identity.release, kRelease);
  }
}

TEST_F(ImageSpecs, TakeThemFromTheOptionsToo) {
  options_.modules_dir = folder_ / "mods";
  options_.config_file = folder_ / "my.config";
  const auto kernel = Resolve(image_);
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_FALSE(kernel->modules_dir.empty());
  EXPECT_TRUE(kernel->config.IsSet("CONFIG_C"));
}

TEST_F(ImageSpecs, NeedNeither) {
  const auto kernel = Resolve("image:" + image_);
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_TRUE(kernel->modules_dir.empty());
  EXPECT_EQ(kernel->identity.modules_sha256, "");
  EXPECT_TRUE(kernel->config.Empty());
}

TEST_F(ImageSpecs, FindTheConfigBesideTheImage) {
  Write(folder_ / "img/config-7.0.13-test", "CONFIG_D=y\n");
  EXPECT_TRUE(Resolve(image_)->config.IsSet("CONFIG_D"));
}

TEST_F(ImageSpecs, RefuseModulesOfAnotherRelease) {
  Write(folder_ / "lib/modules/6.1.0/kernel/a.ko", "");
  EXPECT_THAT(
      ErrorOf("image:" + image_ + ",modules=" + (folder_ / "lib/modules/6.1.0").string()).message,
      HasSubstr("the modules in"));
  EXPECT_THAT(ErrorOf("image:" + image_ + ",modules=" + (folder_ / "img").string()).message,
              HasSubstr("no modules in"));
}

TEST_F(ImageSpecs, RefuseADamagedConfig) {
  Write(folder_ / "bad.config", "CONFIG_A=y\nnonsense\n");
  const Error error = ErrorOf("image:" + image_ + ",config=" + (folder_ / "bad.config").string());
  EXPECT_THAT(error.message, HasSubstr("bad.config"));
  EXPECT_THAT(error.message, HasSubstr("line 2"));
}

class BuildTree : public Store {
 protected:
  BuildTree() {
    Write(tree_ / "Kbuild", "");
    Write(tree_ / "Kconfig", "");
    Write(tree_ / "kernel/fork.c", "");
    Write(tree_ / "arch/x86/boot/bzImage", BzImage(kRelease));
    Write(tree_ / "include/config/kernel.release", std::string(kRelease) + "\n");
    Write(tree_ / ".config", "CONFIG_E=y\n");
  }
  const fs::path tree_ = folder_ / "linux";
};

TEST_F(BuildTree, IsAKernel) {
  const auto kernel = Resolve(tree_);
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(kernel->identity.release, kRelease);
  EXPECT_TRUE(kernel->config.IsSet("CONFIG_E"));
  EXPECT_TRUE(kernel->modules_dir.empty());
}

TEST_F(BuildTree, BringsItsModules) {
  Write(tree_ / "modules.order", "fs/a.o\n");
  Write(tree_ / "fs/a.ko", Module({"depends="}));
  const auto kernel = Resolve(tree_);
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(kernel->identity.modules_sha256,
            Sha256Hex("kernel/fs/a.ko " + Sha256Hex(Module({"depends="})) + "\n"));
}

TEST_F(BuildTree, ThatIsNotBuiltSaysHow) {
  fs::remove(tree_ / "arch/x86/boot/bzImage");
  EXPECT_THAT(ErrorOf(tree_).message, HasSubstr("build it with 'make'"));
}

TEST_F(BuildTree, ThatIsOlderThanItsReleaseIsRefused) {
  Write(tree_ / "include/config/kernel.release", "7.0.14\n");
  EXPECT_THAT(ErrorOf(tree_).message, HasSubstr("build it again"));
}

TEST_F(BuildTree, AFolderWithoutAKernelIsRefused) {
  EXPECT_THAT(ErrorOf(folder_ / "from").message, HasSubstr("no kernel image"));
}

}  // namespace
}  // namespace kassay
