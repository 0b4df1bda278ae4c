// Whether the kernel has a feature, always by what a runtime would try and without leaving a trace.
#include <string>

#include "suites/mount/mount_namespace.h"
#include "suites/mount/mount_status.h"
#include "suites/mount/syscalls.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::mount {
namespace {

std::string Saw(const std::string& call, long result) {
  return call + ": " + (result < 0 ? ErrnoName(static_cast<int>(-result)) : std::to_string(result));
}

ProbeAnswer Answer(bool present, std::string detail) {
  return present ? Present(std::move(detail)) : Missing(std::move(detail));
}

// What a child saw, or -ECHILD if it did not answer.
template <typename Body>
long SeenByChild(Body body) {
  return InChild(body).value.value_or(-ECHILD);
}

}  // namespace

KASSAY_PROBE("open_tree_namespace") {
  // Flags are judged first, then the capability, then the path: an empty one is ENOENT.
  const long seen = OpenTree(-1, "", kOpenTreeNamespace | kOpenTreeCloexec);
  return Answer(seen == -ENOENT, Saw("open_tree(-1, \"\", OPEN_TREE_NAMESPACE)", seen));
}

KASSAY_PROBE("nullfs_root") {
  const MountStatus root = StatMountAt("/");
  const MountStatus parent = StatMount(root.raw.mnt_parent_id);
  return Answer(parent.error == 0 && parent.raw.sb_magic == kNullFsMagic,
                "the parent of the mount at / is of type " + std::string(parent.fs_type.View()));
}

KASSAY_PROBE("statmount_by_fd") {
  const UniqueFd root = Own(Open("/", O_PATH));
  const long seen = StatMountByFd(root.Get(), kSupportedMask).error;
  return Answer(seen == 0, Saw("statmount(STATMOUNT_BY_FD)", seen));
}

KASSAY_PROBE("fsmount_namespace") {
  const long seen = Fsmount(-1, kFsmountNamespace);
  return Answer(seen == -EBADF, Saw("fsmount(-1, FSMOUNT_NAMESPACE)", seen));
}

KASSAY_PROBE("empty_mount_namespace") {
  const long seen = SeenByChild([] { return Unshare(kUnshareEmptyMntns); });
  return Answer(seen == 0, Saw("unshare(UNSHARE_EMPTY_MNTNS)", seen));
}

KASSAY_PROBE("mount_beneath_root") {
  const long seen = SeenByChild([] {
    const PrivateMounts mounts;
    const UniqueFd fs = Own(Fsopen("tmpfs"));
    Fsconfig(fs.Get(), kFsconfigCmdCreate, nullptr, nullptr);
    const UniqueFd tree = Own(Fsmount(fs.Get(), 0));
    return MoveMount(tree.Get(), "", AT_FDCWD, "/", kMoveMountFEmptyPath | kMoveMountBeneath);
  });
  return Answer(seen == 0, Saw("move_mount(MOVE_MOUNT_BENEATH) to /", seen));
}

KASSAY_PROBE("failfs") {
  const long seen = SeenByChild([] { return OrErrno(fchdir(kFdFailfsRoot)); });
  return Answer(seen == 0, Saw("fchdir(FD_FAILFS_ROOT)", seen));
}

KASSAY_PROBE("kernel_threads_on_nullfs") {
  // kthreadd; needs ptrace access, which root has.
  const long seen = FsMagic("/proc/2/root");
  return Answer(seen == static_cast<long>(kNullFsMagic), Saw("statfs(/proc/2/root)", seen));
}

}  // namespace kassay::mount
