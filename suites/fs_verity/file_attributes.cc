#include "suites/fs_verity/file_attributes.h"

#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "harness/base/unique_fd.h"

namespace kassay::verity {
namespace {

// arch/x86/entry/syscalls/syscall_64.tbl
constexpr long kFileGetattr = 468;
constexpr long kFileSetattr = 469;

long Outcome(long result) { return result < 0 ? -errno : result; }

long OnFile(const std::string& path, unsigned long request, void* argument) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.IsOpen()) return -errno;
  return Outcome(ioctl(fd.Get(), request, argument));
}

}  // namespace

long FileGetattr(int folder, const char* path, void* attr, std::size_t size, unsigned at_flags) {
  return Outcome(syscall(kFileGetattr, folder, path, attr, size, at_flags));
}

long FileSetattr(int folder, const char* path, const void* attr, std::size_t size,
                 unsigned at_flags) {
  return Outcome(syscall(kFileSetattr, folder, path, attr, size, at_flags));
}

long FileGetattr(const std::string& path, FileAttr* attr) {
  return FileGetattr(AT_FDCWD, path.c_str(), attr, sizeof *attr, 0);
}

long FileSetattr(const std::string& path, const FileAttr& attr) {
  return FileSetattr(AT_FDCWD, path.c_str(), &attr, sizeof attr, 0);
}

long GetXattr(const std::string& path, fsxattr* attr) {
  return OnFile(path, FS_IOC_FSGETXATTR, attr);
}

long SetXattr(const std::string& path, const fsxattr& attr) {
  fsxattr copy = attr;
  return OnFile(path, FS_IOC_FSSETXATTR, &copy);
}

long GetFlags(const std::string& path, std::uint32_t* flags) {
  return OnFile(path, FS_IOC_GETFLAGS, flags);
}

long SetFlags(const std::string& path, std::uint32_t flags) {
  return OnFile(path, FS_IOC_SETFLAGS, &flags);
}

StatxAttributes Statx(const std::string& path) {
  struct statx seen {};
  const long error =
      Outcome(statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &seen));
  return {error, seen.stx_attributes, seen.stx_attributes_mask};
}

Doors DoorsOf(const std::string& path, bool with_xflag) {
  Doors doors;
  std::uint32_t flags = 0;
  EXPECT_EQ(GetFlags(path, &flags), 0) << "FS_IOC_GETFLAGS " << path;
  doors.getflags = (flags & FS_VERITY_FL) != 0;
  const StatxAttributes seen = Statx(path);
  EXPECT_EQ(seen.error, 0) << "statx " << path;
  doors.statx = (seen.attributes & kStatxVerity) != 0;
  doors.fsgetxattr = doors.file_getattr = doors.getflags;
  if (!with_xflag) return doors;
  fsxattr xattr{};
  EXPECT_EQ(GetXattr(path, &xattr), 0) << "FS_IOC_FSGETXATTR " << path;
  doors.fsgetxattr = (xattr.fsx_xflags & kXflagVerity) != 0;
  FileAttr attr;
  EXPECT_EQ(FileGetattr(path, &attr), 0) << "file_getattr " << path;
  doors.file_getattr = (attr.xflags & kXflagVerity) != 0;
  return doors;
}

void PrintTo(const Doors& doors, std::ostream* os) {
  *os << "the flag in GETFLAGS " << doors.getflags << ", FSGETXATTR " << doors.fsgetxattr
      << ", file_getattr " << doors.file_getattr << ", statx " << doors.statx;
}

}  // namespace kassay::verity
