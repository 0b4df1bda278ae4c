// FS_IOC_READ_VERITY_METADATA: the bytes against an independent computation, and what it refuses.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <limits>

#include "harness/base/text/hex.h"
#include "suites/fs_verity/on_medium.h"

namespace kassay::verity {
namespace {

using MetadataOf = OnExt4;
class EachMetadata : public OnEach {
 protected:
  void SetUp() override {
    OnEach::SetUp();
    const std::string path = Verity("asked", "content");
    if (ReadMetadata(OpenToRead(path).Get(), 2).result == -ENOTTY)
      KASSAY_ABSENT("FS_IOC_READ_VERITY_METADATA on " + std::string(TypeOf(GetParam())) +
                    ": ENOTTY");
  }
};
ON_EACH_FILE_SYSTEM(EachMetadata);

constexpr std::uint64_t kTree = FS_VERITY_METADATA_TYPE_MERKLE_TREE;
constexpr std::uint64_t kDescriptor = FS_VERITY_METADATA_TYPE_DESCRIPTOR;
constexpr std::uint64_t kSignature = FS_VERITY_METADATA_TYPE_SIGNATURE;

void ExpectMetadata(const std::string& path, const MerkleTree& expected) {
  const UniqueFd fd = OpenToRead(path);
  const Metadata tree = ReadMetadata(fd.Get(), kTree);
  EXPECT_EQ(tree.result, static_cast<long>(expected.tree.size())) << path;
  EXPECT_TRUE(tree.bytes == expected.tree) << path << ": another tree";
  const Metadata descriptor = ReadMetadata(fd.Get(), kDescriptor);
  EXPECT_EQ(descriptor.result, static_cast<long>(kDescriptorSize)) << path;
  EXPECT_EQ(ToHex(descriptor.bytes), ToHex(expected.descriptor)) << path;
  EXPECT_THAT(ReadMetadata(fd.Get(), kSignature).result, IsErrno(ENODATA)) << path;
}

KASSAY_CASE_P(EachMetadata, TreeAndDescriptorAreAsDefined, Cites("FSV-031").Timeout(120)) {
  struct {
    std::size_t size;
    Setting setting;
  } const kFiles[] = {
      {0, {}},
      {1, {}},
      {4096, {}},
      {4097, {}},
      {kUsualSize, {}},
      {129 * 4096, {}},
      {kUsualSize, {kSha512Algorithm, 4096, Content(32, 3), ""}},
      {300 * 1024, {kSha256Algorithm, 1024, "salt", ""}},
  };
  int number = 0;
  for (const auto& file : kFiles) {
    const std::string content = Content(file.size);
    const std::string path = Verity(std::to_string(number++), content, file.setting);
    const MerkleTree expected(content, file.setting);
    ExpectMetadata(path, expected);
    DropCaches();
    ExpectMetadata(path, expected);
  }
  ASSERT_OK(medium().Remount());
  ExpectMetadata(Path("5"), MerkleTree(Content(kFiles[5].size), {}));
}

KASSAY_CASE_P(EachMetadata, WindowsAreCutAtTheEnd, Cites("FSV-033")) {
  const std::string content = Content(200 * 4096);
  const std::string path = Verity("file", content);
  const MerkleTree expected(content, {});
  ASSERT_EQ(expected.tree.size(), 3 * 4096U);
  struct {
    std::uint64_t offset;
    std::uint64_t length;
  } const kWindows[] = {
      {0, 1},       {0, 4096},  {1, 4096},    {4095, 2},    {4096, 4096},
      {100, 10000}, {12287, 1}, {12287, 100}, {12288, 100}, {1 << 30, 1},
      {0, 0},       {250, 10},  {255, 1},     {256, 1},     {0, 1000},
  };
  const UniqueFd fd = OpenToRead(path);
  for (const auto& window : kWindows) {
    for (const auto& [type, whole] :
         {std::pair{kTree, expected.tree}, std::pair{kDescriptor, expected.descriptor}}) {
      const std::string part =
          window.offset >= whole.size() ? "" : whole.substr(window.offset, window.length);
      const Metadata seen = ReadMetadata(fd.Get(), type, window.offset, window.length);
      EXPECT_EQ(seen.result, static_cast<long>(part.size()))
          << type << " at " << window.offset << " for " << window.length;
      EXPECT_TRUE(seen.bytes == part) << type << " at " << window.offset;
    }
  }
}

class MetadataErrors : public OnExt4 {
 protected:
  void SetUp() override {
    OnExt4::SetUp();
    path_ = Verity("file", Content(kUsualSize));
    argument_.metadata_type = kDescriptor;
    argument_.length = buffer_.size();
    argument_.buf_ptr = reinterpret_cast<std::uint64_t>(buffer_.data());
  }
  [[nodiscard]] long Ask(const fsverity_read_metadata_arg* argument) const {
    const long result = ioctl(OpenToRead(path_).Get(), FS_IOC_READ_VERITY_METADATA, argument);
    return result < 0 ? -errno : result;
  }

