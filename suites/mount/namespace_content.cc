// What a namespace made by OPEN_TREE_NAMESPACE holds: nullfs, the named tree, and nothing else.
#include "suites/mount/mount_test.h"

namespace kassay::mount {

class NamespaceContent : public MountTest {
 protected:
  // The namespace's id, or 0.
  static uint64_t Id(const UniqueFd& ns) {
    const long id = NamespaceId(ns.Get());
    return id < 0 ? 0 : static_cast<uint64_t>(id);
  }
};

KASSAY_CASE_F(NamespaceContent, IsOneTreeOnAnInvisibleNullfs,
              Cites("MNT-030", "MNT-031", "MNT-032")) {
  ASSERT_EQ(Mkdir(Tmpfs("tree") + "/d"), 0);
  const UniqueFd ns = Own(NamespaceOf(Path("tree/d")));
  ASSERT_TRUE(ns.IsOpen());
  EXPECT_EQ(NrMounts(ns.Get()), 1) << "the root mount itself is not counted";
  EXPECT_EQ(CountMountsByFd(ns.Get()), 1);
  const std::vector<uint64_t> listed = ListMounts(Id(ns));
  ASSERT_EQ(listed.size(), 1U);

  const MountStatus tree = StatMount(listed[0], Id(ns));
  ASSERT_EQ(tree.error, 0);
  EXPECT_EQ(tree.point, "/");
  EXPECT_EQ(tree.root, "/d");
  EXPECT_EQ(tree.fs_type, "tmpfs");
  EXPECT_EQ(tree.raw.mnt_ns_id, Id(ns));
  EXPECT_NE(tree.raw.mnt_id, MountIdAt(Path("tree"))) << "a copy, not the mount itself";

  const MountStatus nullfs = StatMount(tree.raw.mnt_parent_id, Id(ns));
  ASSERT_EQ(nullfs.error, 0);
  EXPECT_EQ(nullfs.fs_type, "nullfs");
  EXPECT_EQ(nullfs.raw.sb_magic, kNullFsMagic);
  EXPECT_EQ(nullfs.source, "nullfs");
  EXPECT_EQ(nullfs.raw.mnt_parent_id, nullfs.raw.mnt_id) << "its own parent: the top";
  EXPECT_EQ(nullfs.raw.mnt_propagation, kPrivate);
  EXPECT_FALSE(nullfs.Has(kMntPoint)) << "nowhere visible";
  EXPECT_EQ(nullfs.raw.mnt_ns_id, Id(ns));
  EXPECT_EQ(CountMounts(Id(ns), nullfs.raw.mnt_id), 1) << "nothing else lies on it";
}

KASSAY_CASE_F(NamespaceContent, HasItsOwnNullfsMountEachTime, Cites("MNT-052")) {
  const std::string tree = Tmpfs("tree");
  const UniqueFd first = Own(NamespaceOf(tree));
  const UniqueFd second = Own(NamespaceOf(tree));
  const MountStatus a = RootMountOf(Id(first));
  const MountStatus b = RootMountOf(Id(second));
  ASSERT_EQ(a.error, 0);
  ASSERT_EQ(b.error, 0);
  EXPECT_NE(Id(first), Id(second));
  EXPECT_NE(a.raw.mnt_id, b.raw.mnt_id);
  EXPECT_NE(a.raw.mnt_parent_id, b.raw.mnt_parent_id);
  EXPECT_NE(a.raw.mnt_parent_id, StatMountAt("/").raw.mnt_parent_id) << "the host's nullfs mount";
  EXPECT_GT(a.raw.mnt_id, kLastNonUniqueId);
}

KASSAY_CASE_F(NamespaceContent, CopiesChildrenOnlyOnRequest, Cites("MNT-033", "MNT-034")) {
  const std::string tree = Tmpfs("tree");
  static_cast<void>(Tmpfs("tree/one"));
  static_cast<void>(Tmpfs("tree/two"));
  static_cast<void>(Tmpfs("tree/two/three"));
  const UniqueFd alone = Own(NamespaceOf(tree));
  const UniqueFd all = Own(NamespaceOf(tree, kAtRecursive));
  EXPECT_EQ(NrMounts(alone.Get()), 1);
  EXPECT_EQ(CountMountsByFd(alone.Get()), 1);
  EXPECT_EQ(NrMounts(all.Get()), 4);
  EXPECT_EQ(CountMountsByFd(all.Get()), 4);
  // What the child covered is seen without it, and the child's own file with it.
  EXPECT_THAT(InChild([&] {
                return Steps<2>{Setns(alone.Get()), Exists("/one/one")};
              }),
              Returned(ElementsAre(0, IsErrno(ENOENT))));
  EXPECT_THAT(InChild([&] {
                return Steps<3>{Setns(all.Get()), Exists("/one/one"), Exists("/two/three/three")};
              }),
              Returned(ElementsAre(0, 0, 0)));
}

KASSAY_CASE_F(NamespaceContent, OfASubfolderLeavesOutMountsBesideIt, Cites("MNT-053")) {
  const std::string tree = Tmpfs("tree");
  static_cast<void>(Tmpfs("tree/beside"));
  static_cast<void>(Dir("tree/sub"));
  static_cast<void>(Tmpfs("tree/sub/below"));
  const UniqueFd ns = Own(NamespaceOf(tree + "/sub", kAtRecursive));
  EXPECT_EQ(NrMounts(ns.Get()), 2) << "the subfolder and the mount below it";
  EXPECT_THAT(InChild([&] {
                return Steps<3>{Setns(ns.Get()), Exists("/below/below"), Exists("/beside")};
              }),
              Returned(ElementsAre(0, 0, IsErrno(ENOENT))));
}

KASSAY_CASE_F(NamespaceContent, OfTheRootRecursivelyIsTheWholeHost, Cites("MNT-035")) {
  const UniqueFd ns = Own(NamespaceOf("/", kAtRecursive));
  ASSERT_TRUE(ns.IsOpen());
  EXPECT_EQ(NrMounts(ns.Get()), OwnNrMounts());
  EXPECT_EQ(CountMountsByFd(ns.Get()), CountMounts());
}

KASSAY_CASE_F(NamespaceContent, LeavesOutUnbindableChildren, Cites("MNT-036")) {
  const std::string tree = Tmpfs("tree");
  const std::string child = Tmpfs("tree/child");
  ASSERT_EQ(NrMounts(Own(NamespaceOf(tree, kAtRecursive)).Get()), 2);
  ASSERT_EQ(SetPropagation(child, MS_UNBINDABLE), 0);
  EXPECT_EQ(NrMounts(Own(NamespaceOf(tree, kAtRecursive)).Get()), 1);
}

KASSAY_CASE_F(NamespaceContent, LeavesOutFilesOfMountNamespacesOnly, Cites("MNT-037", "MNT-038")) {
  const std::string tree = Tmpfs("tree");
  ASSERT_EQ(CreateFile(tree + "/net"), 0);
  ASSERT_EQ(Bind("/proc/self/ns/net", tree + "/net"), 0);
  EXPECT_EQ(NrMounts(Own(NamespaceOf(tree, kAtRecursive)).Get()), 2);
  // A newer mount namespace may be bound here; it does not go along.
  const UniqueFd newer = Own(NamespaceOf(tree));
  ASSERT_EQ(CreateFile(tree + "/mnt"), 0);
  ASSERT_EQ(Bind("/proc/self/fd/" + std::to_string(newer.Get()), tree + "/mnt"), 0);
  EXPECT_EQ(NrMounts(Own(NamespaceOf(tree, kAtRecursive)).Get()), 2);
}

KASSAY_CASE_F(NamespaceContent, KeepsTheMountsAttributes, Cites("MNT-039")) {
  const std::string tree = Tmpfs("tree", MS_RDONLY | MS_NOSUID);
  const UniqueFd ns = Own(NamespaceOf(tree));
  constexpr uint64_t kFour =
      kMountAttrRdonly | kMountAttrNosuid | kMountAttrNodev | kMountAttrNoexec;
  EXPECT_EQ(RootMountOf(Id(ns)).raw.mnt_attr & kFour, kMountAttrRdonly | kMountAttrNosuid);
  EXPECT_THAT(InChild([&] {
                return Steps<2>{Setns(ns.Get()), Mkdir("/new")};
              }),
              Returned(ElementsAre(0, IsErrno(EROFS))));
  const UniqueFd plain = Own(NamespaceOf(Tmpfs("plain")));
  EXPECT_EQ(RootMountOf(Id(plain)).raw.mnt_attr & kFour, 0U);
  EXPECT_THAT(InChild([&] {
                return Steps<2>{Setns(plain.Get()), Mkdir("/new")};
              }),
              Returned(ElementsAre(0, 0)));
}

KASSAY_CASE_F(NamespaceContent, KeepsTheMountsIdMapping, Cites("MNT-040")) {
  const std::string tree = Tmpfs("tree");
  const HeldChild mapped([] { return EnterUserNamespaceAsUser(); });
  ASSERT_EQ(mapped.Value(), 0);
  const UniqueFd user_ns = Own(Open(mapped.Proc("ns/user"), O_RDONLY));
  const UniqueFd source = Own(OpenTree(AT_FDCWD, tree, kOpenTreeClone));
  ASSERT_EQ(MountSetattr(source.Get(), "", kAtEmptyPath,
                         {.attr_set = kMountAttrIdmap,
                          .attr_clr = 0,
                          .propagation = 0,
                          .userns_fd = static_cast<uint64_t>(user_ns.Get())}),
            0);
  const UniqueFd ns = Own(NamespaceOfFd(source.Get()));
  ASSERT_TRUE(ns.IsOpen());
  const uint64_t root = RootMountOf(Id(ns)).raw.mnt_id;
  const MountStatus seen = StatMount(root, Id(ns), kMntBasic | kMntUidmap);
  EXPECT_EQ(seen.raw.mnt_attr & kMountAttrIdmap, kMountAttrIdmap);
  EXPECT_EQ(seen.raw.mnt_uidmap_num, 1U);
  // Root's file, id 0 on disk, is the mapped user's here.
  EXPECT_THAT(
      InChild([&] {
        struct stat file {};
        const long entered = Setns(ns.Get());
        return Steps<3>{entered, OrErrno(stat("/tree", &file)), static_cast<long>(file.st_uid)};
      }),
      Returned(ElementsAre(0, 0, static_cast<long>(kUnprivilegedUid))));
}

KASSAY_CASE_F(NamespaceContent, TakesTheTopmostMountOfAPath, Cites("MNT-041")) {
  const std::string below = Tmpfs("stack");
  ASSERT_EQ(Mount("kassay", below, "tmpfs"), 0);
  ASSERT_EQ(CreateFile(below + "/top"), 0);
  const UniqueFd ns = Own(NamespaceOf(below));
  EXPECT_EQ(NrMounts(ns.Get()), 1);
  EXPECT_THAT(InChild([&] {
                return Steps<3>{Setns(ns.Get()), Exists("/top"), Exists("/stack")};
              }),
              Returned(ElementsAre(0, 0, IsErrno(ENOENT))));
}

KASSAY_CASE_F(NamespaceContent, OfADescriptorIsTheCoveredMount, Cites("MNT-042", "MNT-043")) {
  const std::string stack = Tmpfs("stack");
  const UniqueFd before = Own(Open(stack, O_PATH));
  ASSERT_EQ(Mount("kassay", stack, "tmpfs"), 0);
  ASSERT_EQ(CreateFile(stack + "/top"), 0);
  const UniqueFd alone = Own(NamespaceOfFd(before.Get()));
  EXPECT_EQ(NrMounts(alone.Get()), 1);
  EXPECT_THAT(InChild([&] {
                return Steps<3>{Setns(alone.Get()), Exists("/stack"), Exists("/top")};
              }),
              Returned(ElementsAre(0, 0, IsErrno(ENOENT))));
  // With the children comes the cover, and it is what one lands on.
  const UniqueFd both = Own(NamespaceOfFd(before.Get(), kAtRecursive));
  EXPECT_EQ(NrMounts(both.Get()), 2);
  EXPECT_THAT(InChild([&] {
                return Steps<3>{Setns(both.Get()), Exists("/top"), Exists("/stack")};
              }),
              Returned(ElementsAre(0, 0, IsErrno(ENOENT))));
}

KASSAY_CASE_F(NamespaceContent, OfSlashIsTheCallersRootMountUnderItsCover, Cites("MNT-044")) {
  EXPECT_THAT(
      InChild([&] {
        const long covered = FirstError({Unshare(CLONE_NEWNS), Mount("kassay", "/", "tmpfs")});
        const UniqueFd root = Own(NamespaceOf("/"));
        const UniqueFd top = Own(NamespaceOf("/.."));
        return Steps<3>{covered, RootMountOf(Id(root)).fs_type == "tmpfs",
                        RootMountOf(Id(top)).fs_type == "tmpfs"};
      }),
      Returned(ElementsAre(0, false, true)));
}

KASSAY_CASE_F(NamespaceContent, AttachesNothingToTheHost, Cites("MNT-045")) {
  const std::string tree = Tmpfs("tree");
  const long before = OwnNrMounts();
  const std::vector<uint64_t> listed = ListMounts();
  const UniqueFd ns = Own(NamespaceOf("/", kAtRecursive));
  const UniqueFd other = Own(NamespaceOf(tree));
  ASSERT_TRUE(ns.IsOpen() && other.IsOpen());
  EXPECT_EQ(OwnNrMounts(), before);
  EXPECT_EQ(ListMounts(), listed);
}

KASSAY_CASE_F(NamespaceContent, KeepsMountsMadeInsideFromTheHost, Cites("MNT-054")) {
  const std::string tree = Tmpfs("tree");
  const UniqueFd ns = Own(NamespaceOf(tree));
  const UniqueFd host = OwnNamespace();
  EXPECT_EQ(Mkdir(tree + "/in"), 0);
  EXPECT_EQ(Mkdir(tree + "/out"), 0);
  EXPECT_THAT(
      InChild([&] {
        return Steps<3>{Setns(ns.Get()), Mount("kassay", "/in", "tmpfs"), NrMounts(ns.Get())};
      }),
      Returned(ElementsAre(0, 0, 2)));
  EXPECT_NE(MountIdAt(tree + "/in"), 0U);
  EXPECT_EQ(MountIdAt(tree + "/in"), MountIdAt(tree)) << "no mount on the host";
  ASSERT_EQ(Mount("kassay", tree + "/out", "tmpfs"), 0);
  EXPECT_EQ(NrMounts(ns.Get()), 2) << "the host's new mount has come in";
}

KASSAY_CASE_F(NamespaceContent, IsNoPathNoFileAndNoMountSource, Cites("MNT-049")) {
  const UniqueFd ns = Own(NamespaceOf(Tmpfs("tree")));
  ASSERT_TRUE(ns.IsOpen());
  char byte = 0;
  EXPECT_THAT(OrErrno(openat(ns.Get(), ".", O_RDONLY)), IsErrno(ENOTDIR));
  EXPECT_THAT(OrErrno(read(ns.Get(), &byte, 1)), IsErrno(EINVAL));
  EXPECT_THAT(MoveMount(ns.Get(), "", AT_FDCWD, Dir("to"), kMoveMountFEmptyPath), IsErrno(EINVAL));
  EXPECT_THAT(OrErrno(fchdir(ns.Get())), IsErrno(ENOTDIR));
}

KASSAY_CASE_F(NamespaceContent, CanBeNested, Cites("MNT-050")) {
  const UniqueFd outer = Own(NamespaceOf(Tmpfs("tree")));
  EXPECT_THAT(InChild([&] {
                const long entered = Setns(outer.Get());
                const UniqueFd inner = Own(NamespaceOf("/"));
                const MountStatus root = RootMountOf(Id(inner));
                const MountStatus top = StatMount(root.raw.mnt_parent_id, Id(inner));
                return Steps<6>{entered,
                                NrMounts(inner.Get()),
                                top.fs_type == "nullfs",
                                Id(inner) != Id(outer),
                                Setns(inner.Get()),
                                Exists("/tree")};
              }),
              Returned(ElementsAre(0, 1, true, true, 0, 0)));
}

KASSAY_CASE_F(NamespaceContent, OfAChrootedCallerEndsAtItsChroot, Cites("MNT-051")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_EQ(Mkdir(tree + "/jail"), 0);
  EXPECT_EQ(CreateFile(tree + "/jail/inside"), 0);
  EXPECT_THAT(InChild([&] {
                const long chrooted = FirstError({Chroot(tree + "/jail"), Chdir("/")});
                const UniqueFd ns = Own(NamespaceOf("/"));
                return Steps<7>{chrooted,
                                Setns(ns.Get()),
                                Exists("/inside"),
                                Exists("/../tree"),
                                Exists("/../inside"),
                                NrMounts(ns.Get()),
                                RootMountOf(Id(ns)).root == "/jail"};
              }),
              Returned(ElementsAre(0, 0, 0, IsErrno(ENOENT), 0, 1, true)));
}

KASSAY_CASE_F(NamespaceContent, ACallerInAChrootMayStillMakeOne, Cites("MNT-110")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_THAT(InChild([&] {
                return Steps<3>{FirstError({Chroot(tree), Chdir("/")}), Unshare(CLONE_NEWUSER),
                                NamespaceOf("/")};
              }),
              Returned(ElementsAre(0, IsErrno(EPERM), Succeeded())));
}

}  // namespace kassay::mount
