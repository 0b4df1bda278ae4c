// Digests against an independent computation (merkle_tree.h): both hash functions, the block sizes,
// salts, and file sizes around each boundary of the tree.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "suites/fs_verity/on_medium.h"

namespace kassay::verity {
namespace {

using Digest = OnExt4;

struct Shape {
  std::uint32_t algorithm;
  std::uint32_t block_size;
  std::size_t salt_size;
};

std::string ShapeName(const ::testing::TestParamInfo<Shape>& info) {
  const Shape& shape = info.param;
  return std::string(shape.algorithm == kSha512Algorithm ? "sha512" : "sha256") + "_" +
         std::to_string(shape.block_size) + "_salt" + std::to_string(shape.salt_size);
}

class DigestOf : public OnMedium, public ::testing::WithParamInterface<Shape> {
 protected:
  void SetUp() override { MountMedium(Kind::kExt4); }
  [[nodiscard]] static Setting Wanted() {
    return {GetParam().algorithm, GetParam().block_size, Content(GetParam().salt_size, 7), ""};
  }
  void ExpectDigest(const std::string& content) {
    const std::string path = Verity(std::to_string(content.size()), content, Wanted());
    ExpectVerity(path, content, Wanted());
    EXPECT_EQ(Measure(path).size, MerkleTree(content, Wanted()).file_digest.size());
  }
};
INSTANTIATE_TEST_SUITE_P(
    , DigestOf,
    ::testing::Values(Shape{kSha256Algorithm, 4096, 0}, Shape{kSha256Algorithm, 4096, 32},
                      Shape{kSha256Algorithm, 2048, 1}, Shape{kSha256Algorithm, 1024, 0},
                      Shape{kSha256Algorithm, 1024, 31}, Shape{kSha512Algorithm, 4096, 0},
                      Shape{kSha512Algorithm, 4096, 32}, Shape{kSha512Algorithm, 1024, 32}),
    ShapeName);

KASSAY_CASE_P(DigestOf, FilesOfFewBlocks, Cites("FSV-028", "FSV-029").Timeout(120)) {
  const std::size_t block = GetParam().block_size;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, block - 1, block, block + 1, 2 * block, std::size_t{40000}})
    ExpectDigest(Content(size));
}

// Around the sizes at which a level of the tree is full.
KASSAY_CASE_P(DigestOf, FilesThatFillALevel, Cites("FSV-028", "FSV-029").Timeout(180)) {
  const std::size_t block = GetParam().block_size;
  const std::size_t hashes =
      block / (GetParam().algorithm == kSha512Algorithm ? std::size_t{64} : std::size_t{32});
  const std::size_t full = hashes * block;
  for (const std::size_t size : {full - 1, full, full + 1, 2 * full + block})
    ExpectDigest(Content(size));
}

// Small blocks reach three levels and more with little data.
KASSAY_CASE_F(Digest, ATreeOfManyLevels, Cites("FSV-028", "FSV-029").Timeout(120)) {
  const Setting setting{kSha512Algorithm, 1024, "", ""};
  const std::string content = Content(16 * 16 * 1024 + 5000);  // 16 hashes in each block
  ASSERT_EQ(MerkleTree(content, setting).levels, 3);
  ExpectVerity(Verity("file", content, setting), content, setting);
}

// Whatever is in the descriptor is in the digest.
KASSAY_CASE_F(Digest, ItsParametersAndSizeCount, Cites("FSV-029")) {
  const std::string content = Content(5000);
  const std::string usual = Measure(Verity("usual", content)).digest;
  const auto differs = [&](const std::string& name, const std::string& bytes,
                           const Setting& setting) {
    EXPECT_NE(Measure(Verity(name, bytes, setting)).digest, usual) << name;
  };
  differs("block", content, {kSha256Algorithm, 1024, "", ""});
  differs("salt", content, {kSha256Algorithm, 4096, std::string(1, '\0'), ""});
  differs("size", content + std::string(1, '\0'), {});
  EXPECT_EQ(Measure(Verity("same", content)).digest, usual);
}

KASSAY_CASE_F(Digest, HolesAreZeros, Cites("FSV-028", "FSV-029")) {
  const std::string content = Content(4096) + std::string(200 * 4096, '\0') + Content(100, 2);
  const std::string path = Path("holes");
  {
    const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    ASSERT_EQ(pwrite(fd.Get(), content.data(), 4096, 0), 4096);
    ASSERT_EQ(pwrite(fd.Get(), content.data() + 201 * 4096, 100, 201 * 4096), 100);
  }
  ASSERT_EQ(Enable(path), 0);
  ExpectVerity(path, content);
  DropCaches();
  ExpectVerity(path, content);
}

KASSAY_CASE_F(Digest, AFileOfOnlyAHole, Cites("FSV-028", "FSV-029")) {
  const std::string path = Path("hole");
  MakeFile(path, "");
  ASSERT_EQ(truncate(path.c_str(), 300 * 4096 + 5), 0);
  ASSERT_EQ(Enable(path), 0);
  DropCaches();
  ExpectVerity(path, std::string(300 * 4096 + 5, '\0'));
}

