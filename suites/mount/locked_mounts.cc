// What a copy made from another user namespace must not be able to uncover.
#include "suites/mount/mount_test.h"

namespace kassay::mount {

class LockedMounts : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    AllowUnprivilegedUserNamespaces();
  }
  // In a child: becomes root of a user namespace, copies the tree and moves there; the first error
  // or 0.
  static long EnterCopy(const std::string& tree, unsigned flags = kAtRecursive) {
    const long ready = EnterUserNamespaceAsUser();
    if (ready < 0) return ready;
    const UniqueFd ns = Own(NamespaceOf(tree, flags));
    return ns.IsOpen() ? Setns(ns.Get()) : -errno;
  }
};

KASSAY_CASE_F(LockedMounts, TheTreeOfAForeignNamespaceCannotBeTakenOff, Cites("MNT-092")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_THAT(InChild([&] {
                return Steps<4>{EnterCopy(tree), Umount("/"), Umount("/", 0), Exists("/tree")};
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL), IsErrno(EINVAL), 0)));
}

KASSAY_CASE_F(LockedMounts, TheLockHoldsForTheHostsRootToo, Cites("MNT-093")) {
  const std::string tree = Tmpfs("tree");
  const HeldChild rootless([&] {
    const long ready = EnterUserNamespaceAsUser();
    return Steps<2>{ready, NamespaceOf(tree)};
  });
  ASSERT_TRUE(rootless.Value() && (*rootless.Value())[0] == 0);
  const UniqueFd ns = rootless.TakeFd((*rootless.Value())[1]);
  EXPECT_THAT(InChild([&] {
                return Steps<3>{Setns(ns.Get()), Umount("/"), NrMounts(ns.Get())};
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL), 1)));
}

KASSAY_CASE_F(LockedMounts, ChildrenCannotBeTakenOff, Cites("MNT-094")) {
  const std::string tree = TmpfsWithCover("tree");
  EXPECT_THAT(InChild([&] {
                return Steps<5>{EnterCopy(tree), Umount("/hidden"), Umount("/hidden", 0),
                                Exists("/hidden/cover"), Exists("/hidden/secret")};
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL), IsErrno(EINVAL), 0, IsErrno(ENOENT))));
}

KASSAY_CASE_F(LockedMounts, ChildrenCannotBeMovedAway, Cites("MNT-114")) {
  const std::string tree = TmpfsWithCover("tree");
  EXPECT_EQ(Mkdir(tree + "/to"), 0);
  EXPECT_THAT(InChild([&] {
                return Steps<4>{EnterCopy(tree), Mount("/hidden", "/to", "", MS_MOVE),
                                MoveMount(AT_FDCWD, "/hidden", AT_FDCWD, "/to", 0),
                                Exists("/hidden/secret")};
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL), IsErrno(EINVAL), IsErrno(ENOENT))));
}

KASSAY_CASE_F(LockedMounts, AttributesMayBeAddedAndNotDropped, Cites("MNT-095")) {
  const std::string tree = Tmpfs("tree", MS_NOSUID);
  const MountAttr clear_nosuid{
      .attr_set = 0, .attr_clr = kMountAttrNosuid, .propagation = 0, .userns_fd = 0};
  EXPECT_THAT(InChild([&] {
                return Steps<5>{EnterCopy(tree), Mount("", "/", "", MS_BIND | MS_REMOUNT),
                                MountSetattr(AT_FDCWD, "/", 0, clear_nosuid),
                                Mount("", "/", "", MS_BIND | MS_REMOUNT | MS_NOSUID | MS_RDONLY),
                                Mkdir("/new")};
              }),
              Returned(ElementsAre(0, IsErrno(EPERM), IsErrno(EPERM), 0, IsErrno(EROFS))));
}

KASSAY_CASE_F(LockedMounts, EachAttributeIsLocked, Cites("MNT-115")) {
  struct Attribute {
    const char* name;
    unsigned long flag;
    uint64_t attribute;
  };
  for (const auto& [name, flag, attribute] :
       {Attribute{"ro", MS_RDONLY, kMountAttrRdonly},
        Attribute{"suid", MS_NOSUID, kMountAttrNosuid}, Attribute{"dev", MS_NODEV, kMountAttrNodev},
        Attribute{"exec", MS_NOEXEC, kMountAttrNoexec}}) {
    const std::string tree = Tmpfs(name, flag);
    const MountAttr clear{.attr_set = 0, .attr_clr = attribute, .propagation = 0, .userns_fd = 0};
    EXPECT_THAT(InChild([&] {
                  return Steps<2>{EnterCopy(tree), MountSetattr(AT_FDCWD, "/", 0, clear)};
                }),
                Returned(ElementsAre(0, IsErrno(EPERM))))
        << name;
    // The owner's own copy is not locked.
    const UniqueFd ns = Own(NamespaceOf(tree));
    EXPECT_THAT(InChild([&] {
                  return Steps<2>{Setns(ns.Get()), MountSetattr(AT_FDCWD, "/", 0, clear)};
                }),
                Returned(ElementsAre(0, 0)))
        << name;
  }
}

