// pivot_root(2) and taking off the root, now that something lies under it.
#include <sys/wait.h>

#include "suites/mount/mount_test.h"

namespace kassay::mount {

class PivotRootTest : public MountTest {
 protected:
  // In a child that stands in a mount namespace of its own: pivots to `new_root` and drops the old
  // tree.
  static long PivotAndDrop(const std::string& new_root) {
    if (const long r = Chdir(new_root); r < 0) return r;
    if (const long r = PivotRoot(".", "."); r < 0) return r;
    return Umount(".");
  }
};

KASSAY_CASE_F(PivotRootTest, WorksInTheNewNamespace, Cites("MNT-070")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_EQ(Mkdir(tree + "/new"), 0);
  const UniqueFd ns = Own(NamespaceOf(tree));
  const auto id = static_cast<uint64_t>(NamespaceId(ns.Get()));
  const uint64_t nullfs = RootMountOf(id).raw.mnt_parent_id;
  EXPECT_THAT(InChild([&] {
                return Steps<7>{Setns(ns.Get()),
                                Mount("kassay", "/new", "tmpfs"),
                                Mkdir("/new/mine"),
                                PivotAndDrop("/new"),
                                Exists("/mine"),
                                NrMounts(ns.Get()),
                                RootMountOf(id).raw.mnt_parent_id == nullfs};
              }),
              Returned(ElementsAre(0, 0, 0, 0, 0, 1, true)));
}

KASSAY_CASE_F(PivotRootTest, WorksStraightFromTheInitramfs, Cites("MNT-127", "MNT-129")) {
  const std::string tree = Tmpfs("tree");
  const uint64_t old_root = MountIdAt("/");
  EXPECT_THAT(InChild([&] {
                const Steps<3> done{Unshare(CLONE_NEWNS), PivotAndDrop(tree), Exists("/tree")};
                const MountStatus root = StatMountAt("/");
                const MountStatus parent = StatMount(root.raw.mnt_parent_id);
                return Steps<8>{done[0],
                                done[1],
                                done[2],
                                Exists(tree),
                                CountMounts(),
                                parent.fs_type == "nullfs",
                                parent.raw.mnt_parent_id == parent.raw.mnt_id,
                                StatMount(old_root).error};
              }),
              Returned(ElementsAre(0, 0, 0, IsErrno(ENOENT), 1, true, true, IsErrno(ENOENT))));
}

KASSAY_CASE_F(PivotRootTest, PutsTheOldTreeWhereItIsTold, Cites("MNT-128")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_EQ(Mkdir(tree + "/old"), 0);
  EXPECT_THAT(InChild([&] {
                return Steps<7>{Unshare(CLONE_NEWNS), PivotRoot(tree, tree + "/old"),
                                Chdir("/"),           Exists("/old" + Path("")),
                                Umount("/old", 0),    Umount("/old"),
                                Exists("/old/tmp")};
              }),
              Returned(ElementsAre(0, 0, 0, 0, IsErrno(EBUSY), 0, IsErrno(ENOENT))));
}

KASSAY_CASE_F(PivotRootTest, ATaskOnADetachedRootIsCutOff, Cites("MNT-131")) {
  EXPECT_THAT(InChild([&] {
                return Steps<7>{Unshare(CLONE_NEWNS),
                                Umount("/"),
                                Exists("/tmp"),
                                Open("/proc/self/mountinfo", O_RDONLY),
                                Mount("kassay", "/tmp", "tmpfs"),
                                NamespaceOf("/"),
                                PivotRoot("/", "/")};
              }),
              Returned(ElementsAre(0, 0, 0, IsErrno(ENOENT), IsErrno(ENOENT), IsErrno(EINVAL),
                                   IsErrno(ENOENT))));
}

KASSAY_CASE_F(PivotRootTest, RefusesWhatItMust, Cites("MNT-144")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_EQ(Mkdir(tree + "/dir"), 0);
  EXPECT_THAT(
      InChild([&] {
        return Steps<5>{Unshare(CLONE_NEWNS), PivotRoot("/", "/"),
                        PivotRoot(tree + "/dir", tree + "/dir"), PivotRoot(tree, Path("")),
                        PivotRoot(tree, tree + "/none")};
      }),
      // put_old must lie below new_root.
      Returned(ElementsAre(0, IsErrno(EBUSY), IsErrno(EINVAL), IsErrno(EINVAL), IsErrno(ENOENT))));
  // A root that is no mount point.
  EXPECT_THAT(InChild([&] {
                const long ready = FirstError({Unshare(CLONE_NEWNS), Mkdir(tree + "/jail"),
                                               Mkdir(tree + "/jail/in"),
                                               Mount("kassay", tree + "/jail/in", "tmpfs"),
                                               Chroot(tree + "/jail"), Chdir("/in")});
                return Steps<2>{ready, PivotRoot(".", ".")};
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL))));
}

