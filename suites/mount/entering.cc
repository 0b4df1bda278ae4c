// setns(2) into a namespace made by OPEN_TREE_NAMESPACE, and what a task can do there.
#include <sys/socket.h>

#include "suites/mount/mount_test.h"
#include "suites/support/scoped_sysctl.h"

namespace kassay::mount {

class Entering : public MountTest {
 protected:
  static long CwdIs(const std::string& path) {
    std::array<char, 256> text{};
    return getcwd(text.data(), text.size()) != nullptr && path == text.data();
  }
};

KASSAY_CASE_F(Entering, MovesRootAndWorkingDirectoryToTheTree, Cites("MNT-060")) {
  const std::string tree = Tmpfs("tree");
  const UniqueFd ns = Own(NamespaceOf(tree));
  for (const int type : {0, CLONE_NEWNS}) {
    EXPECT_THAT(
        InChild([&] {
          return Steps<7>{Chdir(Path("")), Setns(ns.Get(), type), CwdIs("/"),  Exists("/tree"),
                          Exists("tree"),  Exists(tree),          FsMagic("/")};
        }),
        Returned(ElementsAre(0, 0, true, 0, 0, IsErrno(ENOENT), static_cast<long>(kTmpfsMagic))));
  }
}

KASSAY_CASE_F(Entering, LeavesNoWayUpOutOfTheTree, Cites("MNT-057")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_EQ(Mkdir(tree + "/sub"), 0);
  const UniqueFd ns = Own(NamespaceOf(tree + "/sub"));
  EXPECT_THAT(InChild([&] {
                const long entered = Setns(ns.Get());
                struct stat here {
                }, above{};
                return Steps<6>{entered,
                                OrErrno(stat("/", &here)),
                                OrErrno(stat("/../../..", &above)),
                                here.st_ino == above.st_ino && here.st_dev == above.st_dev,
                                Exists("/../tree"),
                                Exists("/../../tmp")};
              }),
              Returned(ElementsAre(0, 0, 0, true, IsErrno(ENOENT), IsErrno(ENOENT))));
}

KASSAY_CASE_F(Entering, NeedsBothCapabilities, Cites("MNT-061", "MNT-062")) {
  const std::string tree = Tmpfs("tree");
  const UniqueFd ns = Own(NamespaceOf(tree));
  EXPECT_THAT(InChild([&] {
                return Steps<3>{DropCapability(CAP_SYS_CHROOT), Setns(ns.Get()), NamespaceOf(tree)};
              }),
              Returned(ElementsAre(0, IsErrno(EPERM), Succeeded())));
  EXPECT_THAT(InChild([&] {
                return Steps<4>{DropCapability(CAP_SYS_ADMIN), Setns(ns.Get()), NamespaceOf(tree),
                                OpenTree(AT_FDCWD, tree, 0)};
              }),
              Returned(ElementsAre(0, IsErrno(EPERM), IsErrno(EPERM), Succeeded())));
  EXPECT_THAT(InChild([&] {
                // Every other capability may go.
                for (int capability = 0; capability <= CAP_CHECKPOINT_RESTORE; ++capability)
                  if (capability != CAP_SYS_ADMIN && capability != CAP_SYS_CHROOT)
                    static_cast<void>(DropCapability(capability));
                return Steps<2>{NamespaceOf(tree), Setns(ns.Get())};
              }),
              Returned(ElementsAre(Succeeded(), 0)));
}

// Whoever owns a user namespace has every capability over it; entering a mount namespace of it
// still takes both of the caller's own.
KASSAY_CASE_F(Entering, OwningTheNamespaceDoesNotReplaceCapabilities, Cites("MNT-061")) {
  HeldChild owned([] { return EnterUserNamespace(CLONE_NEWNS); });
  ASSERT_EQ(owned.Value(), 0);
  const UniqueFd ns = Own(Open(owned.Proc("ns/mnt"), O_RDONLY));
  for (const int missing : {CAP_SYS_CHROOT, CAP_SYS_ADMIN}) {
    EXPECT_THAT(InChild([&] {
                  const long dropped = DropCapability(missing);
                  return Steps<3>{dropped, Setns(ns.Get()), MountIdAt("/") != 0};
                }),
                Returned(ElementsAre(0, IsErrno(EPERM), 1)))
        << "capability " << missing;
  }
  EXPECT_THAT(InChild([&] { return Setns(ns.Get()); }), Returned(0));
}

KASSAY_CASE_F(Entering, NeedsTheRightType, Cites("MNT-063")) {
  const UniqueFd ns = Own(NamespaceOf(Tmpfs("tree")));
  EXPECT_THAT(InChild([&] {
                return Steps<3>{Setns(ns.Get(), CLONE_NEWNET), Setns(ns.Get(), CLONE_NEWUSER),
                                Exists("/tree")};
              }),
              Returned(ElementsAre(IsErrno(EINVAL), IsErrno(EINVAL), IsErrno(ENOENT))));
}

KASSAY_CASE_F(Entering, NeedsAnFsStructOfItsOwn, Cites("MNT-064")) {
  const UniqueFd ns = Own(NamespaceOf(Tmpfs("tree")));
  EXPECT_THAT(InChild([&] {
                const long peer = Call(SYS_clone, CLONE_FS | SIGCHLD, nullptr, nullptr, nullptr, 0);
                if (peer == 0) {
                  pause();
                  _exit(0);
                }
                const Steps<5> seen{Setns(ns.Get()), Exists("/tree"), Unshare(CLONE_FS),
                                    Setns(ns.Get()), Exists("/tree")};
                kill(static_cast<pid_t>(peer), SIGKILL);
                return seen;
              }),
              Returned(ElementsAre(IsErrno(EINVAL), IsErrno(ENOENT), 0, 0, 0)));
}

KASSAY_CASE_F(Entering, WorksThroughThePidfdOfATaskInside, Cites("MNT-065")) {
  const UniqueFd ns = Own(NamespaceOf(Tmpfs("tree")));
  const HeldChild inside([&] { return Setns(ns.Get()); });
  ASSERT_EQ(inside.Value(), 0);
  EXPECT_THAT(InChild([&] {
                return Steps<2>{Setns(inside.PidFd(), CLONE_NEWNS), Exists("/tree")};
              }),
              Returned(ElementsAre(0, 0)));
}

KASSAY_CASE_F(Entering, FindsNoFileSystemsThatNobodyMounted, Cites("MNT-066")) {
  const std::string tree = Tmpfs("tree");
  for (const char* name : {"/proc", "/sys", "/dev"}) EXPECT_EQ(Mkdir(tree + name), 0);
  const UniqueFd ns = Own(NamespaceOf(tree));
  EXPECT_THAT(InChild([&] {
                return Steps<5>{Setns(ns.Get()), Exists("/proc/self"), Exists("/sys/kernel"),
                                Exists("/dev/null"), CountMounts()};
              }),
              Returned(ElementsAre(0, IsErrno(ENOENT), IsErrno(ENOENT), IsErrno(ENOENT), 1)));
}

KASSAY_CASE_F(Entering, ShowsOneLineOfMountinfoWithAHiddenParent, Cites("MNT-067")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_EQ(Mkdir(tree + "/proc"), 0);
  const UniqueFd ns = Own(NamespaceOf(tree));
  const auto host_id = static_cast<uint64_t>(NamespaceId(ns.Get()));
  const MountStatus root = RootMountOf(host_id);
  EXPECT_THAT(InChild([&] {
                const long entered = FirstError({Setns(ns.Get()), Mount("proc", "/proc", "proc")});
                const UniqueFd file = Own(Open("/proc/self/mountinfo", O_RDONLY));
                std::string text(8192, '\0');
                const ssize_t size = read(file.Get(), text.data(), text.size());
                text.resize(size < 0 ? 0 : static_cast<size_t>(size));
                unsigned id = 0;
                unsigned parent = 0;
                sscanf(text.c_str(), "%u %u", &id, &parent);
                long lines = 0;
                for (const char c : text) lines += c == '\n';
                return Steps<4>{entered, lines, static_cast<long>(id), static_cast<long>(parent)};
              }),
              Returned(ElementsAre(0, 2, static_cast<long>(root.raw.mnt_id_old),
                                   static_cast<long>(root.raw.mnt_parent_id_old))));
  EXPECT_NE(root.raw.mnt_id_old, root.raw.mnt_parent_id_old);
}

KASSAY_CASE_F(Entering, MayDetachTheTreeWhenNothingIsLocked, Cites("MNT-068")) {
  const UniqueFd ns = Own(NamespaceOf(Tmpfs("tree")));
  EXPECT_THAT(
      InChild([&] {
        return Steps<7>{Setns(ns.Get()), Umount("/"),  NrMounts(ns.Get()), Exists("/tree"),
                        Setns(ns.Get()), FsMagic("/"), Exists("/tree")};
      }),
      Returned(ElementsAre(0, 0, 0, 0, 0, static_cast<long>(kNullFsMagic), IsErrno(ENOENT))));
}

KASSAY_CASE_F(Entering, ANonLazyUmountOfTheRootMakesTheFileSystemReadOnly, Cites("MNT-069")) {
  const std::string tree = Tmpfs("tree");
  const UniqueFd ns = Own(NamespaceOf(tree));
  EXPECT_THAT(InChild([&] {
                return Steps<5>{Setns(ns.Get()), Mkdir("/before"), Umount("/", 0), Mkdir("/after"),
                                NrMounts(ns.Get())};
              }),
              Returned(ElementsAre(0, 0, 0, IsErrno(EROFS), 1)));
  EXPECT_THAT(Mkdir(tree + "/host"), IsErrno(EROFS)) << "the host's mount has the same superblock";
}

KASSAY_CASE_F(Entering, OldDescriptorsReadButDoNotMount, Cites("MNT-071")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_EQ(Mkdir(tree + "/point"), 0);
  const UniqueFd before = Own(Open(tree, O_RDONLY | O_DIRECTORY));
  const UniqueFd ns = Own(NamespaceOf(tree));
  EXPECT_THAT(InChild([&] {
                return Steps<5>{Setns(ns.Get()), OrErrno(faccessat(before.Get(), "tree", F_OK, 0)),
                                OrErrno(fchdir(before.Get())), Mount("kassay", "point", "tmpfs"),
                                Mount("kassay", "/point", "tmpfs")};
              }),
              Returned(ElementsAre(0, 0, 0, IsErrno(EINVAL), 0)));
}

KASSAY_CASE_F(Entering, ChargesMountsToTheNewNamespace, Cites("MNT-072")) {
  const std::string tree = Tmpfs("tree");
  for (const char* name : {"/a", "/b"}) EXPECT_EQ(Mkdir(tree + name), 0);
  const UniqueFd ns = Own(NamespaceOf(tree));
  // The host holds more mounts than this; the new namespace, with nullfs, two.
  const ScopedSysctl limit("fs/mount-max", "3");
  ASSERT_TRUE(limit.Ok());
  EXPECT_THAT(InChild([&] {
                return Steps<6>{Setns(ns.Get()),
                                Mount("kassay", "/a", "tmpfs"),
                                Mount("kassay", "/b", "tmpfs"),
                                NrMounts(ns.Get()),
                                Umount("/a"),
                                Mount("kassay", "/b", "tmpfs")};
              }),
              Returned(ElementsAre(0, 0, IsErrno(ENOSPC), 2, 0, 0)));
  EXPECT_THAT(Mount("kassay", Path("tree/a"), "tmpfs"), IsErrno(ENOSPC)) << "the host is full";
}

}  // namespace kassay::mount