KASSAY_CASE_F(LockedMounts, SoAreTheAccessTimeAndTheChildrensAttributes, Cites("MNT-115")) {
  const std::string tree = Tmpfs("tree", MS_NOATIME);
  static_cast<void>(Tmpfs("tree/child", MS_NOEXEC));
  const MountAttr relatime{
      .attr_set = 0, .attr_clr = kMountAttrAtimeMask, .propagation = 0, .userns_fd = 0};
  const MountAttr exec{
      .attr_set = 0, .attr_clr = kMountAttrNoexec, .propagation = 0, .userns_fd = 0};
  EXPECT_THAT(InChild([&] {
                return Steps<3>{EnterCopy(tree), MountSetattr(AT_FDCWD, "/", 0, relatime),
                                MountSetattr(AT_FDCWD, "/child", 0, exec)};
              }),
              Returned(ElementsAre(0, IsErrno(EPERM), IsErrno(EPERM))));
  const UniqueFd ns = Own(NamespaceOf(tree, kAtRecursive));
  EXPECT_THAT(InChild([&] {
                return Steps<3>{Setns(ns.Get()), MountSetattr(AT_FDCWD, "/", 0, relatime),
                                MountSetattr(AT_FDCWD, "/child", 0, exec)};
              }),
              Returned(ElementsAre(0, 0, 0)));
}

KASSAY_CASE_F(LockedMounts, CannotBecomeTheRootByPivoting, Cites("MNT-149")) {
  const std::string tree = TmpfsWithCover("tree");
  EXPECT_THAT(InChild([&] {
                return Steps<4>{EnterCopy(tree), Chdir("/hidden"), PivotRoot(".", "."),
                                Exists("/hidden/cover")};
              }),
              Returned(ElementsAre(0, 0, IsErrno(EINVAL), 0)));
}

KASSAY_CASE_F(LockedMounts, ForbidPartialCopiesInside, Cites("MNT-096")) {
  const std::string tree = TmpfsWithCover("tree");
  EXPECT_EQ(Mkdir(tree + "/to"), 0);
  EXPECT_THAT(InChild([&] {
                return Steps<7>{EnterCopy(tree),
                                Bind("/", "/to"),
                                OpenTree(AT_FDCWD, "/", kOpenTreeClone),
                                NamespaceOf("/"),
                                Bind("/", "/to", MS_REC),
                                OpenTree(AT_FDCWD, "/", kOpenTreeClone | kAtRecursive),
                                NamespaceOf("/", kAtRecursive)};
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL), IsErrno(EINVAL), IsErrno(EINVAL), 0,
                                   Succeeded(), Succeeded())));
}

KASSAY_CASE_F(LockedMounts, LetPivotRootPassOverAMountOfOnesOwn, Cites("MNT-097")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_EQ(Mkdir(tree + "/new"), 0);
  EXPECT_THAT(InChild([&] {
                return Steps<9>{EnterCopy(tree),     Mount("kassay", "/new", "tmpfs"),
                                Mkdir("/new/mine"),  Chdir("/new"),
                                PivotRoot(".", "."), Umount("."),
                                Exists("/mine"),     Exists("/tree"),
                                Umount("/")};
              }),
              Returned(ElementsAre(0, 0, 0, 0, 0, 0, 0, IsErrno(ENOENT), IsErrno(EINVAL))))
      << "the lock goes over to the new root";
}

KASSAY_CASE_F(LockedMounts, InheritedLocksCountForTheOwnerOfAnOwnNamespace, Cites("MNT-098")) {
  const std::string tree = TmpfsWithCover("tree");
  EXPECT_THAT(InChild([&] {
                const Steps<2> made{EnterUserNamespaceAsUser(CLONE_NEWNS), NamespaceOf(tree)};
                const UniqueFd ns = Own(NamespaceOf(tree, kAtRecursive));
                return Steps<5>{made[0], made[1], Setns(ns.Get()), Exists("/hidden/cover"),
                                Umount("/hidden")};
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL), 0, 0, IsErrno(EINVAL))));
}