KASSAY_CASE_F(PivotRootTest, RefusesSharedParents, Cites("MNT-144")) {
  const std::string parent = Tmpfs("parent");
  const std::string tree = Tmpfs("parent/tree");
  EXPECT_EQ(Mkdir(tree + "/old"), 0);
  for (const std::string& shared : {parent, tree}) {
    EXPECT_THAT(InChild([&] {
                  return Steps<5>{Unshare(CLONE_NEWNS), SetPropagation(shared, MS_SHARED),
                                  PivotRoot(tree, tree + "/old"),
                                  SetPropagation(shared, MS_PRIVATE),
                                  PivotRoot(tree, tree + "/old")};
                }),
                Returned(ElementsAre(0, 0, IsErrno(EINVAL), 0, 0)))
        << shared;
  }
}

KASSAY_CASE_F(PivotRootTest, RefusesASharedMountUnderTheRoot, Cites("MNT-144")) {
  const std::string parent = Tmpfs("parent");
  const std::string root = Tmpfs("parent/jail");
  static_cast<void>(Tmpfs("parent/jail/new"));
  EXPECT_THAT(InChild([&] {
                return Steps<4>{Unshare(CLONE_NEWNS), SetPropagation(parent, MS_SHARED),
                                FirstError({Chroot(root), Chdir("/new")}), PivotRoot(".", ".")};
              }),
              Returned(ElementsAre(0, 0, 0, IsErrno(EINVAL))));
  EXPECT_THAT(InChild([&] {
                return Steps<3>{Unshare(CLONE_NEWNS), FirstError({Chroot(root), Chdir("/new")}),
                                PivotRoot(".", ".")};
              }),
              Returned(ElementsAre(0, 0, 0)));
}

KASSAY_CASE_F(PivotRootTest, TakesEveryTaskOnTheOldRootAlong, Cites("MNT-228")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_THAT(InChild([&] {
                const long moved = Unshare(CLONE_NEWNS);
                int ends[2];
                if (pipe2(ends, O_CLOEXEC) != 0) return Steps<3>{-errno};
                const UniqueFd reading(ends[0]);
                UniqueFd writing(ends[1]);
                const pid_t peer = fork();
                if (peer == 0) {
                  writing.Reset();
                  char byte = 0;
                  static_cast<void>(!read(reading.Get(), &byte, 1));  // until the other has pivoted
                  _exit(Exists("/tree") == 0 && Exists(tree) == -ENOENT ? 0 : 1);
                }
                const long pivoted = PivotAndDrop(tree);
                writing.Reset();
                int status = -1;
                waitpid(peer, &status, 0);
                return Steps<3>{moved, pivoted, status};
              }),
              Returned(ElementsAre(0, 0, 0)));
}

KASSAY_CASE_F(PivotRootTest, RefusesAPlaceOnTheOldRootAndAnUnlinkedOne, Cites("MNT-144")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_EQ(Mkdir(tree + "/gone"), 0);
  EXPECT_THAT(InChild([&] {
                const Steps<3> before{Unshare(CLONE_NEWNS), PivotRoot(tree, "/proc/.."),
                                      Chdir(tree + "/gone")};
                const long removed = OrErrno(rmdir((tree + "/gone").c_str()));
                return Steps<6>{before[0], before[1],           before[2],
                                removed,   PivotRoot(".", "."), PivotRoot(tree, ".")};
              }),
              Returned(ElementsAre(0, IsErrno(EBUSY), 0, 0, IsErrno(ENOENT), IsErrno(ENOENT))));
}

KASSAY_CASE_F(PivotRootTest, RefusesANewRootOutsideTheChroot, Cites("MNT-144")) {
  const std::string tree = Tmpfs("tree");
  const std::string jail = Tmpfs("jail");
  EXPECT_THAT(InChild([&] {
                const Steps<3> before{Unshare(CLONE_NEWNS), Chdir(tree), Chroot(jail)};
                return Steps<4>{before[0], before[1], before[2], PivotRoot(".", ".")};
              }),
              Returned(ElementsAre(0, 0, 0, IsErrno(EINVAL))));
}

KASSAY_CASE_F(PivotRootTest, NeedsTheCapability, Cites("MNT-146")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_THAT(InChild([&] {
                const Steps<3> before{Unshare(CLONE_NEWNS), Chdir(tree), SwitchToUser()};
                return Steps<5>{before[0], before[1], before[2], PivotRoot(".", "."), Umount("/")};
              }),
              Returned(ElementsAre(0, 0, 0, IsErrno(EPERM), IsErrno(EPERM))));
}

KASSAY_CASE_F(PivotRootTest, RefusesANewRootOutOfTheNamespace, Cites("MNT-147")) {
  const std::string tree = Tmpfs("tree");
  const UniqueFd clone = Own(OpenTree(AT_FDCWD, tree, kOpenTreeClone));
  EXPECT_THAT(
      InChild([&] {
        return Steps<3>{Unshare(CLONE_NEWNS), OrErrno(fchdir(clone.Get())), PivotRoot(".", ".")};
      }),
      Returned(ElementsAre(0, 0, IsErrno(EINVAL))));
  // A mount of a namespace that the task has left.
  const UniqueFd before = Own(Open(tree, O_PATH | O_DIRECTORY));
  EXPECT_THAT(
      InChild([&] {
        return Steps<3>{Unshare(CLONE_NEWNS), OrErrno(fchdir(before.Get())), PivotRoot(".", ".")};
      }),
      Returned(ElementsAre(0, 0, IsErrno(EINVAL))));
}

}  // namespace kassay::mount
