#include "harness/image/cpio_image.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "harness/base/file.h"
#include "harness/base/unique_fd.h"
#include "harness/kernel/archive_handle.h"
#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::ScratchFolder;

std::string Bytes(const CpioImage& image, const fs::path& file) {
  {
    const UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    const Status status = image.Write(fd.Get(), file.string());
    EXPECT_TRUE(status) << status.error().message;
  }
  return *ReadFile(file);
}

// One line an entry, as an independent reader sees it.
std::vector<std::string> Listing(const fs::path& file) {
  const ArchiveReader reader(archive_read_new());
  archive_read_support_format_cpio(reader.get());
  EXPECT_EQ(archive_read_open_filename(reader.get(), file.c_str(), 4096), ARCHIVE_OK);
  std::vector<std::string> lines;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK) {
    char mode[16];
    std::snprintf(mode, sizeof mode, "%o", archive_entry_mode(entry));
    std::string line = std::string(mode) + " " + archive_entry_pathname(entry);
    if (archive_entry_symlink(entry) != nullptr) {
      line += std::string(" -> ") + archive_entry_symlink(entry);
    }
    if (archive_entry_filetype(entry) == AE_IFCHR) {
      line += " " + std::to_string(major(archive_entry_rdev(entry))) + ":" +
              std::to_string(minor(archive_entry_rdev(entry)));
    }
    EXPECT_EQ(archive_entry_uid(entry), 0);
    EXPECT_EQ(archive_entry_gid(entry), 0);
    EXPECT_EQ(archive_entry_mtime(entry), 0);
    lines.push_back(line);
  }
  return lines;
}

CpioImage Sample() {
  CpioImage image;
  image.AddText("/kassay/list", "text");
  image.AddLink("/bin/sh", "busybox");
  image.AddCharacterDevice("/dev/console", 5, 1, 0600);
  image.AddFolder("/tmp", 01777);
  image.AddLate(
      "/late", []() -> Result<std::string> { return "late"; }, "1", 0755);
  return image;
}

TEST(CpioImage, HoldsWhatWasAddedParentsFirst) {
  const ScratchFolder folder;
  (void)Bytes(Sample(), folder / "a.cpio");
  EXPECT_THAT(Listing(folder / "a.cpio"),
              ::testing::ElementsAre("40755 bin", "120777 bin/sh -> busybox", "40755 dev",
                                     "20600 dev/console 5:1", "40755 kassay", "100644 kassay/list",
                                     "100755 late", "41777 tmp"));
}

TEST(CpioImage, IsTheSameBytesForTheSameContent) {
  const ScratchFolder folder;
  CpioImage other;
  other.AddLate(
      "/late", []() -> Result<std::string> { return "late"; }, "1", 0755);
  other.AddFolder("/tmp", 0755);
  other.AddFolder("/tmp", 01777);
  other.AddCharacterDevice("/dev/console", 5, 1, 0600);
  other.AddLink("/bin/sh", "busybox");
  testing::Write(folder / "list", "text");
  other.AddText("/kassay/list", "text");
  EXPECT_EQ(Bytes(Sample(), folder / "a"), Bytes(other, folder / "b"));
  EXPECT_EQ(*Sample().Fingerprint(), *other.Fingerprint());
}

TEST(CpioImage, IsNewcAndPaddedForTheNextOne) {
  const ScratchFolder folder;
  const std::string bytes = Bytes(Sample(), folder / "a");
  EXPECT_EQ(bytes.substr(0, 6), "070701");
  EXPECT_EQ(bytes.size() % 4, 0U);
  EXPECT_THAT(bytes, HasSubstr("TRAILER!!!"));
}

TEST(CpioImage, ItsFingerprintSeesEveryDifference) {
  const std::string plain = *Sample().Fingerprint();
  const auto changed = [](const std::function<void(CpioImage&)>& change) {
    CpioImage image = Sample();
    change(image);
    return *image.Fingerprint();
  };
  EXPECT_NE(plain, changed([](CpioImage& image) { image.AddText("/kassay/list", "texT"); }));
  EXPECT_NE(plain, changed([](CpioImage& image) { image.AddText("/kassay/list", "text", 0600); }));
  EXPECT_NE(plain, changed([](CpioImage& image) { image.AddText("/kassay/more", ""); }));
  EXPECT_NE(plain, changed([](CpioImage& image) { image.AddLink("/bin/sh", "dash"); }));
  EXPECT_NE(plain, changed([](CpioImage& image) {
              image.AddCharacterDevice("/dev/console", 5, 2, 0600);
            }));
}

TEST(CpioImage, AFileThatIsNotThereIsAnError) {
  CpioImage image;
  image.AddFile("/init", "/nonexistent/init");
  EXPECT_FALSE(image.Fingerprint());
  const UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_FALSE(image.Write(null.Get(), "null"));
}

TEST(CpioImage, AFullDiskIsAnError) {
  CpioImage image;
  image.AddText("/a", std::string(1 << 20, 'x'));
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const Status status = image.Write(full.Get(), "the image");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("the image"));
}

}  // namespace
}  // namespace kassay
