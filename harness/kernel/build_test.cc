// The steps of a kernel build over a source whose Makefile only pretends to compile.
#include "harness/kernel/build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "harness/base/file.h"
#include "harness/base/find_program.h"
#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Takes every wish but CONFIG_UNKNOWN; fails while a file `broken` lies in the source.
constexpr const char* kMakefile = R"(
allnoconfig:
	@grep -v '^CONFIG_UNKNOWN=' $(KCONFIG_ALLCONFIG) > $(O)/.config
bzImage:
	@echo '  CC      kernel/fork.o'
	@echo '  CC      tools/objtool/str_error_r.o'
	@if [ -e broken ]; then echo 'kernel/fork.c:7: error: it does not compile'; echo '2 errors'; exit 2; fi
	@echo once >> $(O)/compiled
	@mkdir -p $(O)/arch/x86/boot $(O)/include/config
	@echo image > $(O)/arch/x86/boot/bzImage
	@echo 7.0.99-test > $(O)/include/config/kernel.release
modules:
	@echo '  CC [M]  crypto/xcbc.o'
modules_install:
	@mkdir -p $(INSTALL_MOD_PATH)/lib/modules/7.0.99-test/kernel
	@ln -s $(O) $(INSTALL_MOD_PATH)/lib/modules/7.0.99-test/build
	@echo module > $(INSTALL_MOD_PATH)/lib/modules/7.0.99-test/kernel/xcbc.ko
)";

class KernelBuild : public ::testing::Test {
 protected:
  void SetUp() override {
    Write("source/Kconfig", "");
    Write("source/Makefile", kMakefile);
    Write("kconfig/10-a.config", "CONFIG_A=y\n");
    Write("fixtures/certificates/trusted.pem", "trusted");
    Write("fixtures/keys/module-signing.pem", "key");
    store_.cache_dir = scratch_.Path() / "cache";
    options_.source = scratch_.Path() / "source";
    store_.kconfig_dir = scratch_.Path() / "kconfig";
    store_.fixtures_dir = scratch_.Path() / "fixtures";
    options_.jobs = 1;
  }
  void Write(const std::string& path, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(scratch_.Path() / path, text));
  }
  static std::string Read(const fs::path& path) { return ReadFile(path).value_or("nothing"); }
  static std::set<std::string> Below(const fs::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      names.insert(entry.path().string());
    return names;
  }

  testing::ScratchFolder scratch_;
  StoreOptions store_;
  BuildOptions options_;
};

TEST_F(KernelBuild, LeavesTheSourceAsItWasAndAKernelInTheCache) {
  const std::set<std::string> before = Below(options_.source);
  std::vector<std::string> stages;
  int objects = 0;
  options_.on_progress = [&](const BuildProgress& progress) {
    if (stages.empty() || stages.back() != progress.stage) stages.push_back(progress.stage);
    objects = progress.objects;
  };
  const auto built = BuildKernel(store_, options_);
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_EQ(Below(options_.source), before);
  EXPECT_THAT(stages, ElementsAre("source", "config", "compile", "install"));
  EXPECT_EQ(objects, 3);
  EXPECT_THAT(built->unmet, IsEmpty());
  const fs::path modules = built->root / "lib/modules/7.0.99-test";
  EXPECT_EQ(Read(modules / "vmlinuz"), "image\n");
  EXPECT_THAT(Read(modules / "config"), HasSubstr("CONFIG_A=y\n"));
  EXPECT_THAT(Read(modules / "config"),
              HasSubstr("CONFIG_SYSTEM_TRUSTED_KEYS=\"kassay/trusted.pem\""));
  EXPECT_EQ(Read(modules / "kernel/xcbc.ko"), "module\n");
  EXPECT_FALSE(fs::is_symlink(modules / "build")) << "leads out of the cache";
  EXPECT_THAT(Read(built->log), HasSubstr("CC      kernel/fork.o"));
  EXPECT_FALSE(fs::exists(built->root.string() + ".part"));
  EXPECT_EQ(Read(BuildTreeOf(built->root) / ".config"), Read(modules / "config"));
}

TEST_F(KernelBuild, ThatFailsNamesTheCauseAndGoesOnTheNextTime) {
  Write("source/broken", "");
  const auto failed = BuildKernel(store_, options_);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("kernel/fork.c:7: error: it does not compile"));
  EXPECT_THAT(failed.error().message, HasSubstr("build.log"));
  EXPECT_FALSE(FindBuiltKernel(store_, options_)) << "half a kernel passes for one";
  fs::remove(options_.source / "broken");
  const auto built = BuildKernel(store_, options_);
  ASSERT_TRUE(built) << built.error().message;
  // One log tells of both attempts, and the objects of the first were there for the second.
  EXPECT_THAT(Read(built->log), HasSubstr("it does not compile"));
  EXPECT_TRUE(FindBuiltKernel(store_, options_));
}

