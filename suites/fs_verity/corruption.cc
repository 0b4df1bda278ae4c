// Bytes that change on the medium below the file system: what was damaged does not read, what was
// not still does.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "harness/base/text/hex.h"
#include "suites/fs_verity/on_medium.h"
#include "suites/support/child.h"

namespace kassay::verity {
namespace {

constexpr std::size_t kBlock = 4096;

// Reads block by block: otherwise read-ahead may make one page of many blocks (a large folio),
// which is verified as a whole, so that neighbours share what happens to a block.
UniqueFd OpenByBlock(const std::string& path) {
  UniqueFd fd = OpenToRead(path);
  posix_fadvise(fd.Get(), 0, 0, POSIX_FADV_RANDOM);
  return fd;
}

// btrfs has checksums of its own, which would be the first to notice: they are switched off.
class EachDamage : public OnEach {
 protected:
  void SetUp() override {
    const char* options = GetParam() == Kind::kBtrfs ? "nodatasum" : "";
    MountMedium(GetParam(), options);
    path_ = Verity("file", content_);
  }
  [[nodiscard]] std::string_view BlockOf(std::size_t number) const {
    return std::string_view(content_).substr(number * kBlock, kBlock);
  }
  void DamageBlock(std::size_t number, std::size_t index = 100) {
    ASSERT_OK(medium().Damage(BlockOf(number), index));
  }
  void ExpectReadable(int fd, std::size_t number) const {
    EXPECT_TRUE(ReadAt(fd, kBlock, number * kBlock).bytes == BlockOf(number)) << "block " << number;
  }
  static void ExpectUnreadable(int fd, std::size_t number) {
    const Metadata seen = ReadAt(fd, kBlock, number * kBlock);
    EXPECT_THAT(seen.result, IsErrno(EIO)) << "block " << number;
  }

