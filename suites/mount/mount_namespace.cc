#include "suites/mount/mount_namespace.h"

#include "suites/mount/syscalls.h"

namespace kassay::mount {

long NamespaceId(int ns_fd) {
  uint64_t id = 0;
  const long result = OrErrno(ioctl(ns_fd, kNsGetId, &id));
  return result < 0 ? result : static_cast<long>(id);
}

long OwnNamespaceId() { return NamespaceId(OwnNamespace().Get()); }

long NrMounts(int ns_fd) {
  MntNsInfo info{sizeof info, 0, 0};
  const long result = OrErrno(ioctl(ns_fd, kNsMntGetInfo, &info));
  return result < 0 ? result : static_cast<long>(info.nr_mounts);
}

long OwnNrMounts() { return NrMounts(OwnNamespace().Get()); }

long InodeOfFd(int fd) {
  struct stat found {};
  const long result = OrErrno(fstat(fd, &found));
  return result < 0 ? result : static_cast<long>(found.st_ino);
}

long InodeAt(const std::string& path) {
  struct stat found {};
  const long result = OrErrno(stat(path.c_str(), &found));
  return result < 0 ? result : static_cast<long>(found.st_ino);
}

long OwnerInode(int ns_fd) {
  const long owner = OrErrno(ioctl(ns_fd, kNsGetUserns, 0));
  if (owner < 0) return owner;
  return InodeOfFd(UniqueFd(static_cast<int>(owner)).Get());
}

UniqueFd OwnNamespace() { return Own(Open("/proc/self/ns/mnt", O_RDONLY)); }

PrivateMounts::PrivateMounts() : outside_(OwnNamespace()) {
  if (!outside_.IsOpen()) {
    status_ = -errno;
    return;
  }
  status_ = Unshare(CLONE_NEWNS);
  if (status_ == 0) status_ = SetPropagation("/", MS_REC | MS_PRIVATE);
}

PrivateMounts::~PrivateMounts() {
  if (outside_.IsOpen()) Setns(outside_.Get());
}

ScratchTmpfs::ScratchTmpfs(std::string path) : path_(std::move(path)) {
  const long made = Mkdir(path_);
  if (made < 0 && made != -EEXIST) {
    status_ = made;
    return;
  }
  status_ = Mount("kassay", path_, "tmpfs", 0, "mode=0777");
  if (status_ == 0) status_ = SetPropagation(path_, MS_PRIVATE);
}

ScratchTmpfs::~ScratchTmpfs() {
  Umount(path_);
  rmdir(path_.c_str());
}

}  // namespace kassay::mount