TEST_F(KernelBuild, ThatLacksAProgramSaysSoBeforeItCompiles) {
  Write("source/broken", "");
  Write("kconfig/20-b.config", "CONFIG_KERNEL_LZ4=y\n");
  const fs::path bin = scratch_.Path() / "bin";
  fs::create_directory(bin);
  for (const char* program : {"gcc", "grep", "make", "sh"})
    fs::create_symlink(FindProgram(program), bin / program);
  const std::string path = ::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  ::setenv("PATH", bin.c_str(), 1);           // NOLINT(concurrency-mt-unsafe)
  const auto failed = BuildKernel(store_, options_);
  ::setenv("PATH", path.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message,
              HasSubstr("'lz4' is not installed, and CONFIG_KERNEL_LZ4 takes it"));
}

// A machine that has more hides it.
TEST(ReferenceKernel, IsCompressedWithWhatCiInstalls) {
  const fs::path source = KASSAY_SOURCE_DIR;
  const auto machine = ReadFile(source / "vm/kconfig/15-machine.config");
  const auto packages = ReadFile(source / "ci/packages.txt");
  ASSERT_TRUE(machine && packages);
  EXPECT_THAT(*machine, HasSubstr("CONFIG_KERNEL_LZ4=y\n"));
  EXPECT_THAT(*packages, HasSubstr("\nlz4 "));
}

TEST_F(KernelBuild, OfATreeIsLeftToMake) {
  const auto first = BuildKernel(store_, options_);
  const auto second = BuildKernel(store_, options_);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->root, second->root);
  EXPECT_FALSE(second->was_there) << "the tree may have changed";
  EXPECT_EQ(Read(first->root.parent_path() / "objects/compiled"), "once\nonce\n");
}

TEST_F(KernelBuild, OfAPackageIsDoneOnce) {
  const std::string tree = testing::TarXz({{"linux-source-9/Kconfig", "", "", ""},
                                           {"linux-source-9/Makefile", kMakefile, "", ""},
                                           {"linux-source-9/drivers/gpu/card.c", "x", "", ""}});
  Write("linux-source.deb", testing::Deb("Package: linux-source-9\n",
                                         {{"usr/src/linux-source-9.tar.xz", tree, "", ""}}));
  options_.source = scratch_.Path() / "linux-source.deb";
  const auto first = BuildKernel(store_, options_);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_FALSE(first->was_there);
  const auto second = BuildKernel(store_, options_);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_TRUE(second->was_there);
  EXPECT_EQ(second->root, first->root);
  EXPECT_EQ(Read(first->root.parent_path() / "objects/compiled"), "once\n");
  EXPECT_FALSE(fs::exists(store_.cache_dir / "sources/linux-source/drivers/gpu/card.c"))
      << "what is never compiled need not be unpacked";
}

TEST_F(KernelBuild, OfADamagedPackageLeavesNoSource) {
  const std::string whole = testing::Deb("Package: linux-source-9\n", {});
  Write("linux-source.deb", whole);
  options_.source = scratch_.Path() / "linux-source.deb";
  const auto without_source = BuildKernel(store_, options_);
  ASSERT_FALSE(without_source);
  EXPECT_THAT(without_source.error().message, HasSubstr("it has no usr/src/linux-source-*.tar"));
  Write("linux-source.deb", whole.substr(0, whole.size() / 2));
  EXPECT_FALSE(BuildKernel(store_, options_));
  EXPECT_FALSE(fs::exists(store_.cache_dir / "sources/linux-source"));
}

TEST_F(KernelBuild, HasAnotherPlaceForOtherIngredients) {
  std::set<std::string> roots;
  const auto build = [&] {
    const auto built = BuildKernel(store_, options_);
    ASSERT_TRUE(built) << built.error().message;
    roots.insert(built->root.string());
  };
  build();
  Write("kconfig/10-a.config", "CONFIG_A=y\nCONFIG_B=y\n");
  build();
  Write("fixtures/certificates/trusted.pem", "trusted as well");
  build();
  Write("fixtures/keys/module-signing.pem", "another key");
  build();
  EXPECT_EQ(roots.size(), 4U);
}

TEST_F(KernelBuild, TellsWhatTheSourceDoesNotTake) {
  Write("kconfig/20-b.config", "CONFIG_UNKNOWN=y\n");
  const auto built = BuildKernel(store_, options_);
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_THAT(built->unmet, ElementsAre("CONFIG_UNKNOWN=y (20-b.config)"));
}

TEST_F(KernelBuild, SaysWhatIsWrongWithItsIngredients) {
  const auto complaint = [&] {
    const auto built = BuildKernel(store_, options_);
    return built ? std::string("built") : built.error().message;
  };
  options_.source = scratch_.Path() / "kconfig";
  EXPECT_THAT(complaint(), HasSubstr("is no kernel source: it has no Kconfig"));
  options_.source = scratch_.Path() / "nowhere";
  EXPECT_THAT(complaint(), HasSubstr("no source"));
  EXPECT_FALSE(fs::exists(store_.cache_dir / "builds")) << "something was left";
}

}  // namespace
}  // namespace kassay
