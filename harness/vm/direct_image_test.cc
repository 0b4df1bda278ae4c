#include "harness/vm/direct_image.h"

#include <archive.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

#include "harness/base/find_program.h"
#include "harness/vm/testing/images.h"

namespace kassay {
namespace {

using ::testing::AllOf;
using testing::Compress;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Put;
using testing::SmallBzImage;
using testing::SmallElf;
using ::testing::StartsWith;
using testing::WithSize;

std::string ErrorOf(const std::string& image) {
  const auto kernel = ExtractDirectImage(image);
  return kernel ? std::string() : kernel.error().message;
}

TEST(ExtractDirectImage, FindsTheElfInEachCompression) {
  const std::string elf = SmallElf();
  for (auto* filter : {&archive_write_add_filter_zstd, &archive_write_add_filter_xz,
                       &archive_write_add_filter_lzma, &archive_write_add_filter_bzip2,
                       &archive_write_add_filter_lz4}) {
    const auto kernel =
        ExtractDirectImage(SmallBzImage(WithSize(Compress(elf, filter), elf.size())));
    ASSERT_TRUE(kernel) << kernel.error().message;
    EXPECT_EQ(*kernel, elf);
  }
  // gzip brings the size along.
  const auto kernel =
      ExtractDirectImage(SmallBzImage(Compress(elf, &archive_write_add_filter_gzip)));
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(*kernel, elf);
}

// The kernel's build writes it in the older format, `lz4 -l`: a magic, then blocks with their
// sizes.
TEST(ExtractDirectImage, FindsTheElfInLegacyLz4) {
  const std::string elf = SmallElf();
  std::string block(2, '\xf0');  // one sequence of literals alone: 15 and more
  block[1] = static_cast<char>(elf.size() - 15);
  ASSERT_LT(elf.size(), 15U + 255U);
  block += elf;
  std::string payload("\x02\x21\x4c\x18\0\0\0\0", 8);
  Put(payload, 4, static_cast<std::uint32_t>(block.size()), 4);
  const auto kernel = ExtractDirectImage(SmallBzImage(WithSize(payload + block, elf.size())));
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(*kernel, elf);
}

// SmallElf() through `lzop -9`.
constexpr std::string_view kLzop(
    "\x89\x4c\x5a\x4f\x00\x0d\x0a\x1a\x0a\x10\x40\x20\xa0\x09\x40\x03\x09\x03\x00\x00"
    "\x0d\x00\x00\x00\x00\x6b\x09\x35\x0b\x00\x00\x00\x00\x00\x25\x8a\x02\x2a\x00\x00"
    "\x00\x90\x00\x00\x00\x2e\x13\x47\x03\x7f\x17\x7f\x45\x4c\x46\x02\x00\x38\x01\x00"
    "\x40\x35\x5d\x00\x01\xdd\x00\x04\xdd\x00\x78\x35\x9d\x00\x18\x35\x5c\x00\x7d\x06"
    "\x08\x4d\x00\x12\x4f\x00\x58\x65\x6e\x0c\x13\xc0\x00\x11\x00\x00\x00\x00\x00\x00",
    100);

TEST(ExtractDirectImage, FindsTheElfInLzoWithItsProgram) {
  if (FindProgram("lzop").empty()) GTEST_SKIP() << "lzop is not installed";
  const std::string elf = SmallElf();
  const auto kernel = ExtractDirectImage(SmallBzImage(WithSize(std::string(kLzop), elf.size())));
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(*kernel, elf);
}

TEST(ExtractDirectImage, NamesTheProgramThatIsMissing) {
  const std::unique_ptr<archive, decltype(&archive_read_free)> reader(archive_read_new(),
                                                                      &archive_read_free);
  if (archive_read_support_filter_lzop(reader.get()) == ARCHIVE_OK)
    GTEST_SKIP() << "this libarchive unpacks LZO itself";
  const char* set = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  const std::string path = set == nullptr ? "" : set;
  ::setenv("PATH", "/no/such/folder", 1);  // NOLINT(concurrency-mt-unsafe)
  const std::string error = ErrorOf(SmallBzImage(WithSize(std::string(kLzop), SmallElf().size())));
  ::setenv("PATH", path.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_THAT(error, AllOf(HasSubstr("compressed with LZO"), HasSubstr("the program lzop"),
                           HasSubstr("apt-get install lzop"), HasSubstr("--boot bzimage")));
}

TEST(ExtractDirectImage, TakesAnElfAsItIs) {
  const auto kernel = ExtractDirectImage(SmallElf());
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(*kernel, SmallElf());
}

TEST(ExtractDirectImage, SaysWhatIsWrong) {
  const std::string elf = SmallElf();
  const std::string zstd = Compress(elf, &archive_write_add_filter_zstd);
  EXPECT_THAT(ErrorOf(""), HasSubstr("neither a bzImage nor a vmlinux"));
  EXPECT_THAT(ErrorOf(std::string(4096, 'x')), HasSubstr("neither a bzImage nor a vmlinux"));
  EXPECT_THAT(ErrorOf(elf.substr(0, 4)), HasSubstr("no 64-bit ELF"));
  std::string cut = SmallBzImage(WithSize(zstd, elf.size()));
  cut.pop_back();
  EXPECT_THAT(ErrorOf(cut), HasSubstr("outside of it"));
  EXPECT_THAT(ErrorOf(SmallBzImage(WithSize(zstd, 0))), HasSubstr("no sensible size"));
  EXPECT_THAT(ErrorOf(SmallBzImage(WithSize(zstd, elf.size() + 1))), HasSubstr("damaged"));
  EXPECT_THAT(ErrorOf(SmallBzImage(WithSize(zstd.substr(0, 8), elf.size()))), HasSubstr("damaged"));
  std::string both = elf;
  both.resize(0x206);
  both.replace(0x202, 4, "HdrS");
  EXPECT_THAT(ErrorOf(both), HasSubstr("passes for a bzImage too"));
}

// The other way to boot is named where it helps: not for a vmlinux, which boots directly or not at
// all, and not for what is damaged.
TEST(ExtractDirectImage, NamesTheFirmwaresWayWhereItHelps) {
  const std::string elf = SmallElf();
  const std::string no_entry = SmallElf(17);
  const std::string payload = WithSize(Compress(elf, &archive_write_add_filter_zstd), elf.size());
  std::string old = SmallBzImage(payload);
  Put(old, 0x206, 0x207, 2);
  EXPECT_THAT(ErrorOf(old), AllOf(HasSubstr("older than 2.08"), EndsWith("use --boot bzimage")));
  EXPECT_THAT(ErrorOf(SmallBzImage(WithSize("no compression", 100))),
              AllOf(HasSubstr("compression is not known"), EndsWith("use --boot bzimage")));
  EXPECT_THAT(
      ErrorOf(SmallBzImage(
          WithSize(Compress(no_entry, &archive_write_add_filter_xz), no_entry.size()))),
      AllOf(HasSubstr("the kernel in it has no PVH entry"), EndsWith(": use --boot bzimage")));
  EXPECT_THAT(ErrorOf(no_entry), AllOf(StartsWith("it has no PVH entry"),
                                       HasSubstr("give the bzImage that holds it")));
  for (const std::string& image :
       {elf.substr(0, 4), std::string("text"), SmallBzImage(payload.substr(0, 8))})
    EXPECT_THAT(ErrorOf(image), AllOf(Not(IsEmpty()), Not(HasSubstr("--boot")))) << image;
}

}  // namespace
}  // namespace kassay
