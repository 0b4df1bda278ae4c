// What the releases after 7.0 added around the root, each behind a probe of its own.
#include <sys/wait.h>

#include "suites/mount/mount_test.h"

namespace kassay::mount {
namespace {

UniqueFd DetachedTmpfs() {
  const UniqueFd fs = Own(Fsopen("tmpfs"));
  Fsconfig(fs.Get(), kFsconfigCmdCreate, nullptr, nullptr);
  return Own(Fsmount(fs.Get(), kFsmountCloexec));
}

long MoveBeneathRoot(const UniqueFd& tree) {
  return MoveMount(tree.Get(), "", AT_FDCWD, "/", kMoveMountFEmptyPath | kMoveMountBeneath);
}

}  // namespace

class MountBeneathRoot : public MountTest {};

KASSAY_CASE_F(MountBeneathRoot, SlidesUnderTheHostsRoot, Cites("MNT-206")) {
  EXPECT_THAT(InChild([] {
                const UniqueFd tree = DetachedTmpfs();
                const uint64_t id = MountIdOfFd(tree.Get());
                const Steps<2> done{Unshare(CLONE_NEWNS), MoveBeneathRoot(tree)};
                const MountStatus root = StatMountAt("/");
                return Steps<4>{done[0], done[1], id != 0 && root.raw.mnt_parent_id == id,
                                Exists("/proc/self")};
              }),
              Returned(ElementsAre(0, 0, true, 0)));
}

KASSAY_CASE_F(MountBeneathRoot, ReplacesTheRootOfANewNamespace, Cites("MNT-206")) {
  const UniqueFd ns = Own(NamespaceOf(Tmpfs("tree")));
  EXPECT_THAT(InChild([&] {
                const long entered = Setns(ns.Get());
                const UniqueFd tree = DetachedTmpfs();
                return Steps<6>{entered,     MoveBeneathRoot(tree), NrMounts(ns.Get()),
                                Umount("/"), Setns(ns.Get()),       Exists("/tree")};
              }),
              Returned(ElementsAre(0, 0, 2, 0, 0, IsErrno(ENOENT))));
}

class KernelThreads : public MountTest {};

KASSAY_CASE_F(KernelThreads, StandOnANullfsOfTheirOwn, Cites("MNT-207")) {
  EXPECT_EQ(FsMagic("/proc/2/root"), static_cast<long>(kNullFsMagic));
  EXPECT_THAT(NamespaceOf("/proc/2/root"), IsErrno(EINVAL));
  EXPECT_THAT(Mount("kassay", "/proc/2/root", "tmpfs"),
              testing::AnyOf(IsErrno(ENOENT), IsErrno(EINVAL)));
}

class Failfs : public MountTest {};

KASSAY_CASE_F(Failfs, IsAWorkingDirectoryWhereEverythingFails, Cites("MNT-209")) {
  EXPECT_THAT(
      InChild([] {
        return Steps<4>{OrErrno(fchdir(kFdFailfsRoot)), Exists("x"), Mkdir("x"), Exists("/proc")};
      }),
      Returned(ElementsAre(0, IsErrno(EOPNOTSUPP), IsErrno(EOPNOTSUPP), 0)));
}

class DetachedTree : public MountTest {};

KASSAY_CASE_F(DetachedTree, KeepsItsCoversAfterItsEnd, Cites("MNT-208")) {
  const std::string tree = TmpfsWithCover("tree");
  UniqueFd clone = Own(OpenTree(AT_FDCWD, tree, kOpenTreeClone | kAtRecursive));
  const UniqueFd inside = Own(OrErrno(openat(clone.Get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC)));
  ASSERT_TRUE(inside.IsOpen());
  clone.Reset();
  const UniqueFd hidden =
      Own(OrErrno(openat(inside.Get(), "hidden", O_PATH | O_DIRECTORY | O_CLOEXEC)));
  EXPECT_THAT(OrErrno(faccessat(inside.Get(), "hidden/secret", F_OK, 0)), IsErrno(ENOENT));
  EXPECT_THAT(OrErrno(faccessat(inside.Get(), "hidden/cover", F_OK, 0)), IsErrno(ENOENT));
  EXPECT_EQ(FsMagicOfFd(hidden.Get()), static_cast<long>(kNullFsMagic));
}

KASSAY_CASE_F(DetachedTree, NeverUncoversWhatWasHidden, Cites("MNT-215")) {
  const std::string tree = TmpfsWithCover("tree");
  UniqueFd clone = Own(OpenTree(AT_FDCWD, tree, kOpenTreeClone | kAtRecursive));
  const UniqueFd inside = Own(OrErrno(openat(clone.Get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC)));
  clone.Reset();
  EXPECT_THAT(OrErrno(faccessat(inside.Get(), "hidden/secret", F_OK, 0)), IsErrno(ENOENT));
}

class Unbindable : public MountTest {};

KASSAY_CASE_F(Unbindable, SurvivesTheCopyOfANamespace, Cites("MNT-211")) {
  const std::string tree = Tmpfs("tree");
  ASSERT_EQ(SetPropagation(tree, MS_UNBINDABLE), 0);
  ASSERT_EQ(StatMountAt(tree).raw.mnt_propagation, kUnbindable);
  EXPECT_THAT(InChild([&] {
                return Steps<3>{Unshare(CLONE_NEWNS),
                                static_cast<long>(StatMountAt(tree).raw.mnt_propagation),
                                OpenTree(AT_FDCWD, tree, kOpenTreeClone)};
              }),
              Returned(ElementsAre(0, static_cast<long>(kUnbindable), IsErrno(EINVAL))));
}

KASSAY_CASE_F(Unbindable, IsNoTargetOfAPeerGroup, Cites("MNT-212")) {
  const std::string from = Tmpfs("from");
  ASSERT_EQ(SetPropagation(from, MS_SHARED), 0);
  const std::string to = Dir("to");
  ASSERT_EQ(Bind(from, to), 0);
  ASSERT_EQ(SetPropagation(to, MS_PRIVATE), 0);
  ASSERT_EQ(SetPropagation(to, MS_UNBINDABLE), 0);
  EXPECT_THAT(MoveMount(AT_FDCWD, from, AT_FDCWD, to, kMoveMountSetGroup), IsErrno(EINVAL));
  EXPECT_EQ(StatMountAt(to).raw.mnt_propagation, kUnbindable);
  ASSERT_EQ(SetPropagation(to, MS_PRIVATE), 0);
  EXPECT_EQ(MoveMount(AT_FDCWD, from, AT_FDCWD, to, kMoveMountSetGroup), 0);
  EXPECT_EQ(StatMountAt(to).raw.mnt_peer_group, StatMountAt(from).raw.mnt_peer_group);
}

class ProcNet : public MountTest {};

KASSAY_CASE_F(ProcNet, HoldsNoMountPoints, Cites("MNT-216")) {
  ASSERT_EQ(CreateFile(Path("file")), 0);
  EXPECT_THAT(Bind(Path("file"), "/proc/self/net/dev"), IsErrno(ENOENT));
}

}  // namespace kassay::mount
