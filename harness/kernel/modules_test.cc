#include "harness/kernel/modules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/kernel/module_info.h"
#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Module;
using testing::ScratchFolder;
using testing::Write;
using testing::Xz;

std::vector<std::string> Names(const std::vector<ModuleFile>& modules) {
  std::vector<std::string> names;
  for (const auto& module : modules) names.push_back(module.name);
  return names;
}

class Modules : public ::testing::Test {
 protected:
  void AddModule(const std::string& path, const std::vector<std::string>& info) {
    const std::string bytes = Module(info);
    Write(folder_ / path, path.ends_with(".xz") ? Xz(bytes) : bytes);
  }

  std::vector<ModuleFile> Closure(const std::vector<std::string>& names) {
    const auto tree = ModuleTree::Open(folder_.Path());
    EXPECT_TRUE(tree) << tree.error().message;
    auto closure = tree->Closure(names);
    EXPECT_TRUE(closure) << closure.error().message;
    return closure.value_or(std::vector<ModuleFile>());
  }

  ScratchFolder folder_;
};

TEST_F(Modules, ComeAfterWhatTheyDependOn) {
  AddModule("kernel/drivers/md/dm-verity.ko.xz", {"depends=dm-bufio,dm_mod"});
  AddModule("kernel/drivers/md/dm-bufio.ko.xz", {"depends=dm-mod"});
  AddModule("kernel/drivers/md/dm-mod.ko", {"depends="});
  AddModule("kernel/fs/other.ko", {"depends="});
  const std::vector<ModuleFile> closure = Closure({"dm-verity"});
  EXPECT_THAT(Names(closure), ElementsAre("dm_mod", "dm_bufio", "dm_verity"));
  EXPECT_EQ(closure[2].guest_path, "kernel/drivers/md/dm-verity.ko");
  EXPECT_EQ(closure[2].file, folder_ / "kernel/drivers/md/dm-verity.ko.xz");
  EXPECT_THAT(Names(Closure({"dm_verity", "dm-mod"})),
              ElementsAre("dm_mod", "dm_bufio", "dm_verity"));
}

TEST_F(Modules, ComeAfterTheirSoftDependencies) {
  AddModule("kernel/fs/a.ko", {"softdep=pre: b-one nosuch post: c", "depends="});
  AddModule("kernel/fs/b_one.ko", {"depends="});
  AddModule("kernel/fs/c.ko", {"depends="});
  EXPECT_THAT(Names(Closure({"a"})), ElementsAre("b_one", "a"));
}

TEST_F(Modules, SoftDependenciesMayBeAliasesOfCrypto) {
  AddModule("kernel/fs/a.ko", {"softdep=pre: crypto-hash", "depends="});
  AddModule("kernel/arch/x86/crypto/fast.ko", {"alias=crypto-hash", "depends="});
  AddModule("kernel/crypto/hash_generic.ko", {"alias=crypto-hash", "depends="});
  EXPECT_THAT(Names(Closure({"a"})), ElementsAre("hash_generic", "a"));
  Write(folder_ / "modules.builtin.modinfo", std::string("hash.alias=crypto-hash\0", 23));
  EXPECT_THAT(Names(Closure({"a"})), ElementsAre("a"));
}

TEST_F(Modules, BuiltInOnesAndMissingOnesAreTold) {
  AddModule("kernel/fs/a.ko", {"depends=ext4"});
  Write(folder_ / "modules.builtin", "kernel/fs/ext4/ext4.ko\n");
  EXPECT_THAT(Names(Closure({"ext4", "a", "nosuch"})), ElementsAre("a"));
  const auto tree = ModuleTree::Open(folder_.Path());
  EXPECT_TRUE(tree->IsBuiltIn("ext4"));
  EXPECT_EQ(tree->Find("ext4"), nullptr);
  EXPECT_FALSE(tree->IsBuiltIn("nosuch"));
  EXPECT_EQ(tree->Find("nosuch"), nullptr);
}

TEST_F(Modules, ALostDependencyIsAnError) {
  AddModule("kernel/fs/a.ko", {"depends=gone"});
  const auto closure = ModuleTree::Open(folder_.Path())->Closure({"a"});
  ASSERT_FALSE(closure);
  EXPECT_THAT(closure.error().message, HasSubstr("a needs gone"));
}

