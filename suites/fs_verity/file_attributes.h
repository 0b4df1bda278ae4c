// The doors through which a file's verity flag can be read, and those through which somebody may
// try to set it: FS_IOC_GETFLAGS and FS_IOC_SETFLAGS, FS_IOC_FSGETXATTR and FS_IOC_FSSETXATTR,
// file_getattr(2) and file_setattr(2), statx(2). All calls give 0 or a negative errno.
#pragma once

#include <fcntl.h>
#include <linux/fs.h>

#include <cstdint>
#include <ostream>
#include <string>

namespace kassay::verity {

// include/uapi/linux/fs.h of Linux 7.0; Debian 12's headers end before them.
inline constexpr std::uint32_t kXflagNodump = 0x80;
inline constexpr std::uint32_t kXflagDax = 0x8000;
inline constexpr std::uint32_t kXflagVerity = 0x00020000;
inline constexpr std::uint32_t kXflagUnknown = 0x10000000;  // no kernel up to 7.3 gave it a meaning
inline constexpr std::uint64_t kStatxVerity = 0x00100000;   // STATX_ATTR_VERITY

// struct file_attr, first version (FILE_ATTR_SIZE_VER0).
struct FileAttr {
  std::uint64_t xflags = 0;
  std::uint32_t extsize = 0;
  std::uint32_t nextents = 0;
  std::uint32_t projid = 0;
  std::uint32_t cowextsize = 0;
};
static_assert(sizeof(FileAttr) == 24);

// With sizes and pointers as wrong as the case wants.
[[nodiscard]] long FileGetattr(int folder, const char* path, void* attr, std::size_t size,
                               unsigned at_flags);
[[nodiscard]] long FileSetattr(int folder, const char* path, const void* attr, std::size_t size,
                               unsigned at_flags);
// The usual ones, by path.
[[nodiscard]] long FileGetattr(const std::string& path, FileAttr* attr);
[[nodiscard]] long FileSetattr(const std::string& path, const FileAttr& attr);
// The ioctls, on a descriptor that is opened for them.
[[nodiscard]] long GetXattr(const std::string& path, fsxattr* attr);
[[nodiscard]] long SetXattr(const std::string& path, const fsxattr& attr);
[[nodiscard]] long GetFlags(const std::string& path, std::uint32_t* flags);
[[nodiscard]] long SetFlags(const std::string& path, std::uint32_t flags);

// What each door shows of the verity flag.
struct Doors {
  bool getflags = false;
  bool fsgetxattr = false;
  bool file_getattr = false;
  bool statx = false;
  bool operator==(const Doors&) const = default;
};
inline constexpr Doors kAllShut{};
inline constexpr Doors kAllOpen{true, true, true, true};
void PrintTo(const Doors& doors, std::ostream* os);
// Expects each call to work; without `with_xflag` FS_IOC_FSGETXATTR and file_getattr are not asked
// (kernels before 7.0), and shown as `getflags`.
[[nodiscard]] Doors DoorsOf(const std::string& path, bool with_xflag = true);

// statx(2) without following a symbolic link.
struct StatxAttributes {
  long error = 0;
  std::uint64_t attributes = 0;
  std::uint64_t mask = 0;
};
[[nodiscard]] StatxAttributes Statx(const std::string& path);

}  // namespace kassay::verity
