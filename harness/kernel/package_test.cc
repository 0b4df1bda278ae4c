#include "harness/kernel/package.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/file.h"
#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using testing::Ar;
using testing::Deb;
using ::testing::HasSubstr;
using testing::PackedFile;
using testing::Rpm;
using testing::ScratchFolder;
using testing::TarXz;
using testing::Write;

constexpr const char* kControl =
    "Package: linux-binary-7.0\nVersion: 7.0-1\nMaintainer: Debian Kernel Team <k@example.org>\n"
    "Description: x\n";

class Package : public ::testing::Test {
 protected:
  Result<PackageInfo> Unpack(const std::string& bytes, const UnpackLimits& limits = {}) {
    Write(folder_ / "p.pkg", bytes);
    fs::create_directories(folder_ / "into");
    return UnpackPackage(folder_ / "p.pkg", folder_ / "into", PackagePart::kKernel, limits);
  }

  std::string ErrorOf(const std::string& bytes, const UnpackLimits& limits = {}) {
    const auto info = Unpack(bytes, limits);
    return info ? "" : info.error().message;
  }

  // Everything that is now below the scratch folder but the package itself.
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.Path())) {
      if (!entry.is_directory() && entry.path().filename() != "p.pkg") {
        files.push_back(entry.path().lexically_relative(folder_.Path()));
      }
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  ScratchFolder folder_;
};

TEST_F(Package, GivesItsKernelFilesAndItsName) {
  const auto info = Unpack(Deb(kControl, {{"./", "", "", ""},
                                          {"./boot/", "", "", ""},
                                          {"./boot/vmlinuz-7.0", "image", "", ""},
                                          {"./boot/config-7.0", "CONFIG_A=y\n", "", ""},
                                          {"./usr/lib/modules/7.0/kernel/a.ko", "module", "", ""},
                                          {"./usr/share/doc/x", "text", "", ""}}));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->name, "linux-binary-7.0");
  EXPECT_EQ(info->version, "7.0-1");
  EXPECT_EQ(info->vendor, "debian");
  EXPECT_THAT(Files(), ::testing::ElementsAre("into/boot/config-7.0", "into/boot/vmlinuz-7.0",
                                              "into/usr/lib/modules/7.0/kernel/a.ko"));
  EXPECT_EQ(*ReadFile(folder_ / "into/boot/vmlinuz-7.0"), "image");
}

TEST_F(Package, OfRpmKindIsReadToo) {
  const auto info = Unpack(Rpm({{"./lib/modules/7.0/vmlinuz", "image", "", ""}}));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->vendor, "fedora");
  EXPECT_EQ(info->name, "kernel-core");
  EXPECT_EQ(info->version, "7.0-1");
  EXPECT_EQ(*ReadFile(folder_ / "into/lib/modules/7.0/vmlinuz"), "image");
}

TEST_F(Package, OfPacmanSaysItsNameInPkgInfo) {
  const auto info = Unpack(
      TarXz({{".BUILDINFO", "pkgname = other\n", "", ""},
             {".PKGINFO",
              "# makepkg\npkgname = linux\npkgver = 7.0.arch1-1\npackager = A <a@archlinux.org>\n",
              "", ""},
             {"usr/lib/modules/7.0-arch1-1/vmlinuz", "image", "", ""}}));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->name, "linux");
  EXPECT_EQ(info->version, "7.0.arch1-1");
  EXPECT_EQ(info->vendor, "archlinux");
  EXPECT_EQ(*ReadFile(folder_ / "into/usr/lib/modules/7.0-arch1-1/vmlinuz"), "image");
}

TEST_F(Package, ThatIsAPlainArchiveHasNoName) {
  const auto info = Unpack(TarXz({{"./boot/", "", "", ""},
                                  {"./boot/vmlinuz-7.0", "image", "", ""},
                                  {"./.PKGINFO", "pkgname = linux\n", "", ""}}));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->name, "");
  EXPECT_THAT(Files(), ::testing::ElementsAre("into/boot/vmlinuz-7.0"));
}

TEST_F(Package, ThatIsAnArchiveIsHeldToTheSameBounds) {
  const PackedFile big{"./boot/vmlinuz-7.0", std::string(1 << 20, 'x'), "", ""};
  UnpackLimits limits;
  limits.bytes = 1 << 19;
  EXPECT_THAT(ErrorOf(TarXz({big}), limits), HasSubstr("unpacks to more than"));
  EXPECT_THAT(ErrorOf(TarXz({{"./boot/../../escaped", "x", "", ""}})),
              HasSubstr("leads out of it"));
  EXPECT_THAT(ErrorOf(TarXz({big, {"./boot/config-7.0", "", "", "./boot/vmlinuz-7.0"}})),
              HasSubstr("is a hard link"));
  const std::string whole = TarXz({big});
  EXPECT_THAT(ErrorOf(whole.substr(0, whole.size() / 2)), HasSubstr("p.pkg"));
}