TEST_F(Modules, ThatDependOnEachOtherEndTheSearch) {
  AddModule("kernel/a.ko", {"depends=b"});
  AddModule("kernel/b.ko", {"depends=a"});
  EXPECT_THAT(Names(Closure({"a"})), ElementsAre("b", "a"));
}

TEST_F(Modules, OfABuildTreeComeFromItsOrder) {
  Write(folder_ / "include/config/kernel.release", "7.0.13\n");
  Write(folder_ / "modules.order", "fs/a/a.o\nlib/b.ko\n");
  AddModule("fs/a/a.ko", {"depends=b"});
  AddModule("lib/b.ko", {"depends="});
  AddModule("lib/stale.ko", {"depends="});
  const std::vector<ModuleFile> closure = Closure({"a", "stale"});
  EXPECT_THAT(Names(closure), ElementsAre("b", "a"));
  EXPECT_EQ(closure[1].guest_path, "kernel/fs/a/a.ko");
  EXPECT_EQ(ModuleTree::Open(folder_.Path())->Find("stale"), nullptr);
}

TEST_F(Modules, OfABuildTreeThatAreNotBuiltAreAnError) {
  Write(folder_ / "include/config/kernel.release", "7.0.13\n");
  Write(folder_ / "modules.order", "fs/a/a.o\n");
  const auto tree = ModuleTree::Open(folder_.Path());
  ASSERT_FALSE(tree);
  EXPECT_THAT(tree.error().message, HasSubstr("make modules"));
}

TEST_F(Modules, UpdatesGoBeforeTheKernelsOwn) {
  AddModule("kernel/fs/a.ko", {"depends="});
  AddModule("updates/a.ko", {"depends="});
  EXPECT_EQ(ModuleTree::Open(folder_.Path())->Find("a")->guest_path, "updates/a.ko");
}

TEST_F(Modules, LinksAreNotFollowed) {
  const ScratchFolder outside;
  Write(outside / "a.ko", Module({}));
  fs::create_directories(folder_ / "kernel");
  fs::create_directory_symlink(outside.Path(), folder_ / "kernel/out");
  fs::create_symlink(outside / "a.ko", folder_ / "kernel/b.ko");
  EXPECT_THAT(ModuleTree::Open(folder_.Path())->All(), IsEmpty());
}

TEST_F(Modules, ThatAreDamagedAreAnError) {
  AddModule("kernel/a.ko.xz", {"depends="});
  const std::string whole = Xz(Module({"depends="}));
  Write(folder_ / "kernel/a.ko.xz", whole.substr(0, whole.size() / 2));
  EXPECT_FALSE(ModuleTree::Open(folder_.Path())->Closure({"a"}));
  Write(folder_ / "kernel/a.ko.xz", Xz("no module at all"));
  const auto closure = ModuleTree::Open(folder_.Path())->Closure({"a"});
  ASSERT_FALSE(closure);
  EXPECT_THAT(closure.error().message, HasSubstr("a.ko.xz is not a kernel module"));
}

TEST_F(Modules, AreDecompressed) {
  const std::string module = Module({"depends="});
  Write(folder_ / "a.ko.xz", Xz(module));
  EXPECT_EQ(*ReadModule(folder_ / "a.ko.xz"), module);
  Write(folder_ / "a.ko", module);
  EXPECT_EQ(*ReadModule(folder_ / "a.ko"), module);
}

TEST(ModuleName, IsTheKernels) {
  EXPECT_EQ(ModuleName("dm-verity"), "dm_verity");
  EXPECT_EQ(ModuleName("kernel/drivers/md/dm-verity.ko.xz"), "dm_verity");
  EXPECT_EQ(ModuleName("a.ko.zst"), "a");
  EXPECT_EQ(ModuleName("crypto-sha256"), "crypto_sha256");
}

TEST(SoftdepsPre, AreThoseBeforePost) {
  EXPECT_THAT(SoftdepsPre("pre: a b post: c"), ElementsAre("a", "b"));
  EXPECT_THAT(SoftdepsPre("pre: a, b"), ElementsAre("a", "b"));
  EXPECT_THAT(SoftdepsPre("post: c pre: a"), ElementsAre("a"));
  EXPECT_THAT(SoftdepsPre(""), IsEmpty());
}

}  // namespace
}  // namespace kassay
