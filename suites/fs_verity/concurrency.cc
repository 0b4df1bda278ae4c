// Many at once: enabling, opening and evicting; and enabling that does not come to its end.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "suites/fs_verity/on_medium.h"

namespace kassay::verity {
namespace {

class EachConcurrent : public OnEach {};
ON_EACH_FILE_SYSTEM(EachConcurrent);
using Concurrent = OnExt4;

KASSAY_CASE_P(EachConcurrent, OneOfManySucceeds, Cites("FSV-058").Timeout(120)) {
  for (int round = 0; round < 5; ++round) {
    const std::string content = Content(100 * 4096, static_cast<std::uint64_t>(round) + 1);
    const std::string path = Plain("file" + std::to_string(round), content);
    constexpr int kThreads = 4;
    std::vector<long> seen(kThreads);
    std::atomic<int> ready = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&, i] {
          const UniqueFd fd = OpenToRead(path);
          ++ready;
          while (ready < kThreads) std::this_thread::yield();
          seen[i] =
              Enable(fd.Get(), {i % 2 == 0 ? kSha256Algorithm : kSha512Algorithm, 4096, "", ""});
        });
      }
    }
    int succeeded = 0;
    int winner = 0;
    for (int i = 0; i < kThreads; ++i) {
      if (seen[i] == 0) {
        ++succeeded;
        winner = i;
        continue;
      }
      EXPECT_TRUE(seen[i] == -EEXIST || seen[i] == -EBUSY) << ErrnoName(static_cast<int>(-seen[i]));
    }
    EXPECT_EQ(succeeded, 1);
    // The winner's settings, whole.
    ExpectVerity(path, content,
                 {winner % 2 == 0 ? kSha256Algorithm : kSha512Algorithm, 4096, "", ""});
  }
}

// Since 7.0 all verity inodes share one hash table, from which evicted ones are taken while others
// are looked up.
KASSAY_CASE_F(Concurrent, OpenedAndEvictedTheyKeepTheirDigests, Cites("FSV-057").Timeout(180)) {
  constexpr int kFiles = 24;
  std::vector<std::string> digests;
  for (int i = 0; i < kFiles; ++i) {
    const std::string content = Content(5000, static_cast<std::uint64_t>(i) + 1);
    Verity(std::to_string(i), content);
    digests.push_back(MerkleTree(content, {}).file_digest);
  }
  std::atomic<bool> over = false;
  std::atomic<int> wrong = 0;
  std::atomic<int> measured = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 3; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = thread; !over; i = (i + 7) % kFiles) {
          const Measured seen = Measure(Path(std::to_string(i)));
          wrong += seen.error != 0 || seen.digest != digests[static_cast<std::size_t>(i)] ? 1 : 0;
          ++measured;
        }
      });
    }
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    while (std::chrono::steady_clock::now() < end) DropCaches();
    over = true;
  }
  RecordMeasure("calls of FS_IOC_MEASURE_VERITY", measured);
  EXPECT_EQ(wrong, 0) << "of " << measured;
  for (int i = 0; i < kFiles; ++i)
    ExpectVerity(Path(std::to_string(i)), Content(5000, static_cast<std::uint64_t>(i) + 1));
}

// A child that enables and is killed at it. Whether it was still at it is seen by what is left:
// neither case may leave anything between.
KASSAY_CASE_P(EachConcurrent, KilledItLeavesAPlainFile, Cites("FSV-059").Timeout(120)) {
  const std::string content = Content(std::size_t{6} << 20);
  int interrupted = 0;
  for (int round = 0; round < 12 && interrupted == 0; ++round) {
    const std::string path = Plain("file", content);
    const pid_t child = fork();
    if (child == 0) _exit(Enable(path, {kSha512Algorithm, 1024, "", ""}) == 0 ? 0 : 1);
    ASSERT_GT(child, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(60 / (round + 1)));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    if (DoorsOf(path, false) == kAllShut) {
      ExpectPlain(path, content);
      EXPECT_EQ(Enable(path), 0) << "what was left behind is in the way";
      ++interrupted;
    }
    ExpectVerity(path, content,
                 interrupted > 0 ? Setting{} : Setting{kSha512Algorithm, 1024, "", ""});
    ASSERT_EQ(unlink(path.c_str()), 0);
  }
  if (interrupted == 0) KASSAY_UNMET("enabling was always over before it was killed");
}

// No room for the tree. (btrfs keeps it with its metadata, for which it sets room aside.)
KASSAY_CASE_F(Concurrent, WithoutSpaceItLeavesAPlainFile, Cites("FSV-048").Timeout(120)) {
  const std::string content = Content(2000 * 4096);
  const std::string path = Plain("file", content);
  const std::string filler = Path("filler");
  {
    const UniqueFd fd(open(filler.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    const std::string bytes = Content(std::size_t{1} << 20, 3);
    for (std::size_t size = bytes.size(); size >= 4096;) {
      if (write(fd.Get(), bytes.data(), size) != static_cast<ssize_t>(size)) size /= 2;
    }
    fsync(fd.Get());
  }
  const Setting setting{kSha512Algorithm, 1024, "", ""};  // a tree of 500 KiB
  EXPECT_THAT(Enable(path, setting), IsErrno(ENOSPC));
  EXPECT_THAT(Measure(path).error, IsErrno(ENODATA));
  EXPECT_EQ(DoorsOf(path, false), kAllShut);
  EXPECT_EQ(TryOpen(path, O_RDWR), 0);
  ASSERT_EQ(unlink(filler.c_str()), 0);
  ::sync();
  ExpectPlain(path, content);
  EXPECT_EQ(Enable(path, setting), 0);
  ExpectVerity(path, content, setting);
}

}  // namespace
}  // namespace kassay::verity