TEST_F(Package, MayNotNameAPathThatLeadsOut) {
  EXPECT_THAT(ErrorOf(Deb(kControl, {{"./boot/../../escaped", "x", "", ""}})),
              HasSubstr("leads out of it"));
  EXPECT_THAT(ErrorOf(Deb(kControl, {{"lib/modules/../../../escaped", "x", "", ""}})),
              HasSubstr("leads out of it"));
  EXPECT_THAT(Files(), ::testing::IsEmpty());
}

TEST_F(Package, MayNotNameAnAbsolutePath) {
  const std::string target = (folder_ / "boot/vmlinuz-escaped").string();
  EXPECT_THAT(ErrorOf(Deb(kControl, {{target, "x", "", ""}})), HasSubstr("absolute path"));
  EXPECT_THAT(Files(), ::testing::IsEmpty());
}

TEST_F(Package, CannotEscapeThroughASymbolicLink) {
  fs::create_directories(folder_ / "outside");
  const auto info =
      Unpack(Deb(kControl, {{"./lib/modules/7.0/build", "", (folder_ / "outside").string(), ""},
                            {"./lib/modules/7.0/build/escaped", "x", "", ""},
                            {"./boot/vmlinuz-7.0", "", (folder_ / "outside/image").string(), ""}}));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_TRUE(fs::is_empty(folder_ / "outside"));
  EXPECT_FALSE(fs::is_symlink(folder_ / "into/lib/modules/7.0/build"));
  EXPECT_FALSE(fs::exists(folder_ / "into/boot/vmlinuz-7.0"));
}

TEST_F(Package, MayNotHardLinkAnything) {
  EXPECT_THAT(ErrorOf(Deb(kControl, {{"./lib/modules/7.0/a.ko", "x", "", ""},
                                     {"./lib/modules/7.0/b.ko", "", "", "/etc/passwd"}})),
              HasSubstr("is a hard link"));
}

TEST_F(Package, CutShortAnywhereIsRefused) {
  const std::string whole =
      Deb(kControl, {{"./boot/vmlinuz-7.0", std::string(100000, 'x'), "", ""}});
  for (const size_t size :
       {whole.size() - 8, whole.size() - 100, whole.size() / 2, size_t{70}, size_t{9}, size_t{8}}) {
    EXPECT_THAT(ErrorOf(whole.substr(0, size)), HasSubstr("p.pkg")) << size;
  }
}

TEST_F(Package, WithADamagedByteIsRefused) {
  std::string bytes = Deb(kControl, {{"./boot/vmlinuz-7.0", std::string(100000, 'x'), "", ""}});
  bytes[bytes.size() - 60] ^= 1;
  EXPECT_THAT(ErrorOf(bytes), HasSubstr("damaged"));
}

TEST_F(Package, WithoutDataIsRefused) {
  EXPECT_THAT(ErrorOf(Ar({{"debian-binary", "2.0\n", "", ""}})), HasSubstr("no data.tar"));
}

TEST_F(Package, WithoutAControlFileIsRefused) {
  EXPECT_THAT(ErrorOf(Ar({{"debian-binary", "2.0\n", "", ""},
                          {"control.tar.xz", TarXz({{"./md5sums", "", "", ""}}), "", ""},
                          {"data.tar.xz", TarXz({}), "", ""}})),
              HasSubstr("no control file"));
}

TEST_F(Package, ThatUnpacksToMoreThanTheLimitIsRefused) {
  const std::string bytes =
      Deb(kControl, {{"./boot/vmlinuz-7.0", std::string(1 << 20, 'x'), "", ""}});
  UnpackLimits limits;
  limits.bytes = 1 << 19;
  EXPECT_THAT(ErrorOf(bytes, limits), HasSubstr("unpacks to more than"));
  limits.bytes = 1 << 21;
  EXPECT_EQ(ErrorOf(bytes, limits), "");
}

TEST_F(Package, HidingItsSizeInSkippedFilesIsRefusedToo) {
  UnpackLimits limits;
  limits.bytes = 1 << 19;
  EXPECT_THAT(ErrorOf(Deb(kControl, {{"./usr/share/doc/x", std::string(1 << 20, 'x'), "", ""},
                                     {"./boot/vmlinuz-7.0", "x", "", ""}}),
                      limits),
              HasSubstr("unpacks to more than"));
}

TEST_F(Package, WithTooManyFilesIsRefused) {
  UnpackLimits limits;
  limits.entries = 2;
  const std::vector<PackedFile> files = {
      {"./a", "", "", ""}, {"./b", "", "", ""}, {"./c", "", "", ""}};
  EXPECT_THAT(ErrorOf(Deb(kControl, files), limits), HasSubstr("too many files"));
  limits.entries = 3;
  EXPECT_EQ(ErrorOf(Deb(kControl, files), limits), "");
}

TEST_F(Package, OfNoKnownKindIsRefused) {
  EXPECT_THAT(ErrorOf("hello"), HasSubstr("neither a .deb nor an .rpm nor a tar archive"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("neither a .deb nor an .rpm nor a tar archive"));
}

}  // namespace
}  // namespace kassay
