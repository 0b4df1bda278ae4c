#include "harness/image/cpio_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/sysmacros.h>

#include "harness/base/file.h"
#include "harness/kernel/archive_handle.h"

namespace kassay {
namespace {

using ::testing::HasSubstr;

std::string Bytes(const CpioImage& image) {
  const auto bytes = image.Bytes();
  EXPECT_TRUE(bytes) << bytes.error().message;
  return bytes.value_or("");
}

// One line an entry, as an independent reader sees it.
std::vector<std::string> Listing(const std::string& bytes) {
  const ArchiveReader reader(archive_read_new());
  archive_read_support_format_cpio(reader.get());
  EXPECT_EQ(archive_read_open_memory(reader.get(), bytes.data(), bytes.size()), ARCHIVE_OK);
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
  EXPECT_THAT(Listing(Bytes(Sample())),
              ::testing::ElementsAre("40755 bin", "120777 bin/sh -> busybox", "40755 dev",
                                     "20600 dev/console 5:1", "40755 kassay", "100644 kassay/list",
                                     "100755 late", "41777 tmp"));
}

TEST(CpioImage, IsTheSameBytesForTheSameContent) {
  CpioImage other;
  other.AddLate(
      "/late", []() -> Result<std::string> { return "late"; }, "1", 0755);
  other.AddFolder("/tmp", 0755);
  other.AddFolder("/tmp", 01777);
  other.AddCharacterDevice("/dev/console", 5, 1, 0600);
  other.AddLink("/bin/sh", "busybox");
  other.AddText("/kassay/list", "text");
  EXPECT_EQ(Bytes(Sample()), Bytes(other));
  EXPECT_EQ(*Sample().Fingerprint(), *other.Fingerprint());
}

TEST(CpioImage, IsNewcAndPaddedForTheNextOne) {
  const std::string bytes = Bytes(Sample());
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
  EXPECT_FALSE(image.Bytes());
}

TEST(CpioImage, AFullDiskIsAnError) {
  CpioImage image;
  image.AddText("/a", std::string(1 << 20, 'x'));
  const Status status = WriteFileAtomically("/dev/full", Bytes(image));
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("/dev/full"));
}

}  // namespace
}  // namespace kassay
