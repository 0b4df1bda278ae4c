// An empty mount namespace: unshare(UNSHARE_EMPTY_MNTNS) and clone3(CLONE_EMPTY_MNTNS).
#include <sys/wait.h>

#include "suites/mount/mount_test.h"

namespace kassay::mount {
namespace {

// Runs `body` in a child made with clone3(flags): what it returned (0 to 255), or -errno of the
// call.
template <typename Body>
long InClone3(uint64_t flags, Body body) {
  CloneArgs args{};
  args.flags = flags;
  args.exit_signal = SIGCHLD;
  const long pid = Call(kNrClone3, &args, sizeof args);
  if (pid == 0) _exit(static_cast<int>(body()));
  if (pid < 0) return pid;
  int status = 0;
  waitpid(static_cast<pid_t>(pid), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

constexpr long kOnNullfs = 0;
long IsOnNullfs() {
  if (FsMagic("/") != static_cast<long>(kNullFsMagic)) return 1;
  if (FsMagic(".") != static_cast<long>(kNullFsMagic)) return 2;
  if (Exists("/proc") != -ENOENT) return 3;
  return kOnNullfs;
}

}  // namespace

class EmptyNamespace : public MountTest {};

KASSAY_CASE_F(EmptyNamespace, OfUnshareHoldsNullfsOnly, Cites("MNT-203")) {
  for (const unsigned also : {0U, static_cast<unsigned>(CLONE_NEWNS)}) {
    const UniqueFd before = OwnNamespace();
    const HeldChild inside([&] {
      return Steps<2>{Unshare(kUnshareEmptyMntns | also), IsOnNullfs()};
    });
    ASSERT_TRUE(inside.Value().has_value());
    EXPECT_THAT(*inside.Value(), ElementsAre(0, kOnNullfs));
    const UniqueFd ns = Own(Open(inside.Proc("ns/mnt"), O_RDONLY));
    EXPECT_NE(NamespaceId(ns.Get()), NamespaceId(before.Get()));
    EXPECT_EQ(NrMounts(ns.Get()), 0);
  }
}

KASSAY_CASE_F(EmptyNamespace, CanBeFurnished, Cites("MNT-214")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_THAT(InChild([&] {
                const UniqueFd image = Own(OpenTree(AT_FDCWD, tree, kOpenTreeClone));
                return Steps<5>{Unshare(kUnshareEmptyMntns),
                                MoveMount(image.Get(), "", AT_FDCWD, "/", kMoveMountFEmptyPath),
                                Chroot("/.."), Exists("/tree"), CountMounts()};
              }),
              Returned(ElementsAre(0, 0, 0, 0, 1)));
}

KASSAY_CASE_F(EmptyNamespace, NeedsTheCapability, Cites("MNT-203")) {
  EXPECT_THAT(InChild([] {
                return Steps<3>{SwitchToUser(), Unshare(kUnshareEmptyMntns), Exists("/proc/self")};
              }),
              Returned(ElementsAre(0, IsErrno(EPERM), 0)));
}

KASSAY_CASE_F(EmptyNamespace, OfClone3HoldsNullfsOnly, Cites("MNT-204")) {
  EXPECT_EQ(InClone3(kCloneEmptyMntns, IsOnNullfs), kOnNullfs);
  EXPECT_EQ(InClone3(kCloneEmptyMntns | CLONE_NEWNS, IsOnNullfs), kOnNullfs);
  EXPECT_EQ(InClone3(0, IsOnNullfs), 1) << "the control";
  EXPECT_THAT(InClone3(kCloneEmptyMntns | CLONE_FS, IsOnNullfs), IsErrno(EINVAL));
  EXPECT_EQ(Exists("/proc/self"), 0) << "the parent stays";
}

class LegacyClone : public MountTest {};

KASSAY_CASE_F(LegacyClone, KeepsItsMeaningOfTheBit, Cites("MNT-205").Detection()) {
  const long inode = InodeAt("/proc/self/ns/mnt");
  pid_t seen = 0;
  const long pid = Call(SYS_clone, CLONE_PARENT_SETTID | SIGCHLD, nullptr, &seen, nullptr, 0);
  if (pid == 0) _exit(InodeAt("/proc/self/ns/mnt") == inode ? 0 : 1);
  ASSERT_GT(pid, 0);
  int status = 0;
  ASSERT_EQ(waitpid(static_cast<pid_t>(pid), &status, 0), pid);
  EXPECT_EQ(seen, pid);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << "the child got a mount namespace of its own";
}

}  // namespace kassay::mount
