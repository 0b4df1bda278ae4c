// A descriptor that was changed on the medium (ext4 keeps it behind the tree, in a block of its
// own, whose last four bytes are its size: fs/ext4/verity.c:ext4_write_verity_descriptor).
#include <fcntl.h>

#include <algorithm>

#include "harness/base/text/hex.h"
#include "suites/fs_verity/on_medium.h"

namespace kassay::verity {
namespace {

constexpr std::size_t kBlock = 4096;
// Places in struct fsverity_descriptor.
enum Field : std::size_t {
  kVersion = 0,
  kAlgorithm = 1,
  kLogBlock = 2,
  kSaltSize = 3,
  kSignatureSize = 4,
  kDataSize = 8,
  kRootHash = 16,
  kSalt = 80,
  kReserved = 112,
};

class Descriptor : public OnExt4 {
 protected:
  void SetUp() override {
    OnExt4::SetUp();
    // More than four tree blocks, so that a size beyond the limit still lies behind the file's end.
    content_ = Content(600 * kBlock);
    path_ = Verity("file", content_, setting_);
    block_ = MerkleTree(content_, setting_).descriptor;
    block_.resize(kBlock - 4, '\0');
    block_ += std::string("\x00\x01\x00\x00", 4);  // 256
    const auto place = medium().Find(block_);
    ASSERT_OK(place);
    place_ = *place;
  }
  // Writes `bytes` into the block at `at`, for the next open.
  void Change(std::size_t at, std::string_view bytes) {
    std::string changed = block_;
    changed.replace(at, bytes.size(), bytes);
    ASSERT_OK(medium().WriteUnmounted(place_, changed));
  }
  void ExpectRefused(const std::string& what, std::size_t at, std::string_view bytes,
                     std::initializer_list<int> errors) {
    Change(at, bytes);
    const long seen = TryOpen(path_, O_RDONLY);
    RecordEvidence("opening, with " + what, ErrnoName(static_cast<int>(-seen)));
    EXPECT_TRUE(std::find(errors.begin(), errors.end(), static_cast<int>(-seen)) != errors.end())
        << what << ": " << ErrnoName(static_cast<int>(-seen));
    // It has not become a plain file by that.
    EXPECT_NE(TryOpen(path_, O_RDWR), 0) << what;
    EXPECT_NE(Statx(path_).attributes & kStatxVerity, 0U) << what;
  }
  // With the right bytes back, everything is as it was.
  void ExpectMended() {
    ASSERT_OK(medium().WriteUnmounted(place_, block_));
    ExpectVerity(path_, content_, setting_);
  }