  std::string path_;
  std::string buffer_ = std::string(8192, '\x5a');
  fsverity_read_metadata_arg argument_{};
};

KASSAY_CASE_F(MetadataErrors, OtherTypesAreRefused, Cites("FSV-031")) {
  for (const std::uint64_t type :
       {std::uint64_t{0}, std::uint64_t{4}, (std::uint64_t{1} << 32) + 1, ~std::uint64_t{0}}) {
    argument_.metadata_type = type;
    EXPECT_THAT(Ask(&argument_), IsErrno(EINVAL)) << type;
  }
  EXPECT_EQ(buffer_, std::string(8192, '\x5a')) << "something was written";
}

KASSAY_CASE_F(MetadataErrors, TheReservedFieldMustBeZero, Cites("FSV-032")) {
  for (const std::uint64_t value : {std::uint64_t{1}, std::uint64_t{1} << 63}) {
    argument_.__reserved = value;
    EXPECT_THAT(Ask(&argument_), IsErrno(EINVAL)) << value;
  }
  argument_.__reserved = 0;
  EXPECT_EQ(Ask(&argument_), 256);
}

KASSAY_CASE_F(MetadataErrors, ARangeThatWrapsIsRefused, Cites("FSV-032")) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t type : {kTree, kDescriptor}) {
    argument_.metadata_type = type;
    argument_.offset = kMost;
    argument_.length = 1;
    EXPECT_THAT(Ask(&argument_), IsErrno(EINVAL));
    argument_.offset = 1;
    argument_.length = kMost;
    EXPECT_THAT(Ask(&argument_), IsErrno(EINVAL));
    // One less is only far behind the end.
    argument_.offset = kMost - 1;
    argument_.length = 1;
    EXPECT_EQ(Ask(&argument_), 0);
  }
  EXPECT_EQ(buffer_, std::string(8192, '\x5a'));
}

// More than an int counts is cut to what one counts, not to what it would wrap to.
KASSAY_CASE_F(MetadataErrors, ALengthMayBeHuge, Cites("FSV-033")) {
  for (const std::uint64_t length :
       {std::uint64_t{0x7fffffff}, std::uint64_t{0x80000000}, std::uint64_t{1} << 32,
        (std::uint64_t{1} << 32) + 5, std::uint64_t{1} << 63}) {
    argument_.length = length;
    EXPECT_EQ(Ask(&argument_), 256) << length;
    argument_.metadata_type = kTree;
    EXPECT_EQ(Ask(&argument_), 4096) << length;
    argument_.metadata_type = kDescriptor;
  }
}

KASSAY_CASE_F(MetadataErrors, BadPointersAreRefused, Cites("FSV-032")) {
  EXPECT_THAT(Ask(nullptr), IsErrno(EFAULT));
  for (const std::uint64_t type : {kTree, kDescriptor}) {
    argument_.metadata_type = type;
    argument_.buf_ptr = 0;
    EXPECT_THAT(Ask(&argument_), IsErrno(EFAULT)) << type;
    argument_.buf_ptr = ~std::uint64_t{4095};
    EXPECT_THAT(Ask(&argument_), IsErrno(EFAULT)) << type;
  }
}

// A tree that only fits in part is given in part.
KASSAY_CASE_F(MetadataErrors, ABufferThatEndsEarly, Cites("FSV-032")) {
  path_ = Verity("large", Content(200 * 4096));
  char* const pages = static_cast<char*>(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(munmap(pages + 4096, 4096), 0);
  argument_.metadata_type = kTree;
  argument_.length = 8192;
  argument_.buf_ptr = reinterpret_cast<std::uint64_t>(pages);
  EXPECT_EQ(Ask(&argument_), 4096);
  EXPECT_TRUE(std::string_view(pages, 4096) ==
              std::string_view(MerkleTree(Content(200 * 4096), {}).tree).substr(0, 4096));
  munmap(pages, 4096);
}

KASSAY_CASE_F(MetadataErrors, APlainFileHasNone, Cites("FSV-032")) {
  path_ = Plain("plain", Content(kUsualSize));
  for (const std::uint64_t type : {std::uint64_t{0}, kTree, kDescriptor, kSignature}) {
    argument_.metadata_type = type;
    EXPECT_THAT(Ask(&argument_), IsErrno(ENODATA)) << type;
  }
  const UniqueFd path_only(open(path_.c_str(), O_PATH | O_CLOEXEC));
  EXPECT_THAT(ReadMetadata(path_only.Get(), kTree).result, IsErrno(EBADF));
}

}  // namespace
}  // namespace kassay::verity
