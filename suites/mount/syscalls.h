// The mount API as raw system calls: each returns its result or -errno, to be matched with
// IsErrno().
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "harness/base/unique_fd.h"
#include "suites/mount/uapi.h"
#include "suites/support/errno_result.h"

namespace kassay::mount {

template <typename... Args>
long Call(long number, Args... args) {
  return OrErrno(syscall(number, args...));
}

inline long OpenTree(int dirfd, const char* path, unsigned flags) {
  return Call(kNrOpenTree, dirfd, path, flags);
}
inline long OpenTree(int dirfd, const std::string& path, unsigned flags) {
  return OpenTree(dirfd, path.c_str(), flags);
}
// open_tree(OPEN_TREE_NAMESPACE | O_CLOEXEC | also) of a path.
inline long NamespaceOf(const std::string& path, unsigned also = 0) {
  return OpenTree(AT_FDCWD, path, kOpenTreeNamespace | kOpenTreeCloexec | also);
}
// The same of the file behind a descriptor.
inline long NamespaceOfFd(int fd, unsigned also = 0) {
  return OpenTree(fd, "", kOpenTreeNamespace | kOpenTreeCloexec | kAtEmptyPath | also);
}
inline long MoveMount(int from, const std::string& from_path, int to, const std::string& to_path,
                      unsigned flags) {
  return Call(kNrMoveMount, from, from_path.c_str(), to, to_path.c_str(), flags);
}
inline long Fsopen(const std::string& type) { return Call(kNrFsopen, type.c_str(), 1U); }
inline long Fsconfig(int fd, unsigned command, const char* key, const char* value) {
  return Call(kNrFsconfig, fd, command, key, value, 0);
}
inline long Fsmount(int fd, unsigned flags, uint64_t attributes = 0) {
  return Call(kNrFsmount, fd, flags, attributes);
}
inline long Fspick(const std::string& path, unsigned flags = 1) {
  return Call(kNrFspick, AT_FDCWD, path.c_str(), flags);
}
inline long MountSetattr(int dirfd, const std::string& path, unsigned flags,
                         const MountAttr& attributes) {
  return Call(kNrMountSetattr, dirfd, path.c_str(), flags, &attributes, sizeof attributes);
}
inline long Mount(const std::string& source, const std::string& target, const std::string& type,
                  unsigned long flags = 0, const char* options = nullptr) {
  return Call(SYS_mount, source.c_str(), target.c_str(), type.c_str(), flags, options);
}
inline long Bind(const std::string& source, const std::string& target, unsigned long also = 0) {
  return Mount(source, target, "", MS_BIND | also);
}
inline long SetPropagation(const std::string& target, unsigned long type) {
  return Mount("", target, "", type);
}
inline long Umount(const std::string& target, int flags = MNT_DETACH) {
  return Call(SYS_umount2, target.c_str(), flags);
}
inline long PivotRoot(const std::string& new_root, const std::string& put_old) {
  return Call(SYS_pivot_root, new_root.c_str(), put_old.c_str());
}
inline long Setns(long fd, int type = CLONE_NEWNS) {
  return Call(SYS_setns, static_cast<int>(fd), type);
}
inline long Unshare(unsigned long flags) { return Call(SYS_unshare, flags); }
inline long Chdir(const std::string& path) { return Call(SYS_chdir, path.c_str()); }
inline long Chroot(const std::string& path) { return Call(SYS_chroot, path.c_str()); }
inline long Mkdir(const std::string& path) { return OrErrno(::mkdir(path.c_str(), 0755)); }
inline long Open(const std::string& path, int flags, mode_t mode = 0644) {
  return OrErrno(::open(path.c_str(), flags | O_CLOEXEC, mode));
}
// 0 if the path exists, -errno if not.
inline long Exists(const std::string& path) { return OrErrno(::access(path.c_str(), F_OK)); }
inline long CreateFile(const std::string& path) {
  const UniqueFd file(static_cast<int>(Open(path, O_CREAT | O_WRONLY | O_EXCL)));
  return file.IsOpen() ? 0 : -errno;
}
// The magic number of the file system that the path lies on, or -errno.
inline long FsMagic(const std::string& path) {
  struct statfs64 found {};
  const long result = OrErrno(statfs64(path.c_str(), &found));
  return result < 0 ? result : static_cast<long>(found.f_type);
}
inline long FsMagicOfFd(int fd) {
  struct statfs64 found {};
  const long result = OrErrno(fstatfs64(fd, &found));
  return result < 0 ? result : static_cast<long>(found.f_type);
}
inline long Statmount(const MntIdReq& request, void* buffer, size_t size, unsigned flags) {
  return Call(kNrStatmount, &request, buffer, size, flags);
}
inline long Listmount(const MntIdReq& request, uint64_t* ids, size_t count, unsigned flags) {
  return Call(kNrListmount, &request, ids, count, flags);
}
inline long Listns(const NsIdReq& request, uint64_t* ids, size_t count, unsigned flags) {
  return Call(kNrListns, &request, ids, count, flags);
}

// Owns what a call returned; not open if that was an error.
inline UniqueFd Own(long result) { return UniqueFd(result < 0 ? -1 : static_cast<int>(result)); }

// The first error of steps that only prepare, 0 if there is none. Inside braces the calls are made
// in their order, all of them.
inline long FirstError(std::initializer_list<long> results) {
  for (const long result : results)
    if (result < 0) return result;
  return 0;
}

}  // namespace kassay::mount