  Setting setting_{kSha256Algorithm, 4096, "salt", ""};
  std::string content_;
  std::string path_;
  std::string block_;
  std::uint64_t place_ = 0;
};

std::string Number(std::uint32_t number) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(number >> (8 * i));
  return bytes;
}

KASSAY_CASE_F(Descriptor, ItsFieldsAreChecked, Cites("FSV-049").Timeout(180)) {
  ExpectRefused("version 0", kVersion, std::string(1, '\0'), {EINVAL});
  ExpectRefused("version 2", kVersion, "\x02", {EINVAL});
  ExpectRefused("algorithm 0", kAlgorithm, std::string(1, '\0'), {EINVAL});
  ExpectRefused("algorithm 3", kAlgorithm, "\x03", {EINVAL});
  ExpectRefused("blocks of 512", kLogBlock, "\x09", {EINVAL});
  ExpectRefused("blocks of 8192", kLogBlock, "\x0d", {EINVAL});
  ExpectRefused("blocks of 2^255", kLogBlock, "\xff", {EINVAL});
  ExpectRefused("salt of 33", kSaltSize, "\x21", {EINVAL});
  ExpectRefused("salt of 255", kSaltSize, "\xff", {EINVAL});
  ExpectRefused("reserved, first", kReserved, "\x01", {EINVAL});
  ExpectRefused("reserved, last", kDescriptorSize - 1, "\x80", {EINVAL});
  ExpectMended();
}

KASSAY_CASE_F(Descriptor, SizesInItAreChecked, Cites("FSV-049").Timeout(180)) {
  const auto size = static_cast<std::uint32_t>(content_.size());
  ExpectRefused("a file one byte larger", kDataSize, Number(size + 1), {EINVAL});
  ExpectRefused("a file one byte smaller", kDataSize, Number(size - 1), {EINVAL});
  ExpectRefused("an empty file", kDataSize, Number(0), {EINVAL});
  ExpectRefused("a file of 2^32 bytes more", kDataSize + 4, "\x01", {EINVAL});
  ExpectRefused("a signature of one byte", kSignatureSize, Number(1), {EINVAL});
  ExpectRefused("a signature of 2^32 - 1", kSignatureSize, Number(0xffffffffU), {EINVAL});
  ExpectMended();
}

// EMSGSIZE and EINVAL have changed places in 7.3.4; that it is refused is what counts.
KASSAY_CASE_F(Descriptor, ItsOwnSizeIsChecked, Cites("FSV-049").Timeout(180)) {
  constexpr std::size_t kSize = kBlock - 4;
  ExpectRefused("a descriptor of 0", kSize, Number(0), {EINVAL, EMSGSIZE, EUCLEAN});
  ExpectRefused("a descriptor of 1", kSize, Number(1), {EINVAL, EMSGSIZE});
  ExpectRefused("a descriptor of 255", kSize, Number(255), {EINVAL, EMSGSIZE});
  ExpectRefused("a descriptor of 16385", kSize, Number(16385), {EMSGSIZE});
  ExpectRefused("a descriptor of 2^31 - 1", kSize, Number(0x7fffffffU), {EUCLEAN});
  ExpectRefused("a descriptor of 2^32 - 1", kSize, Number(0xffffffffU), {EUCLEAN});
  ExpectMended();
}

// What only changes the hashes is not wrong in itself: the digest tells.
KASSAY_CASE_F(Descriptor, OtherHashesAreAnotherFile, Cites("FSV-049").Timeout(180)) {
  const std::string digest = ToHex(Measure(path_).digest);
  for (const std::size_t at : {kRootHash + 0UL, kRootHash + 16UL, kRootHash + 31UL, kSalt + 0UL}) {
    Change(at, "\x01");
    EXPECT_EQ(TryOpen(path_, O_RDONLY), 0) << at;
    EXPECT_NE(ToHex(Measure(path_).digest), digest) << at;
    const Metadata seen = ReadWhole(path_);
    EXPECT_THAT(seen.result, IsErrno(EIO)) << at;
    EXPECT_EQ(seen.bytes, "") << at;
  }
  ExpectMended();
}

// Without a tree the root hash is the hash of the one block: every byte of it counts.
KASSAY_CASE_F(Descriptor, AFileOfOneBlockHasTheRootHashAlone, Cites("FSV-035").Timeout(180)) {
  const std::string content = Content(1000);
  const std::string path = Verity("small", content, setting_);
  std::string block = MerkleTree(content, setting_).descriptor;
  block.resize(kBlock - 4, '\0');
  block += std::string("\x00\x01\x00\x00", 4);
  const auto place = medium().Find(block);
  ASSERT_OK(place);
  for (const std::size_t at : {0, 15, 16, 31}) {
    std::string changed = block;
    changed[kRootHash + at] = static_cast<char>(changed[kRootHash + at] ^ 1);
    ASSERT_OK(medium().WriteUnmounted(*place, changed));
    const Metadata seen = ReadWhole(path);
    EXPECT_THAT(seen.result, IsErrno(EIO)) << "byte " << at;
    EXPECT_EQ(seen.bytes, "") << "byte " << at;
  }
  ASSERT_OK(medium().WriteUnmounted(*place, block));
  ExpectVerity(path, content, setting_);
}

// The root hash has room for more than SHA-256; what is in the room counts all the same.
KASSAY_CASE_F(Descriptor, UnusedRoomIsPartOfTheDigest, Cites("FSV-049").Timeout(120)) {
  const std::string digest = ToHex(Measure(path_).digest);
  Change(kRootHash + 32, "\x01");
  EXPECT_NE(ToHex(Measure(path_).digest), digest);
  ExpectMended();
}

}  // namespace
}  // namespace kassay::verity
