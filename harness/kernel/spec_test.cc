#include "harness/kernel/spec.h"

#include <gmock/gmock.h>

#include "harness/base/file.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

// Relative paths are of this folder.
class KernelSpecTest : public ::testing::Test {
 protected:
  KernelSpecTest() : before_(fs::current_path()) {
    std::string name = ::testing::TempDir() + "/spec-XXXXXX";
    dir_ = fs::canonical(::mkdtemp(name.data()));
    fs::current_path(dir_);
    for (const char* file : {"a,b.deb", "c.deb", "bz,Image", "con,fig"})
      EXPECT_TRUE(WriteFileAtomically(dir_ / file, "x"));
    fs::create_directories(dir_ / "lib/mod,ules");
  }
  ~KernelSpecTest() override {
    fs::current_path(before_);
    fs::remove_all(dir_);
  }
  fs::path before_;
  fs::path dir_;
};

TEST_F(KernelSpecTest, ACommaWithinAPathSeparatesNothing) {
  const auto packages = ParseKernelSpec("a,b.deb,c.deb");
  ASSERT_TRUE(packages) << packages.error().message;
  EXPECT_THAT(std::get<PackagesSpec>(*packages).files, ElementsAre("a,b.deb", "c.deb"));
  const auto image = ParseKernelSpec("image:bz,Image,modules=lib/mod,ules,config=con,fig");
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(std::get<KernelFiles>(*image).image, "bz,Image");
  EXPECT_EQ(std::get<KernelFiles>(*image).modules_dir, "lib/mod,ules");
  EXPECT_EQ(std::get<KernelFiles>(*image).config_file, "con,fig");
  EXPECT_FALSE(ParseKernelSpec("a,b.deb,c,d.deb")) << "there is no c,d.deb";
}

TEST_F(KernelSpecTest, IsMadeAbsolutePathByPath) {
  const std::string here = dir_.string() + "/";
  EXPECT_EQ(AbsoluteSpec("debian:7.0.13"), "debian:7.0.13");
  EXPECT_EQ(AbsoluteSpec("a,b.deb,c.deb"), here + "a,b.deb," + here + "c.deb");
  EXPECT_EQ(
      AbsoluteSpec("image:bz,Image,modules=lib/mod,ules,config=con,fig"),
      "image:" + here + "bz,Image,modules=" + here + "lib/mod,ules,config=" + here + "con,fig");
  EXPECT_EQ(AbsoluteSpec("bz,Image"), here + "bz,Image");
}

}  // namespace
}  // namespace kassay
