// How file_getattr(2) and file_setattr(2) agree with their caller on the structure's size.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "suites/fs_verity/on_medium.h"

namespace kassay::verity {
namespace {

using AttrSizes = OnExt4;
constexpr std::size_t kPage = 4096;

// Room for more than any size, and something to see whether it was touched.
struct Buffer {
  std::array<unsigned char, 2 * kPage> bytes{};
  Buffer() { bytes.fill(0xaa); }
  explicit Buffer(const FileAttr& attr) { std::memcpy(bytes.data(), &attr, sizeof attr); }
  [[nodiscard]] FileAttr Attr() const {
    FileAttr attr;
    std::memcpy(&attr, bytes.data(), sizeof attr);
    return attr;
  }
  [[nodiscard]] bool Holds(std::size_t from, std::size_t to, unsigned char value) const {
    for (std::size_t i = from; i < to; ++i) {
      if (bytes.at(i) != value) return false;
    }
    return true;
  }
};

KASSAY_CASE_F(AttrSizes, TooSmallOrTooLargeIsRefusedWhenRead, Cites("FSV-012")) {
  const std::string path = Verity("file", "content");
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, sizeof(FileAttr) - 1}) {
    Buffer buffer;
    EXPECT_THAT(FileGetattr(AT_FDCWD, path.c_str(), &buffer, size, 0), IsErrno(EINVAL)) << size;
    EXPECT_TRUE(buffer.Holds(0, buffer.bytes.size(), 0xaa)) << size;
  }
  Buffer buffer;
  EXPECT_THAT(FileGetattr(AT_FDCWD, path.c_str(), &buffer, kPage + 1, 0), IsErrno(E2BIG));
  EXPECT_TRUE(buffer.Holds(0, buffer.bytes.size(), 0xaa));
}

KASSAY_CASE_F(AttrSizes, ALargerStructureIsFilledWithZeros, Cites("FSV-012")) {
  const std::string path = Verity("file", "content");
  FileAttr expected;
  ASSERT_EQ(FileGetattr(path, &expected), 0);
  for (const std::size_t size : {sizeof(FileAttr), sizeof(FileAttr) + 1, kPage}) {
    Buffer buffer;
    EXPECT_EQ(FileGetattr(AT_FDCWD, path.c_str(), &buffer, size, 0), 0) << size;
    EXPECT_EQ(buffer.Attr().xflags, expected.xflags) << size;
    EXPECT_TRUE(buffer.Holds(sizeof(FileAttr), size, 0)) << size;
    EXPECT_TRUE(buffer.Holds(size, buffer.bytes.size(), 0xaa))
        << size << ": written behind the end";
  }
}

KASSAY_CASE_F(AttrSizes, TooSmallOrTooLargeIsRefusedWhenSet, Cites("FSV-012")) {
  const std::string path = Plain("file", "content");
  FileAttr attr;
  ASSERT_EQ(FileGetattr(path, &attr), 0);
  attr.xflags |= kXflagNodump;
  const Buffer buffer(attr);
  for (const std::size_t size : {std::size_t{0}, sizeof(FileAttr) - 1})
    EXPECT_THAT(FileSetattr(AT_FDCWD, path.c_str(), &buffer, size, 0), IsErrno(EINVAL)) << size;
  EXPECT_THAT(FileSetattr(AT_FDCWD, path.c_str(), &buffer, kPage + 1, 0), IsErrno(E2BIG));
  FileAttr after;
  ASSERT_EQ(FileGetattr(path, &after), 0);
  EXPECT_EQ(after.xflags & kXflagNodump, 0U) << "set although it was refused";
  for (const std::size_t size : {sizeof(FileAttr), sizeof(FileAttr) + 8, kPage})
    EXPECT_EQ(FileSetattr(AT_FDCWD, path.c_str(), &buffer, size, 0), 0) << size;
  ASSERT_EQ(FileGetattr(path, &after), 0);
  EXPECT_NE(after.xflags & kXflagNodump, 0U);
}

KASSAY_CASE_F(AttrSizes, UnknownBytesMustBeZeroWhenSet, Cites("FSV-012")) {
  const std::string path = Plain("file", "content");
  FileAttr attr;
  ASSERT_EQ(FileGetattr(path, &attr), 0);
  attr.xflags |= kXflagNodump;
  for (const std::size_t at : {sizeof(FileAttr), kPage - 1}) {
    Buffer buffer(attr);
    buffer.bytes.at(at) = 1;
    EXPECT_THAT(FileSetattr(AT_FDCWD, path.c_str(), &buffer, kPage, 0), IsErrno(E2BIG)) << at;
  }
  FileAttr after;
  ASSERT_EQ(FileGetattr(path, &after), 0);
  EXPECT_EQ(after.xflags & kXflagNodump, 0U);
}

KASSAY_CASE_F(AttrSizes, UnknownAtFlagsAreRefused, Cites("FSV-012")) {
  const std::string path = Verity("file", "content");
  FileAttr attr;
  ASSERT_EQ(FileGetattr(path, &attr), 0);
  for (const unsigned flag :
       {0x1U, 0x200U /* AT_EACCESS */, 0x800U /* AT_NO_AUTOMOUNT */, 0x80000000U}) {
    EXPECT_THAT(FileGetattr(AT_FDCWD, path.c_str(), &attr, sizeof attr, flag), IsErrno(EINVAL))
        << std::hex << flag;
    EXPECT_THAT(FileSetattr(AT_FDCWD, path.c_str(), &attr, sizeof attr, flag), IsErrno(EINVAL))
        << std::hex << flag;
  }
  EXPECT_EQ(
      FileGetattr(AT_FDCWD, path.c_str(), &attr, sizeof attr, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH),
      0);
}

KASSAY_CASE_F(AttrSizes, BadArgumentsAreRefused, Cites("FSV-012")) {
  const std::string path = Verity("file", "content");
  FileAttr attr;
  EXPECT_THAT(FileGetattr(AT_FDCWD, path.c_str(), nullptr, sizeof attr, 0), IsErrno(EFAULT));
  EXPECT_THAT(FileSetattr(AT_FDCWD, path.c_str(), nullptr, sizeof attr, 0), IsErrno(EFAULT));
  EXPECT_THAT(FileGetattr(Path("nothing"), &attr), IsErrno(ENOENT));
  EXPECT_THAT(FileSetattr(Path("nothing"), attr), IsErrno(ENOENT));
  EXPECT_THAT(FileGetattr(999, "file", &attr, sizeof attr, 0), IsErrno(EBADF));
  EXPECT_THAT(FileGetattr(999, "", &attr, sizeof attr, AT_EMPTY_PATH), IsErrno(EBADF));
}

// Not followed, a symbolic link has no such attributes: it must not borrow those of its target.
KASSAY_CASE_F(AttrSizes, ASymbolicLinkIsNotItsTarget, Cites("FSV-012")) {
  Verity("file", "content");
  ASSERT_EQ(symlink("file", Path("link").c_str()), 0);
  FileAttr attr;
  EXPECT_THAT(FileGetattr(AT_FDCWD, Path("link").c_str(), &attr, sizeof attr, AT_SYMLINK_NOFOLLOW),
              IsErrno(EOPNOTSUPP));
  EXPECT_EQ(FileGetattr(AT_FDCWD, Path("link").c_str(), &attr, sizeof attr, 0), 0);
}

}  // namespace
}  // namespace kassay::verity
