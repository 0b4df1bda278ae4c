// Mount namespaces by their descriptors.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "harness/base/unique_fd.h"

namespace kassay::mount {

// NS_GET_ID, or -errno.
[[nodiscard]] long NamespaceId(int ns_fd);
// The id of the caller's own mount namespace.
[[nodiscard]] long OwnNamespaceId();
// The number of mounts without the namespace's root mount (NS_MNT_GET_INFO), or -errno.
[[nodiscard]] long NrMounts(int ns_fd);
// The same of the caller's own namespace; needs /proc.
[[nodiscard]] long OwnNrMounts();
// Inode numbers of namespace files, the identity that every kernel has.
[[nodiscard]] long InodeOfFd(int fd);
[[nodiscard]] long InodeAt(const std::string& path);
// The inode number of the user namespace that owns the namespace (NS_GET_USERNS), or -errno.
[[nodiscard]] long OwnerInode(int ns_fd);
// A descriptor of the caller's own mount namespace.
[[nodiscard]] UniqueFd OwnNamespace();

// Moves the calling process to a copy of its mount namespace, all private, and back when it ends:
// what was mounted meanwhile dies with the copy. The process must be single-threaded.
class PrivateMounts {
 public:
  PrivateMounts();
  PrivateMounts(const PrivateMounts&) = delete;
  PrivateMounts& operator=(const PrivateMounts&) = delete;
  ~PrivateMounts();
  // 0 or the -errno of what could not be done.
  [[nodiscard]] long Status() const { return status_; }

 private:
  UniqueFd outside_;
  long status_ = 0;
};

// A folder with a tmpfs of its own on it, private, open to all users; unmounted and removed at the
// end.
class ScratchTmpfs {
 public:
  explicit ScratchTmpfs(std::string path);
  ScratchTmpfs(const ScratchTmpfs&) = delete;
  ScratchTmpfs& operator=(const ScratchTmpfs&) = delete;
  ~ScratchTmpfs();
  [[nodiscard]] const std::string& Path() const { return path_; }
  [[nodiscard]] long Status() const { return status_; }

 private:
  std::string path_;
  long status_ = 0;
};

}  // namespace kassay::mount
