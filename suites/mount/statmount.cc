// statmount(2), by id and by descriptor (STATMOUNT_BY_FD).
#include <cstring>
#include <vector>

#include "suites/mount/mount_test.h"

namespace kassay::mount {

class StatmountByFd : public MountTest {
 protected:
  static MntIdReq Request(int fd, uint64_t mask = kMntBasic) {
    return {.fd = static_cast<uint32_t>(fd), .param = mask};
  }
  static long Try(const MntIdReq& request, unsigned flags = kStatmountByFd) {
    std::array<char, 8192> buffer{};
    return Statmount(request, buffer.data(), buffer.size(), flags);
  }
};

KASSAY_CASE_F(StatmountByFd, TellsTheMountOfAnyFileOnIt, Cites("MNT-150")) {
  const std::string tree = Tmpfs("tree", MS_NOSUID);
  const UniqueFd dir = Own(Open(tree, O_PATH));
  const UniqueFd file = Own(Open(tree + "/tree", O_RDONLY));
  for (const int fd : {dir.Get(), file.Get()}) {
    const MountStatus seen = StatMountByFd(fd);
    ASSERT_EQ(seen.error, 0);
    EXPECT_EQ(seen.raw.mnt_id, MountIdAt(tree));
    EXPECT_EQ(seen.raw.mnt_parent_id, MountIdAt(Path("")));
    EXPECT_EQ(seen.raw.mnt_attr & kMountAttrNosuid, kMountAttrNosuid);
    EXPECT_EQ(seen.raw.mnt_ns_id, static_cast<uint64_t>(OwnNamespaceId()));
    EXPECT_EQ(seen.point, tree);
    EXPECT_EQ(seen.root, "/");
    EXPECT_EQ(seen.source, "kassay");
  }
}

KASSAY_CASE_F(StatmountByFd, ExcludesTheIds, Cites("MNT-152")) {
  const UniqueFd dir = Own(Open(Tmpfs("tree"), O_PATH));
  MntIdReq with_id = Request(dir.Get());
  with_id.mnt_id = MountIdAt(Path("tree"));
  MntIdReq with_ns = Request(dir.Get());
  with_ns.mnt_ns_id = static_cast<uint64_t>(OwnNamespaceId());
  EXPECT_THAT(Try(with_id), IsErrno(EINVAL));
  EXPECT_THAT(Try(with_ns), IsErrno(EINVAL));
  EXPECT_EQ(Try(Request(dir.Get())), 0);
}

KASSAY_CASE_F(StatmountByFd, RefusesWhatIsNoMountOfANamespace, Cites("MNT-153", "MNT-154")) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  const UniqueFd ns = OwnNamespace();
  const UniqueFd ns_path = Own(Open("/proc/self/ns/mnt", O_PATH));
  EXPECT_THAT(Try(Request(999)), IsErrno(EBADF));
  EXPECT_THAT(Try(Request(-1)), IsErrno(EBADF));
  EXPECT_THAT(Try(Request(reading.Get())), IsErrno(EINVAL));
  EXPECT_THAT(Try(Request(ns.Get())), IsErrno(EINVAL));
  EXPECT_THAT(Try(Request(ns_path.Get())), IsErrno(EINVAL));
}

KASSAY_CASE_F(StatmountByFd, RefusesEveryOtherFlag, Cites("MNT-155")) {
  const UniqueFd dir = Own(Open(Tmpfs("tree"), O_PATH));
  for (int bit = 1; bit < 32; ++bit) {
    EXPECT_THAT(Try(Request(dir.Get()), 1U << bit), IsErrno(EINVAL)) << bit;
    EXPECT_THAT(Try(Request(dir.Get()), kStatmountByFd | 1U << bit), IsErrno(EINVAL)) << bit;
  }
}

KASSAY_CASE_F(StatmountByFd, TakesTheFirstVersionsRequest, Cites("MNT-156")) {
  const UniqueFd dir = Own(Open(Tmpfs("tree"), O_PATH));
  MntIdReq request = Request(dir.Get());
  request.size = kMntIdReqSizeVer0;
  EXPECT_EQ(Try(request), 0);
}

KASSAY_CASE_F(StatmountByFd, TrustsTheDescriptor, Cites("MNT-157")) {
  const UniqueFd ns = Own(NamespaceOf(Tmpfs("tree")));
  const HeldChild inside([&] {
    const long entered = Setns(ns.Get());
    return Steps<2>{entered, Open("/", O_PATH)};
  });
  ASSERT_TRUE(inside.Value() && (*inside.Value())[0] == 0);
  const UniqueFd theirs = inside.TakeFd((*inside.Value())[1]);
  ASSERT_TRUE(theirs.IsOpen());
  const auto id = static_cast<uint64_t>(NamespaceId(ns.Get()));
  EXPECT_THAT(InChild([&] {
                const long user = SwitchToUser();
                const MountStatus seen = StatMountByFd(theirs.Get());
                return Steps<4>{user, seen.error, seen.raw.mnt_ns_id == id, seen.point == "/"};
              }),
              Returned(ElementsAre(0, 0, true, true)));
}

