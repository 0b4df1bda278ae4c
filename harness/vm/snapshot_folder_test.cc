#include "harness/vm/snapshot_folder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "harness/base/file.h"
#include "harness/base/interrupt.h"
#include "harness/base/sha256.h"
#include "harness/vm/testing/test_machine.h"

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
    manifest.key = key.substr(0, key.find('.'));
    manifest.memory_bytes = bytes;
    manifest.memory_mtime_ns =
        std::int64_t{memory.st_mtim.tv_sec} * 1'000'000'000 + memory.st_mtim.tv_nsec;
    manifest.state_bytes = fs::file_size(folder / "state");
    manifest.state_sha256 = Sha256Hex("state of " + key);
    ASSERT_TRUE(WriteFileAtomically(folder / "manifest.json", ToJson(manifest)));
    ASSERT_TRUE(WriteFileAtomically(path() / (key + ".lock"), ""));
    fs::last_write_time(path() / (key + ".lock"), fs::file_time_type::clock::now() - age);
  }
  // What Ensure() does, with a snapshot that costs nothing. 0 if every snapshot that was taken up
  // stayed whole, else what went wrong.
  int UseSharedCache(int seed, int rounds) {
    const std::string keys[] = {"a", "b", "c"};
    for (int round = 0; round < rounds; ++round) {
      const std::string& key = keys[(seed + round) % 3];
      {
        const auto lock = SnapshotLock::Shared(path(), key);
        if (!lock) return 2;
        const auto loaded = LoadSnapshot(path(), key);
        if (loaded) {
          TouchSnapshot(path(), key);
          std::this_thread::sleep_for(std::chrono::microseconds(500));
          if (!LoadSnapshot(path(), key)) return 3;
          continue;
        }
      }
      const auto lock = SnapshotLock::Exclusive(path(), key);
      if (!lock) return 4;
      if (LoadSnapshot(path(), key)) continue;
      if (Has(key)) return 5;  // damaged
      Add(key + ".making", std::size_t{64} << 10, hours(0));
      fs::remove(path() / (key + ".making.lock"));
      fs::rename(path() / (key + ".making"), path() / key);
      EvictSnapshots(path(), key, std::size_t{64} << 10);
    }
    return 0;
  }
  [[nodiscard]] const fs::path& path() const { return scratch_.path(); }
  [[nodiscard]] bool Has(const std::string& key) const { return fs::exists(path() / key); }

 private:
  kassay::testing::ScratchFolder scratch_;
};

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST_F(SnapshotFolderTest, TimesInWholeSecondsAreNoChange) {
  Add("a", 4096, hours(1));
  ASSERT_TRUE(LoadSnapshot(path(), "a"));
  const fs::path memory = path() / "a" / "memory";
  struct stat status {};
  ASSERT_EQ(::stat(memory.c_str(), &status), 0);
  const auto set_time = [&](time_t seconds, long nanoseconds) {
    const timespec times[] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    ASSERT_EQ(::utimensat(AT_FDCWD, memory.c_str(), times, 0), 0);
  };
  set_time(status.st_mtim.tv_sec, 0);
  EXPECT_TRUE(LoadSnapshot(path(), "a")) << "as an archive of the cache brings it back";
  set_time(status.st_mtim.tv_sec + 1, 0);
  EXPECT_FALSE(LoadSnapshot(path(), "a"));
  set_time(status.st_mtim.tv_sec, (status.st_mtim.tv_nsec + 1) % 1'000'000'000);
  EXPECT_FALSE(LoadSnapshot(path(), "a"));
}

TEST_F(SnapshotFolderTest, WholeSnapshotIsLoaded) {
  Add("a", kMiB, hours(0));
  const auto loaded = LoadSnapshot(path(), "a");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->manifest.memory_bytes, kMiB);
}

// Whoever tidies up the cache by hand asks for no lock.
TEST_F(SnapshotFolderTest, LoadedSnapshotStaysWholeWhenItsFolderIsRemoved) {
  Add("a", kMiB, hours(0));
  const auto loaded = LoadSnapshot(path(), "a");
  ASSERT_TRUE(loaded) << loaded.error().message;
  fs::remove_all(path() / "a");
  EXPECT_TRUE(CheckSnapshot(*loaded));
  std::string state(64, 0);
  const UniqueFd again(
      ::open(("/proc/self/fd/" + std::to_string(loaded->state.Get())).c_str(), O_RDONLY));
  state.resize(static_cast<std::size_t>(::read(again.Get(), state.data(), state.size())));
  EXPECT_EQ(state, "state of a");
}

TEST_F(SnapshotFolderTest, LoadedSnapshotThatIsWrittenToIsNoticed) {
  Add("a", kMiB, hours(0));
  const auto loaded = LoadSnapshot(path(), "a");
  ASSERT_TRUE(loaded) << loaded.error().message;
  {
    const UniqueFd memory(::open((path() / "a" / "memory").c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(memory.Get(), "x", 1, 0), 1);
  }
  const Status changed = CheckSnapshot(*loaded);
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().message, HasSubstr("memory was changed"));
}

// Several processes use, make and evict snapshots of one folder that has room for one of them.
// Nobody may find a snapshot damaged while holding its lock.
TEST_F(SnapshotFolderTest, SeveralProcessesShareACacheThatIsTooSmall) {
  constexpr int kProcesses = 4;
  constexpr int kRounds = 150;
  std::vector<pid_t> children;
  for (int child = 0; child < kProcesses; ++child) {
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) ::_exit(UseSharedCache(child, kRounds));
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
  }
}

TEST_F(SnapshotFolderTest, EveryDamageIsNoticed) {
  const auto wrong = [this] {
    const auto loaded = LoadSnapshot(path(), "a");
    return loaded ? std::string() : loaded.error().message;
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
  EXPECT_EQ(lock.error().kind, ErrorKind::kInterrupted);
}

}  // namespace
}  // namespace kassay