  std::string content_ = Content(kUsualSize);
  std::string path_;
};
ON_EACH_FILE_SYSTEM(EachDamage);

// Without damage, so that what follows is the damage's doing.
KASSAY_CASE_P(EachDamage, WithoutItEverythingReads, Cites("FSV-035")) {
  DropCaches();
  ExpectVerity(path_, content_);
}

KASSAY_CASE_P(EachDamage, OneBlockDoesNotReadAndOthersDo, Cites("FSV-035", "FSV-037")) {
  DamageBlock(4);
  const UniqueFd fd = OpenByBlock(path_);
  ASSERT_TRUE(fd.IsOpen()) << ErrnoName(errno);
  EXPECT_EQ(ToHex(Measure(fd.Get()).digest), ToHex(MerkleTree(content_, {}).file_digest));
  for (std::size_t number = 0; number < 10; ++number) {
    if (number == 4) {
      ExpectUnreadable(fd.Get(), number);
    } else {
      ExpectReadable(fd.Get(), number);
    }
  }
  // It stays so, and a single byte of the block is no exception.
  ExpectUnreadable(fd.Get(), 4);
  EXPECT_THAT(ReadAt(fd.Get(), 1, 4 * kBlock).result, IsErrno(EIO));
  EXPECT_THAT(ReadAt(fd.Get(), 1, 5 * kBlock - 1).result, IsErrno(EIO));
  EXPECT_EQ(ReadAt(fd.Get(), 1, 5 * kBlock).bytes, content_.substr(5 * kBlock, 1));
}

// Read in units larger than a block, a neighbour may be unreadable too, but nothing is ever wrong.
KASSAY_CASE_P(EachDamage, WithReadAheadWhatReadsIsRight, Cites("FSV-035")) {
  DamageBlock(4);
  const UniqueFd fd = OpenToRead(path_);
  for (std::size_t number = 0; number < 10; ++number) {
    const Metadata seen = ReadAt(fd.Get(), kBlock, number * kBlock);
    const bool right = seen.bytes == BlockOf(number);
    EXPECT_TRUE(seen.result == -EIO || right) << "block " << number << ": other bytes";
    if (number == 4) {
      EXPECT_THAT(seen.result, IsErrno(EIO));
    }
  }
}

KASSAY_CASE_P(EachDamage, AReadAcrossItIsShort, Cites("FSV-035")) {
  DamageBlock(4);
  const UniqueFd fd = OpenByBlock(path_);
  const Metadata seen = ReadAt(fd.Get(), content_.size(), 0);
  EXPECT_EQ(seen.result, static_cast<long>(4 * kBlock));
  EXPECT_TRUE(seen.bytes == content_.substr(0, 4 * kBlock));
  EXPECT_THAT(ReadAt(fd.Get(), content_.size(), 4 * kBlock).result, IsErrno(EIO));
}

KASSAY_CASE_P(EachDamage, DirectReadsAreVerifiedToo, Cites("FSV-035")) {
  DamageBlock(4);
  const UniqueFd fd(open(path_.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  ASSERT_TRUE(fd.IsOpen()) << ErrnoName(errno);
  const std::unique_ptr<char, void (*)(void*)> buffer(
      static_cast<char*>(std::aligned_alloc(kBlock, kBlock)), &std::free);
  EXPECT_THAT(pread(fd.Get(), buffer.get(), kBlock, 4 * kBlock), SyscallFailsWithErrno(EIO));
  ASSERT_EQ(pread(fd.Get(), buffer.get(), kBlock, 3 * kBlock), static_cast<ssize_t>(kBlock));
  EXPECT_TRUE(std::string_view(buffer.get(), kBlock) == BlockOf(3));
}

KASSAY_CASE_P(EachDamage, EveryByteOfTheBlockCounts, Cites("FSV-035").Timeout(120)) {
  for (const std::size_t index : {std::size_t{0}, kBlock - 1}) {
    DamageBlock(2, index);
    const UniqueFd fd = OpenByBlock(path_);
    ExpectUnreadable(fd.Get(), 2);
    ExpectReadable(fd.Get(), 1);
    ExpectReadable(fd.Get(), 3);
    // And back again: the same medium reads.
    std::string damaged(BlockOf(2));
    damaged[index] = static_cast<char>(damaged[index] ^ 0x20);
    ASSERT_OK(medium().Damage(damaged, index));
    ExpectReadable(OpenByBlock(path_).Get(), 2);
  }
}

// The child's answer is the byte; touching a damaged page ends it.
ChildResult<int> Touch(const std::string& path, std::size_t at) {
  return InChild([&] {
    const UniqueFd fd = OpenByBlock(path);
    const void* pages = mmap(nullptr, 10 * kBlock, PROT_READ, MAP_SHARED, fd.Get(), 0);
    if (pages == MAP_FAILED) return -errno;
    return static_cast<int>(static_cast<const volatile unsigned char*>(pages)[at]);
  });
}

KASSAY_CASE_P(EachDamage, AMappedPageIsSigbus, Cites("FSV-036")) {
  DamageBlock(4);
  for (const std::size_t at : {4 * kBlock, 5 * kBlock - 1}) {
    const ChildResult<int> seen = Touch(path_, at);
    EXPECT_FALSE(seen.value.has_value()) << "read " << *seen.value;
    EXPECT_TRUE(WIFSIGNALED(seen.wait_status) && WTERMSIG(seen.wait_status) == SIGBUS)
        << seen.Describe();
  }
  for (const std::size_t at : {4 * kBlock - 1, 5 * kBlock})
    EXPECT_THAT(Touch(path_, at),
                Returned(static_cast<int>(static_cast<unsigned char>(content_[at]))));
}

KASSAY_CASE_P(EachDamage, ItIsNotSentOnEither, Cites("FSV-035")) {
  DamageBlock(4);
  const UniqueFd from = OpenByBlock(path_);
  MakeFile("/tmp/copy", "");
  const UniqueFd to(open("/tmp/copy", O_RDWR | O_CLOEXEC));
  off_t offset = 4 * kBlock;
  EXPECT_THAT(sendfile(to.Get(), from.Get(), &offset, kBlock), SyscallFailsWithErrno(EIO));
  off64_t place = 4 * kBlock;
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd out(ends[0]);
  const UniqueFd in(ends[1]);
  EXPECT_THAT(splice(from.Get(), &place, in.Get(), nullptr, kBlock, 0), SyscallFailsWithErrno(EIO));
  EXPECT_EQ(ReadWhole("/tmp/copy").bytes, "");
  place = 3 * kBlock;
  EXPECT_EQ(splice(from.Get(), &place, in.Get(), nullptr, kBlock, 0), static_cast<ssize_t>(kBlock));
}

KASSAY_CASE_P(EachDamage, NothingIsSmuggledInBehindTheEnd, Cites("FSV-035", "FSV-050")) {
  // 40000 bytes end within the tenth block; the medium holds zeros behind them.
  std::string last(BlockOf(9));
  ASSERT_LT(last.size(), kBlock);
  const std::size_t end = last.size();
  last.resize(kBlock, '\0');
  ASSERT_OK(medium().Damage(last, end));
  const UniqueFd fd = OpenByBlock(path_);
  const ChildResult<int> seen = Touch(path_, 9 * kBlock + end);
  if (GetParam() == Kind::kBtrfs) {
    // Clears what is behind the end before it looks (fs/btrfs/extent_io.c:btrfs_do_readpage).
    ExpectReadable(fd.Get(), 9);
    EXPECT_THAT(seen, Returned(0));
  } else {
    ExpectUnreadable(fd.Get(), 9);
    EXPECT_FALSE(seen.value.has_value()) << "a byte behind the end is mapped: " << *seen.value;
  }
  ExpectReadable(fd.Get(), 8);
}

// 200 blocks: a root over two leaves, of 128 and of 72 hashes.
class TreeDamage : public OnExt4 {
 protected:
  void SetUp() override {
    OnExt4::SetUp();
    path_ = Verity("file", content_);
  }
  [[nodiscard]] std::string_view TreeBlock(std::size_t number) const {
    return std::string_view(tree_.tree).substr(number * kBlock, kBlock);
  }
  void ExpectBlock(int fd, std::size_t number, bool readable) const {
    const Metadata seen = ReadAt(fd, kBlock, number * kBlock);
    if (!readable) {
      EXPECT_THAT(seen.result, IsErrno(EIO)) << "block " << number;
    } else {
      EXPECT_TRUE(seen.bytes == std::string_view(content_).substr(number * kBlock, kBlock))
          << "block " << number;
    }
  }

  std::string content_ = Content(200 * kBlock);
  MerkleTree tree_{content_, {}};
  std::string path_;
};

KASSAY_CASE_F(TreeDamage, ALeafTakesItsChildrenAlong, Cites("FSV-035", "FSV-037").Timeout(120)) {
  ASSERT_EQ(tree_.levels, 2);
  // Tree block 1 is the first leaf. The hash of data block 5 is changed, and the block with it.
  ASSERT_OK(medium().Damage(TreeBlock(1), 5 * 32));
  const UniqueFd fd = OpenByBlock(path_);
  ASSERT_TRUE(fd.IsOpen());
  for (const std::size_t number : {0U, 5U, 6U, 127U}) ExpectBlock(fd.Get(), number, false);
  for (const std::size_t number : {128U, 150U, 199U}) ExpectBlock(fd.Get(), number, true);
  EXPECT_EQ(ToHex(Measure(fd.Get()).digest), ToHex(tree_.file_digest));
}

KASSAY_CASE_F(TreeDamage, TheRootTakesAll, Cites("FSV-035").Timeout(120)) {
  ASSERT_OK(medium().Damage(TreeBlock(0), 40));
  const UniqueFd fd = OpenByBlock(path_);
  for (const std::size_t number : {0U, 127U, 128U, 199U}) ExpectBlock(fd.Get(), number, false);
  EXPECT_EQ(ToHex(Measure(fd.Get()).digest), ToHex(tree_.file_digest));
}

// Zeros behind the hashes of a level are part of what is hashed.
KASSAY_CASE_F(TreeDamage, TheTreesPaddingCountsToo, Cites("FSV-035").Timeout(120)) {
  ASSERT_OK(medium().Damage(TreeBlock(2), 4095));
  const UniqueFd fd = OpenByBlock(path_);
  for (const std::size_t number : {128U, 199U}) ExpectBlock(fd.Get(), number, false);
  for (const std::size_t number : {0U, 127U}) ExpectBlock(fd.Get(), number, true);
}

// Data and its hash changed together are still not what the root says.
KASSAY_CASE_F(TreeDamage, AForgedLeafDoesNotHelp, Cites("FSV-035").Timeout(120)) {
  std::string data = content_.substr(5 * kBlock, kBlock);
  const auto place = medium().Find(data);
  ASSERT_OK(place);
  const auto leaf = medium().Find(TreeBlock(1));
  ASSERT_OK(leaf);
  data[0] = static_cast<char>(data[0] ^ 1);
  ASSERT_OK(medium().Write(*place, data));
  ASSERT_OK(medium().Write(*leaf + 5 * 32, SaltedHash(data, {})));
  ExpectBlock(OpenByBlock(path_).Get(), 5, false);
}

// With tree blocks below the page size each is verified by itself.
KASSAY_CASE_F(TreeDamage, SmallTreeBlocksAreVerifiedOneByOne, Cites("FSV-035").Timeout(120)) {
  const Setting setting{kSha256Algorithm, 1024, "salt", ""};
  const std::string content = Content(200 * 1024, 9);  // 32 hashes a block: seven leaves
  const std::string path = Verity("small", content, setting);
  const MerkleTree tree(content, setting);
  ASSERT_EQ(tree.tree.size(), 8 * 1024U);
  // Leaf 2 has data blocks 64 to 95, which are pages 16 to 23.
  ASSERT_OK(medium().Damage(std::string_view(tree.tree).substr(3 * 1024, 1024), 0));
  const UniqueFd fd = OpenByBlock(path);
  for (const std::size_t page : {16U, 20U, 23U})
    EXPECT_THAT(ReadAt(fd.Get(), kBlock, page * kBlock).result, IsErrno(EIO)) << page;
  for (const std::size_t page : {0U, 15U, 24U, 49U})
    EXPECT_TRUE(ReadAt(fd.Get(), kBlock, page * kBlock).bytes ==
                std::string_view(content).substr(page * kBlock, kBlock))
        << page;
}

// The page of the file's end may hold whole blocks of the tree's size behind it: those are zeros.
KASSAY_CASE_F(TreeDamage, BlocksBehindTheEndAreZeros, Cites("FSV-035", "FSV-050").Timeout(120)) {
  const Setting setting{kSha256Algorithm, 1024, "salt", ""};
  const std::string content = Content(kBlock + 1000, 9);
  const std::string path = Verity("small", content, setting);
  std::string last = content.substr(kBlock);
  last.resize(kBlock, '\0');
  const auto place = medium().Find(last);
  ASSERT_OK(place);
  for (const std::size_t at : {1024U, 3000U, 4095U}) {
    ASSERT_OK(medium().Write(*place + at, "x"));
    const UniqueFd fd = OpenByBlock(path);
    EXPECT_THAT(ReadAt(fd.Get(), kBlock, kBlock).result, IsErrno(EIO)) << at;
    EXPECT_TRUE(ReadAt(fd.Get(), kBlock, 0).bytes == content.substr(0, kBlock)) << at;
    ASSERT_OK(medium().Write(*place, last));
  }
  EXPECT_TRUE(ReadWhole(path).bytes == content);
}

// A hole must be verified like data: it may not stand in for a block that is not zero.
KASSAY_CASE_P(EachDamage, AZeroedBlockIsDamagedToo, Cites("FSV-035")) {
  const auto place = medium().Find(BlockOf(4));
  ASSERT_OK(place);
  ASSERT_OK(medium().Write(*place, std::string(kBlock, '\0')));
  ExpectUnreadable(OpenByBlock(path_).Get(), 4);
}

// Another block of the same file, with a right hash of its own, is wrong in this place.
KASSAY_CASE_P(EachDamage, ABlockFromElsewhereIsDamagedToo, Cites("FSV-035")) {
  const auto place = medium().Find(BlockOf(4));
  ASSERT_OK(place);
  ASSERT_OK(medium().Write(*place, BlockOf(5)));
  const UniqueFd fd = OpenByBlock(path_);
  ExpectUnreadable(fd.Get(), 4);
  ExpectReadable(fd.Get(), 5);
}

}  // namespace
}  // namespace kassay::verity