KASSAY_CASE_F(StatmountByFd, TellsNoPathThatTheCallerCannotReach, Cites("MNT-158")) {
  const std::string tree = Tmpfs("tree");
  const std::string jail = Tmpfs("jail");
  const UniqueFd outside = Own(Open(tree, O_PATH));
  const uint64_t id = MountIdAt(tree);
  EXPECT_THAT(InChild([&] {
                const long chrooted = FirstError({Chroot(jail), Chdir("/")});
                const MountStatus by_fd = StatMountByFd(outside.Get());
                const long by_id = StatMount(id).error;
                return Steps<7>{
                    chrooted, by_fd.error,    by_fd.Has(kMntPoint), by_fd.Has(kMntBasic),
                    by_id,    SwitchToUser(), StatMount(id).error};
              }),
              Returned(ElementsAre(0, 0, false, true, 0, 0, IsErrno(EPERM))));
}

KASSAY_CASE_F(StatmountByFd, TellsOfAnUnmountedMountWhatIsLeft, Cites("MNT-159")) {
  const UniqueFd dir = Own(Open(Tmpfs("tree"), O_PATH));
  ASSERT_EQ(Umount(Path("tree")), 0);
  const MountStatus seen = StatMountByFd(dir.Get());
  ASSERT_EQ(seen.error, 0);
  EXPECT_EQ(seen.raw.mask, kEverything & ~(kMntPoint | kMntNsId));
  EXPECT_EQ(seen.raw.mnt_ns_id, 0U);
  EXPECT_EQ(seen.raw.mnt_parent_id, seen.raw.mnt_id);
}

KASSAY_CASE_F(StatmountByFd, KnowsDetachedTreesOnlyWithChildren, Cites("MNT-160", "MNT-161")) {
  const std::string alone = Tmpfs("alone");
  const UniqueFd single = Own(OpenTree(AT_FDCWD, alone, kOpenTreeClone));
  EXPECT_THAT(StatMountByFd(single.Get()).error, IsErrno(ENOENT));

  const std::string tree = Tmpfs("tree");
  static_cast<void>(Tmpfs("tree/child"));
  const UniqueFd both = Own(OpenTree(AT_FDCWD, tree, kOpenTreeClone | kAtRecursive));
  const UniqueFd child = Own(OrErrno(openat(both.Get(), "child", O_PATH | O_CLOEXEC)));
  const MountStatus root = StatMountByFd(both.Get());
  const MountStatus below = StatMountByFd(child.Get());
  EXPECT_EQ(root.error, 0);
  EXPECT_FALSE(root.Has(kMntPoint));
  EXPECT_EQ(below.error, 0);
  EXPECT_EQ(below.point, "/");
  EXPECT_EQ(below.raw.mnt_parent_id, root.raw.mnt_id);
}

KASSAY_CASE_F(StatmountByFd, NeverTellsADyingMountsOldParent, Cites("MNT-161")) {
  // The same mount before and after it is taken off, told apart only by what is in the mask.
  const UniqueFd dir = Own(Open(Tmpfs("tree"), O_PATH));
  const MountStatus before = StatMountByFd(dir.Get());
  ASSERT_EQ(Umount(Path("tree")), 0);
  const MountStatus after = StatMountByFd(dir.Get());
  EXPECT_TRUE(before.Has(kMntNsId));
  EXPECT_NE(before.raw.mnt_parent_id, before.raw.mnt_id);
  EXPECT_EQ(after.raw.mnt_id, before.raw.mnt_id);
  EXPECT_EQ(after.raw.mnt_parent_id, after.raw.mnt_id);
}

class StatmountById : public MountTest {
 protected:
  static long Try(const MntIdReq& request, size_t size = 8192) {
    std::vector<char> buffer(8192);
    return Statmount(request, buffer.data(), size, 0);
  }
};