KASSAY_CASE_F(LockedMounts, ALockedStackLocksTheNewTree, Cites("MNT-099")) {
  const std::string tree = Tmpfs("tree");
  const std::string own = Dir("own");
  EXPECT_THAT(InChild([&] {
                const long ready = EnterUserNamespaceAsUser(CLONE_NEWNS);
                const long fresh = Mount("kassay", own, "tmpfs");
                const UniqueFd inherited = Own(NamespaceOf(tree));
                const UniqueFd mine = Own(NamespaceOf(own));
                const UniqueFd here = OwnNamespace();
                return Steps<7>{ready,
                                fresh,
                                Setns(inherited.Get()),
                                Umount("/"),
                                Setns(here.Get()) == 0 ? Setns(mine.Get()) : -EIO,
                                Umount("/"),
                                NrMounts(mine.Get())};
              }),
              Returned(ElementsAre(0, 0, 0, IsErrno(EINVAL), 0, IsErrno(EINVAL), 1)));
}

KASSAY_CASE_F(LockedMounts, APartialCopyFromAForeignUserNamespaceUncoversNothing,
              Cites("MNT-100")) {
  const std::string tree = TmpfsWithCover("tree");
  EXPECT_THAT(InChild([&] {
                return Steps<2>{EnterUserNamespaceAsUser(), NamespaceOf(tree)};
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL))));
  EXPECT_THAT(InChild([&] {
                static_cast<void>(EnterCopy(tree, 0));
                return Exists("/hidden/secret");
              }),
              Returned(Ne(0)))
      << "what a mount of the host hid can be read";
}

KASSAY_CASE_F(LockedMounts, APartialCopyMayLeaveOutMountsBesideIt, Cites("MNT-116")) {
  const std::string tree = TmpfsWithCover("tree");
  EXPECT_EQ(Mkdir(tree + "/plain"), 0);
  EXPECT_EQ(CreateFile(tree + "/plain/file"), 0);
  EXPECT_THAT(InChild([&] {
                return Steps<2>{EnterCopy(tree + "/plain", 0), Exists("/file")};
              }),
              Returned(ElementsAre(0, 0)));
}

KASSAY_CASE_F(LockedMounts, AnUnbindableCoverGoesAlongToAForeignUserNamespace, Cites("MNT-101")) {
  const std::string tree = TmpfsWithCover("tree");
  ASSERT_EQ(SetPropagation(tree + "/hidden", MS_UNBINDABLE), 0);
  EXPECT_THAT(InChild([&] {
                return Steps<3>{EnterCopy(tree), Exists("/hidden/cover"), Exists("/hidden/secret")};
              }),
              Returned(ElementsAre(0, 0, IsErrno(ENOENT))));
}

KASSAY_CASE_F(LockedMounts, AnUnbindableLockedCoverStopsTheCopy, Cites("MNT-102")) {
  const std::string tree = TmpfsWithCover("tree");
  ASSERT_EQ(SetPropagation(tree + "/hidden", MS_UNBINDABLE), 0);
  EXPECT_THAT(
      InChild([&] {
        return Steps<2>{EnterUserNamespaceAsUser(CLONE_NEWNS), NamespaceOf(tree, kAtRecursive)};
      }),
      Returned(ElementsAre(0, IsErrno(EPERM))));
}

// proc and sysfs may be mounted in a user namespace only where a full view of them is there
// already: a copy without one must not become a way around what a host had covered
// (fs/namespace.c:mount_too_revealing).
KASSAY_CASE_F(LockedMounts, ACopyWithoutProcGrantsNoFreshProc, Cites("MNT-119")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_EQ(Mkdir(tree + "/fresh"), 0);
  const auto mount_proc_in = [](const std::string& source, const std::string& point) {
    return InChild([&] {
      const long ready = EnterUserNamespaceAsUser(CLONE_NEWPID);
      const auto mounted = InChild([&] {
        const UniqueFd ns = Own(NamespaceOf(source, kAtRecursive));
        return Steps<2>{Setns(ns.Get()), Mount("proc", point, "proc")};
      });
      return Steps<3>{ready, mounted.value ? (*mounted.value)[0] : -ECHILD,
                      mounted.value ? (*mounted.value)[1] : -ECHILD};
    });
  };
  EXPECT_THAT(mount_proc_in(tree, "/fresh"), Returned(ElementsAre(0, 0, IsErrno(EPERM))));
  EXPECT_THAT(mount_proc_in("/", tree + "/fresh"), Returned(ElementsAre(0, 0, 0)));
  // A proc of which a part is covered, and locked in the copy, is not all of it.
  ASSERT_EQ(Mount("kassay", "/proc/sys", "tmpfs"), 0);
  EXPECT_THAT(mount_proc_in("/", tree + "/fresh"), Returned(ElementsAre(0, 0, IsErrno(EPERM))));
  ASSERT_EQ(Umount("/proc/sys"), 0);
}

}  // namespace kassay::mount