KASSAY_CASE_F(Digest, WhatWasNotYetWrittenBackCounts, Cites("FSV-029")) {
  const std::string content = Content(kUsualSize);
  const std::string path = Path("file");
  {
    const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    ASSERT_EQ(write(fd.Get(), content.data(), content.size()),
              static_cast<ssize_t>(content.size()));
  }
  ASSERT_EQ(Enable(path), 0);
  ExpectVerity(path, content);
  DropCaches();
  ExpectVerity(path, content);
}

class SmallBlocksDigest : public OnMedium {
 protected:
  void SetUp() override { MountMedium(Kind::kExt4Small); }
};

KASSAY_CASE_F(SmallBlocksDigest, AFileSystemWithSmallBlocks,
              Cites("FSV-028", "FSV-029").Timeout(120)) {
  const Setting setting{kSha256Algorithm, 1024, "salt", ""};
  for (const std::size_t size : {std::size_t{0}, std::size_t{1023}, std::size_t{1025},
                                 std::size_t{40000}, std::size_t{33 * 1024}}) {
    const std::string content = Content(size);
    const std::string path = Verity(std::to_string(size), content, setting);
    ExpectVerity(path, content, setting);
    DropCaches();
    ExpectVerity(path, content, setting);
  }
}

KASSAY_CASE_F(Digest, RoomIsChecked, Cites("FSV-030")) {
  const std::string small = Verity("sha256", Content(kUsualSize));
  const std::string large = Verity("sha512", Content(kUsualSize), {kSha512Algorithm, 4096, "", ""});
  const auto error = [](const std::string& path, std::uint16_t room) {
    return Measure(OpenToRead(path).Get(), room).error;
  };
  for (const std::uint16_t room : {0, 1, 31}) {
    EXPECT_THAT(error(small, room), IsErrno(EOVERFLOW)) << room;
    EXPECT_THAT(error(large, room), IsErrno(EOVERFLOW)) << room;
  }
  EXPECT_THAT(error(large, 63), IsErrno(EOVERFLOW));
  for (const std::uint16_t room : {32, 33, 0xffff}) {
    EXPECT_EQ(error(small, room), 0) << room;
    EXPECT_EQ(Measure(OpenToRead(small).Get(), room).size, 32U) << room;
  }
  EXPECT_EQ(error(large, 64), 0);
}

KASSAY_CASE_F(Digest, OnlyTheDigestIsWritten, Cites("FSV-030")) {
  const std::string path = Verity("file", Content(kUsualSize));
  struct {  // fsverity_digest with room
    struct {
      std::uint16_t digest_algorithm;
      std::uint16_t digest_size;
    } head;
    std::array<char, 64> room;
  } buffer{};
  buffer.head.digest_size = 64;
  buffer.head.digest_algorithm = 0xaaaa;  // not an input
  buffer.room.fill('\x5a');
  ASSERT_EQ(ioctl(OpenToRead(path).Get(), FS_IOC_MEASURE_VERITY, &buffer), 0);
  EXPECT_EQ(buffer.head.digest_algorithm, kSha256Algorithm);
  EXPECT_EQ(buffer.head.digest_size, 32);
  for (std::size_t i = 32; i < buffer.room.size(); ++i)
    EXPECT_EQ(buffer.room.at(i), '\x5a') << "byte " << i;
}

KASSAY_CASE_F(Digest, WhatCannotBeMeasured, Cites("FSV-030")) {
  const std::string verity = Verity("verity", "content");
  const std::string plain = Plain("plain", "content");
  EXPECT_THAT(Measure(plain).error, IsErrno(ENODATA));
  EXPECT_THAT(Measure(UniqueFd(open(verity.c_str(), O_PATH)).Get()).error, IsErrno(EBADF));
  EXPECT_THAT(ioctl(OpenToRead(verity).Get(), FS_IOC_MEASURE_VERITY, nullptr),
              SyscallFailsWithErrno(EFAULT));
  // A plain file is told before the pointer is looked at.
  EXPECT_THAT(ioctl(OpenToRead(plain).Get(), FS_IOC_MEASURE_VERITY, nullptr),
              SyscallFailsWithErrno(ENODATA));
  EXPECT_EQ(Measure(verity).error, 0);
}

// Both requests give away hashes of the content, so that reading must be allowed.
KASSAY_CASE_F(Digest, ADescriptorForRequestsOnlyGetsNoHashes, Cites("FSV-034")) {
  const std::string path = Verity("file", Content(kUsualSize));
  const UniqueFd fd(open(path.c_str(), O_ACCMODE | O_CLOEXEC));
  ASSERT_TRUE(fd.IsOpen()) << ErrnoName(errno);
  EXPECT_THAT(Measure(fd.Get()).error, IsErrno(EBADF));
  for (const std::uint64_t type : {1, 2, 3})
    EXPECT_THAT(ReadMetadata(fd.Get(), type).result, IsErrno(EBADF)) << type;
  EXPECT_EQ(Measure(path).error, 0);
}

}  // namespace
}  // namespace kassay::verity