KASSAY_CASE_F(StatmountById, ChecksTheRequest, Cites("MNT-162", "MNT-163", "MNT-164")) {
  const uint64_t id = MountIdAt(Tmpfs("tree"));
  EXPECT_EQ(Try({.mnt_id = id, .param = kMntBasic}), 0);
  EXPECT_THAT(Try({.size = 23, .mnt_id = id, .param = kMntBasic}), IsErrno(EINVAL));
  EXPECT_EQ(Try({.size = 24, .mnt_id = id, .param = kMntBasic}), 0);
  EXPECT_THAT(Try({.size = 5000, .mnt_id = id, .param = kMntBasic}), IsErrno(E2BIG));
  EXPECT_THAT(Try({.mnt_id = 1, .param = kMntBasic}), IsErrno(EINVAL));
  EXPECT_THAT(Try({.mnt_id = kLastNonUniqueId, .param = kMntBasic}), IsErrno(EINVAL));
  EXPECT_THAT(Try({.mnt_id = kLastNonUniqueId + (uint64_t{1} << 40), .param = kMntBasic}),
              IsErrno(ENOENT));
  EXPECT_THAT(Try({.mnt_id = kLsmtRoot, .param = kMntBasic}), IsErrno(ENOENT));
}

KASSAY_CASE_F(StatmountById, MindsTheBuffersSize, Cites("MNT-165", "MNT-166")) {
  const uint64_t id = MountIdAt(Tmpfs("tree"));
  std::vector<unsigned char> buffer(1024, 0xa5);
  EXPECT_EQ(Statmount({.mnt_id = id, .param = kMntBasic}, buffer.data(), 16, 0), 0);
  for (size_t at = 16; at < buffer.size(); ++at) ASSERT_EQ(buffer[at], 0xa5) << at;
  for (const size_t size : {size_t{16}, size_t{511}, size_t{512}, size_t{517}})
    EXPECT_THAT(Try({.mnt_id = id, .param = kFsType}, size), IsErrno(EOVERFLOW)) << size;
  // "tmpfs" and its end are six bytes; the empty string at offset 0 is one more.
  EXPECT_EQ(Try({.mnt_id = id, .param = kFsType}, 512 + 7), 0);
}

KASSAY_CASE_F(StatmountById, NeverWritesBehindTheBuffer, Cites("MNT-167")) {
  const uint64_t id = MountIdAt(Tmpfs("tree"));
  std::vector<unsigned char> buffer(1024, 0xa5);
  EXPECT_THAT(Statmount({.mnt_id = id, .param = kFsSubtype}, buffer.data(), 500, 0),
              IsErrno(EOVERFLOW));
  for (size_t at = 500; at < buffer.size(); ++at) ASSERT_EQ(buffer[at], 0xa5) << "byte " << at;
}

KASSAY_CASE_F(StatmountById, ReportsWhatItSupports, Cites("MNT-179")) {
  const MountStatus seen = StatMount(MountIdAt("/"), 0, kSupportedMask);
  ASSERT_EQ(seen.error, 0);
  EXPECT_EQ(seen.raw.mask, kSupportedMask);
  EXPECT_EQ(seen.raw.supported_mask & 0x7fff, 0x7fffU);
}

KASSAY_CASE_F(StatmountById, AnswersNobodyOutsideTheNamespace, Cites("MNT-170", "MNT-172")) {
  const uint64_t tree = MountIdAt(Tmpfs("tree"));
  const UniqueFd ns = Own(NamespaceOf(Path("tree")));
  const auto ns_id = static_cast<uint64_t>(NamespaceId(ns.Get()));
  const uint64_t theirs = RootMountOf(ns_id).raw.mnt_id;
  EXPECT_EQ(StatMount(tree, ns_id).error, -ENOENT) << "the host's mount is not in that namespace";
  EXPECT_EQ(StatMount(theirs).error, -ENOENT) << "and that one's not in the host's";
  EXPECT_EQ(StatMount(theirs, ns_id).error, 0);
  EXPECT_THAT(InChild([&] {
                return Steps<3>{SwitchToUser(), StatMount(theirs, ns_id).error, CountMounts(ns_id)};
              }),
              Returned(ElementsAre(0, IsErrno(EPERM), IsErrno(ENOENT))));
}

KASSAY_CASE_F(StatmountById, ShowsNothingOfTheHostFromWithin, Cites("MNT-058")) {
  const std::string tree = Tmpfs("tree");
  const uint64_t host_mount = MountIdAt(tree);
  const uint64_t host_root = MountIdAt("/");
  const auto host_ns = static_cast<uint64_t>(OwnNamespaceId());
  AllowUnprivilegedUserNamespaces();
  EXPECT_THAT(InChild([&] {
                const long ready = EnterUserNamespaceAsUser();
                const UniqueFd ns = Own(NamespaceOf(tree));
                return Steps<7>{ready,
                                Setns(ns.Get()),
                                StatMount(host_mount).error,
                                StatMount(host_root).error,
                                StatMount(host_root, host_ns).error,
                                CountMounts(host_ns),
                                CountMounts()};
              }),
              Returned(ElementsAre(0, 0, IsErrno(ENOENT), IsErrno(ENOENT), IsErrno(EPERM),
                                   IsErrno(ENOENT), 1)));
}

}  // namespace kassay::mount
