#include "harness/firmware/fat_disk.h"

#include <gmock/gmock.h>

#include "harness/firmware/efi.h"

namespace kassay::efi {
namespace {

using ::testing::HasSubstr;

// A reader of the format, written from its description and not from the writer.
class Reader {
 public:
  explicit Reader(std::string_view disk) : disk_(disk) {
    sector_ = ReadLe(disk, 11, 2);
    cluster_ = sector_ * ReadLe(disk, 13, 1);
    fat_ = sector_ * ReadLe(disk, 14, 2);
    const std::size_t fat_bytes = sector_ * ReadLe(disk, 22, 2);
    root_ = fat_ + ReadLe(disk, 16, 1) * fat_bytes;
    entries_ = ReadLe(disk, 17, 2);
    data_ = root_ + 32 * entries_;
    EXPECT_EQ(disk.substr(fat_, fat_bytes), disk.substr(fat_ + fat_bytes, fat_bytes));
    // What makes it FAT16.
    const std::size_t clusters = (sector_ * ReadLe(disk, 32, 4) - data_) / cluster_;
    EXPECT_GE(clusters, 4085U);
    EXPECT_LT(clusters, 65525U);
    EXPECT_GE(fat_bytes, 2 * (clusters + 2));
    EXPECT_EQ(disk.size(), sector_ * ReadLe(disk, 32, 4));
    EXPECT_EQ(disk.substr(510, 2), "\x55\xaa");
  }
  [[nodiscard]] std::string Read(const std::string& name) const {
    for (std::size_t i = 0; i < entries_; ++i) {
      const std::string_view entry = disk_.substr(root_ + 32 * i, 32);
      if (entry.substr(0, 11) != name) continue;
      const std::size_t size = ReadLe(entry, 28, 4);
      std::string bytes;
      for (std::size_t at = ReadLe(entry, 26, 2); at >= 2 && at < 0xfff8;
           at = ReadLe(disk_, fat_ + 2 * at, 2))
        bytes += disk_.substr(data_ + (at - 2) * cluster_, cluster_);
      EXPECT_LT(bytes.size() - size, cluster_) << "more clusters than bytes";
      return bytes.substr(0, size);
    }
    return "not there";
  }

 private:
  std::string_view disk_;
  std::size_t sector_;
  std::size_t cluster_;
  std::size_t fat_;
  std::size_t root_;
  std::size_t entries_;
  std::size_t data_;
};

TEST(FatDisk, HoldsItsFiles) {
  std::string large(5'000'001, 'k');
  large[4'999'999] = '!';
  const std::string cluster(4096, 'c');
  const auto disk =
      FatDisk({{"KERNEL.EFI", large}, {"EMPTY", ""}, {"A.B", cluster}, {"INITRD.IMG", "i"}});
  ASSERT_TRUE(disk) << disk.error().message;
  EXPECT_EQ(FatDiskBytes({large.size(), 0, cluster.size(), 1}).value(), disk->size());
  const Reader reader(*disk);
  EXPECT_EQ(reader.Read("KERNEL  EFI"), large);
  EXPECT_EQ(reader.Read("EMPTY      "), "");
  EXPECT_EQ(reader.Read("A       B  "), cluster);
  EXPECT_EQ(reader.Read("INITRD  IMG"), "i");
}

TEST(FatDisk, GrowsItsClustersAndNotTheirNumber) {
  const std::string large(std::size_t{300} << 20, 'x');
  const auto disk = FatDisk({{"LARGE.IMG", large}, {"SMALL.IMG", "s"}});
  ASSERT_TRUE(disk) << disk.error().message;
  EXPECT_EQ(Reader(*disk).Read("SMALL   IMG"), "s");
}

TEST(FatDisk, RefusesNamesOfAnotherForm) {
  for (const char* name :
       {"", "kernel.efi", "KERNELKER.EFI", "KERNEL.EFIS", ".EFI", "A.B.C", "A/B"})
    EXPECT_FALSE(FatDisk({{name, "x"}})) << name;
}

TEST(FatDisk, RefusesWhatIsTooMuch) {
  const std::vector<FatFile> many(501, {"A", ""});
  const auto refused = FatDisk(many);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("too much"));
}

}  // namespace
}  // namespace kassay::efi
