#include "harness/host/vm/snapshot_folder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "harness/base/file.h"
#include "harness/base/interrupt.h"
#include "harness/base/sha256.h"
#include "harness/host/vm/testing/test_machine.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using ::testing::HasSubstr;

class SnapshotFolderTest : public ::testing::Test {
 protected:
  // A snapshot as whole as a real one, `bytes` of memory on disk, last used `age` ago.
  void Add(const std::string& key, std::size_t bytes, hours age) {
    const fs::path folder = path() / key;
    ASSERT_TRUE(WriteFileAtomically(folder / "memory", std::string(bytes, 'm')));
    ASSERT_TRUE(WriteFileAtomically(folder / "state", "state of " + key));
    struct stat memory {};
    ASSERT_EQ(::stat((folder / "memory").c_str(), &memory), 0);
    Manifest manifest;
    manifest.key = key;
    manifest.memory_bytes = bytes;
    manifest.memory_mtime_ns =
        std::int64_t{memory.st_mtim.tv_sec} * 1'000'000'000 + memory.st_mtim.tv_nsec;
    manifest.state_bytes = fs::file_size(folder / "state");
    manifest.state_sha256 = Sha256Hex("state of " + key);
    ASSERT_TRUE(WriteFileAtomically(folder / "manifest.json", ToJson(manifest)));
    ASSERT_TRUE(WriteFileAtomically(path() / (key + ".lock"), ""));
    fs::last_write_time(path() / (key + ".lock"), fs::file_time_type::clock::now() - age);
  }
  [[nodiscard]] const fs::path& path() const { return scratch_.path(); }
  [[nodiscard]] bool Has(const std::string& key) const { return fs::exists(path() / key); }

 private:
  kassay::testing::ScratchFolder scratch_;
};

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST_F(SnapshotFolderTest, WholeSnapshotIsLoaded) {
  Add("a", kMiB, hours(0));
  const auto manifest = LoadSnapshot(path(), "a");
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->memory_bytes, kMiB);
}

TEST_F(SnapshotFolderTest, EveryDamageIsNoticed) {
  const auto wrong = [this] {
    const auto manifest = LoadSnapshot(path(), "a");
    return manifest ? std::string() : manifest.error().message;
  };
  EXPECT_THAT(wrong(), HasSubstr("No such file"));
  Add("a", kMiB, hours(0));
  ASSERT_TRUE(WriteFileAtomically(path() / "a" / "state", "State of a"));
  EXPECT_THAT(wrong(), HasSubstr("device state was changed"));  // same size
  ASSERT_TRUE(WriteFileAtomically(path() / "a" / "state", "short"));
  EXPECT_THAT(wrong(), HasSubstr("device state was changed"));
  Add("a", kMiB, hours(0));
  {
    const UniqueFd memory(::open((path() / "a" / "memory").c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(memory.Get(), "x", 1, 0), 1);
  }
  EXPECT_THAT(wrong(), HasSubstr("memory was changed"));
  Add("a", kMiB, hours(0));
  fs::resize_file(path() / "a" / "memory", kMiB - 1);
  EXPECT_THAT(wrong(), HasSubstr("memory was changed"));
  fs::remove(path() / "a" / "memory");
  EXPECT_THAT(wrong(), HasSubstr("missing"));
  Add("a", kMiB, hours(0));
  ASSERT_TRUE(WriteFileAtomically(path() / "a" / "manifest.json", "{\"format\":"));
  EXPECT_THAT(wrong(), HasSubstr("manifest is damaged"));
  ASSERT_TRUE(WriteFileAtomically(path() / "a" / "manifest.json", "{\"format\":1}"));
  EXPECT_THAT(wrong(), HasSubstr("another format"));
  Add("b", kMiB, hours(0));
  fs::copy_file(path() / "b" / "manifest.json", path() / "a" / "manifest.json",
                fs::copy_options::overwrite_existing);
  EXPECT_THAT(wrong(), HasSubstr("another's"));
}

TEST_F(SnapshotFolderTest, EvictionTakesTheLeastRecentlyUsedAndStopsWhenThereIsRoom) {
  Add("oldest", kMiB, hours(30));
  Add("older", kMiB, hours(20));
  Add("newer", kMiB, hours(10));
  Add("mine", kMiB, hours(40));
  EvictSnapshots(path(), "mine", 3 * kMiB + kMiB / 2);
  EXPECT_FALSE(Has("oldest"));
  EXPECT_FALSE(Has("oldest.lock"));
  EXPECT_TRUE(Has("older"));
  EXPECT_TRUE(Has("newer"));
  EXPECT_TRUE(Has("mine"));
  EvictSnapshots(path(), "mine", 0);
  EXPECT_FALSE(Has("older"));
  EXPECT_FALSE(Has("newer"));
  EXPECT_TRUE(Has("mine"));
}

TEST_F(SnapshotFolderTest, EvictionLeavesWhatIsInUse) {
  Add("used", kMiB, hours(30));
  {
    const auto lock = SnapshotLock::Shared(path(), "used");
    ASSERT_TRUE(lock) << lock.error().message;
    EvictSnapshots(path(), "mine", 0);
    EXPECT_TRUE(Has("used"));
  }
  EvictSnapshots(path(), "mine", 0);
  EXPECT_FALSE(Has("used"));
}

TEST_F(SnapshotFolderTest, EvictionRemovesWhatAKilledProcessLeftHalfMade) {
  fs::create_directory(path() / "dead.making");
  fs::create_directory(path() / "alive.making");
  const auto lock = SnapshotLock::Exclusive(path(), "alive");
  ASSERT_TRUE(lock) << lock.error().message;
  EvictSnapshots(path(), "mine", std::uint64_t{1} << 40);
  EXPECT_FALSE(Has("dead.making"));
  EXPECT_TRUE(Has("alive.making"));
}

TEST_F(SnapshotFolderTest, LockIsSharedByUsersAndExclusiveForTheMaker) {
  {
    const auto one = SnapshotLock::Shared(path(), "k");
    const auto two = SnapshotLock::Shared(path(), "k");
    EXPECT_TRUE(one && two);
    EXPECT_FALSE(SnapshotLock::TryExclusive(path(), "k"));
  }
  auto maker = SnapshotLock::TryExclusive(path(), "k");
  ASSERT_TRUE(maker);
  EXPECT_FALSE(SnapshotLock::TryExclusive(path(), "k"));
  // A lock whose file is gone is nobody's: the next one makes its own.
  maker->Retire();
  EXPECT_TRUE(SnapshotLock::TryExclusive(path(), "k"));
}

TEST_F(SnapshotFolderTest, WaitingForALockEndsOnCtrlC) {
  const auto maker = SnapshotLock::Exclusive(path(), "k");
  ASSERT_TRUE(maker) << maker.error().message;
  std::thread user([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    RequestInterrupt();
  });
  const auto lock = SnapshotLock::Shared(path(), "k");
  user.join();
  ClearInterruptForTesting();
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, ExitCode::kInterrupted);
}

}  // namespace
}  // namespace kassay
