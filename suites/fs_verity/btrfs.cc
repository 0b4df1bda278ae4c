// What is btrfs's own about fs-verity; the rest is in the cases for each file system.
#include <filesystem>
#include <string>

#include "suites/fs_verity/on_medium.h"

namespace kassay::verity {
namespace {

class Btrfs : public OnMedium {
 protected:
  void SetUp() override { MountMedium(Kind::kBtrfs); }
};

KASSAY_CASE_F(Btrfs, StatxSaysThatTheFlagIsKnown, Cites("FSV-005")) {
  const std::string path = Verity("file", "content");
  EXPECT_NE(Statx(path).attributes & kStatxVerity, 0U);
  EXPECT_NE(Statx(path).mask & kStatxVerity, 0U);
  EXPECT_NE(Statx(Plain("plain", "plain")).mask & kStatxVerity, 0U);
}

// /sys/fs/btrfs/UUID/features/ has a file for each feature that the file system uses.
KASSAY_CASE_F(Btrfs, TheFirstFileMarksTheFileSystem, Cites("FSV-062")) {
  const auto marked = [] {
    for (const auto& folder : std::filesystem::directory_iterator("/sys/fs/btrfs")) {
      if (std::filesystem::exists(folder.path() / "features/verity") &&
          std::filesystem::exists(folder.path() / "devinfo"))
        return true;
    }
    return false;
  };
  EXPECT_FALSE(marked());
  Verity("file", "content");
  ASSERT_OK(medium().Remount());
  EXPECT_TRUE(marked());
  ExpectVerity(Path("file"), "content");
}

// Data below a few KiB lies inline in the tree of metadata.
KASSAY_CASE_F(Btrfs, SmallAndLargeFiles, Cites("FSV-062").Timeout(120)) {
  const Setting kSettings[] = {{}, {kSha512Algorithm, 1024, Content(32, 3), ""}};
  const auto for_each = [&](const auto& act) {
    for (const std::size_t size :
         std::initializer_list<std::size_t>{0, 1, 2000, 4096, 200 * 4096 + 1}) {
      for (const Setting& setting : kSettings)
        act(std::to_string(size) + "-" + std::to_string(setting.block_size), Content(size),
            setting);
    }
  };
  for_each([&](const std::string& name, const std::string& content, const Setting& setting) {
    Verity(name, content, setting);
  });
  ASSERT_OK(medium().Remount());
  for_each([&](const std::string& name, const std::string& content, const Setting& setting) {
    ExpectVerity(Path(name), content, setting);
  });
}

// The checksums of btrfs and the hashes of fs-verity are independent: either is enough.
KASSAY_CASE_F(Btrfs, WithChecksumsDamageIsSeenToo, Cites("FSV-062")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Verity("file", content);
  ASSERT_OK(medium().Damage(std::string_view(content).substr(4 * 4096, 4096), 9));
  const UniqueFd fd = OpenToRead(path);
  EXPECT_THAT(ReadAt(fd.Get(), 4096, 4 * 4096).result, IsErrno(EIO));
  EXPECT_TRUE(ReadAt(fd.Get(), 4096, 3 * 4096).bytes == content.substr(3 * 4096, 4096));
}

}  // namespace
}  // namespace kassay::verity
