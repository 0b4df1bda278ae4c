// listmount(2): which namespace, from where, in which order, and who may ask.
#include <algorithm>
#include <vector>

#include "suites/mount/mount_test.h"

namespace kassay::mount {

class Listmount : public MountTest {
 protected:
  static long Try(const MntIdReq& request, unsigned flags = 0, size_t count = 64) {
    std::array<uint64_t, 64> ids{};
    return mount::Listmount(request, ids.data(), count, flags);
  }
  static std::vector<uint64_t> Listed(const MntIdReq& request, unsigned flags, size_t room) {
    std::vector<uint64_t> ids(room);
    const long count = mount::Listmount(request, ids.data(), room, flags);
    ids.resize(count < 0 ? 0 : static_cast<size_t>(count));
    return ids;
  }
};

KASSAY_CASE_F(Listmount, ChecksTheRequest, Cites("MNT-162", "MNT-163", "MNT-173")) {
  EXPECT_GT(Try({.mnt_id = kLsmtRoot}), 0);
  EXPECT_THAT(Try({.size = 23, .mnt_id = kLsmtRoot}), IsErrno(EINVAL));
  EXPECT_THAT(Try({.size = 5000, .mnt_id = kLsmtRoot}), IsErrno(E2BIG));
  EXPECT_THAT(Try({.mnt_id = 1}), IsErrno(EINVAL));
  for (int bit = 1; bit < 32; ++bit)
    EXPECT_THAT(Try({.mnt_id = kLsmtRoot}, 1U << bit), IsErrno(EINVAL)) << bit;
  EXPECT_THAT(Try({.mnt_id = kLsmtRoot}, 0, 1000001), IsErrno(EOVERFLOW));
  EXPECT_THAT(Try({.mnt_id = kLsmtRoot, .param = 5}), IsErrno(EINVAL)) << "an old id as the cursor";
  EXPECT_THAT(Try({.mnt_id = kLsmtRoot, .param = kLastNonUniqueId}), IsErrno(EINVAL));
  EXPECT_GE(Try({.mnt_id = kLsmtRoot, .param = kLastNonUniqueId + 1}), 0);
}

KASSAY_CASE_F(Listmount, GoesOnAfterTheCursor, Cites("MNT-175")) {
  static_cast<void>(Tmpfs("a"));
  static_cast<void>(Tmpfs("b"));
  const std::vector<uint64_t> all = ListMounts();
  ASSERT_GE(all.size(), 4U);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  const std::vector<uint64_t> rest(all.begin() + 2, all.end());
  EXPECT_EQ(Listed({.mnt_id = kLsmtRoot, .param = all[1]}, 0, 64), rest);
  const std::vector<uint64_t> one(all.begin(), all.begin() + 1);
  EXPECT_EQ(Listed({.mnt_id = kLsmtRoot}, 0, 1), one);
  EXPECT_EQ(Listed({.mnt_id = kLsmtRoot, .param = all.back()}, 0, 64).size(), 0U);
  const std::vector<uint64_t> reversed(all.rbegin(), all.rend());
  EXPECT_EQ(Listed({.mnt_id = kLsmtRoot}, kListmountReverse, 64), reversed);
  const std::vector<uint64_t> before{all[1], all[0]};
  EXPECT_EQ(Listed({.mnt_id = kLsmtRoot, .param = all[2]}, kListmountReverse, 64), before);
  EXPECT_EQ(Listed({.mnt_id = kLsmtRoot, .param = all[0]}, kListmountReverse, 64).size(), 0U);
}

KASSAY_CASE_F(Listmount, ListsNothingAfterTheLastCursor, Cites("MNT-174")) {
  EXPECT_EQ(Try({.mnt_id = kLsmtRoot, .param = ~uint64_t{0}}), 0);
  EXPECT_EQ(Try({.mnt_id = kLsmtRoot, .param = ~uint64_t{0} - 1}), 0);
}

KASSAY_CASE_F(Listmount, TakesADescriptorOfTheNamespace, Cites("MNT-168", "MNT-169", "MNT-175")) {
  HeldChild elsewhere([] { return Unshare(CLONE_NEWNS); });
  ASSERT_EQ(elsewhere.Value(), 0);
  const UniqueFd ns = Own(Open(elsewhere.Proc("ns/mnt"), O_RDONLY));
  const UniqueFd user_ns = Own(Open("/proc/self/ns/user", O_RDONLY));
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  const auto by_fd = [](int fd, uint64_t ns_id = 0) {
    return MntIdReq{.fd = static_cast<uint32_t>(fd), .mnt_id = kLsmtRoot, .mnt_ns_id = ns_id};
  };
  EXPECT_EQ(Try(by_fd(ns.Get())), CountMounts());
  MntIdReq first_version = by_fd(ns.Get());
  first_version.size = kMntIdReqSizeVer0;
  EXPECT_EQ(Try(first_version), CountMounts());
  EXPECT_EQ(Try(by_fd(ns.Get()), kListmountReverse), CountMounts());
  EXPECT_THAT(Try(by_fd(ns.Get(), static_cast<uint64_t>(NamespaceId(ns.Get())))), IsErrno(EINVAL));
  EXPECT_THAT(Try(by_fd(reading.Get())), IsErrno(EINVAL));
  EXPECT_THAT(Try(by_fd(user_ns.Get())), IsErrno(EINVAL));
  EXPECT_THAT(Try(by_fd(999)), IsErrno(EBADF));
  EXPECT_THAT(CountMounts(uint64_t{1} << 40), IsErrno(ENOENT));
}

KASSAY_CASE_F(Listmount, AsksForPrivilegeByIdAndNotByDescriptor, Cites("MNT-170", "MNT-171")) {
  HeldChild elsewhere([] { return Unshare(CLONE_NEWNS); });
  ASSERT_EQ(elsewhere.Value(), 0);
  const UniqueFd ns = Own(Open(elsewhere.Proc("ns/mnt"), O_RDONLY));
  const auto id = static_cast<uint64_t>(NamespaceId(ns.Get()));
  EXPECT_THAT(InChild([&] {
                return Steps<4>{CountMounts(id), SwitchToUser(kUnprivilegedUid + 1),
                                CountMounts(id), CountMountsByFd(ns.Get())};
              }),
              Returned(ElementsAre(Gt(0), 0, IsErrno(ENOENT), Gt(0))));
}

KASSAY_CASE_F(Listmount, ReadsDescriptorZeroAsNone, Cites("MNT-177")) {
  static_cast<void>(Tmpfs("tree"));
  HeldChild elsewhere([&] { return FirstError({Unshare(CLONE_NEWNS), Umount(Path("tree"))}); });
  ASSERT_EQ(elsewhere.Value(), 0);
  const UniqueFd ns = Own(Open(elsewhere.Proc("ns/mnt"), O_RDONLY));
  const long own = CountMounts();
  EXPECT_EQ(CountMountsByFd(ns.Get()), own - 1);
  EXPECT_THAT(InChild([&] {
                return Steps<2>{OrErrno(dup2(ns.Get(), 0)), CountMountsByFd(0)};
              }),
              Returned(ElementsAre(0, own)));
}

KASSAY_CASE_F(Listmount, AnEmptiedNamespaceIsEmpty, Cites("MNT-176")) {
  const UniqueFd ns = Own(NamespaceOf(Tmpfs("tree")));
  const HeldChild inside([&] { return Steps<3>{Setns(ns.Get()), Umount("/"), CountMounts()}; });
  ASSERT_TRUE(inside.Value().has_value());
  EXPECT_THAT(*inside.Value(), ElementsAre(0, 0, 0));
  EXPECT_EQ(NrMounts(ns.Get()), 0);
  EXPECT_THAT(CountMountsByFd(ns.Get()), IsErrno(ENOENT));
  EXPECT_THAT(CountMounts(static_cast<uint64_t>(NamespaceId(ns.Get()))), IsErrno(ENOENT));
}

class UnmountedMount : public MountTest {};

KASSAY_CASE_F(UnmountedMount, CannotBeChangedOrCloned, Cites("MNT-178")) {
  const std::string tree = Tmpfs("tree");
  static_cast<void>(Tmpfs("tree/child"));
  const UniqueFd dir = Own(Open(tree, O_PATH));
  ASSERT_EQ(Umount(tree), 0);
  const MountAttr ro{.attr_set = kMountAttrRdonly, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
  const MountAttr shared{.attr_set = 0, .attr_clr = 0, .propagation = MS_SHARED, .userns_fd = 0};
  EXPECT_THAT(MountSetattr(dir.Get(), "", kAtEmptyPath, ro), IsErrno(EINVAL));
  EXPECT_THAT(MountSetattr(dir.Get(), "", kAtEmptyPath | kAtRecursive, shared), IsErrno(EINVAL));
  EXPECT_THAT(OpenTree(dir.Get(), "", kOpenTreeClone | kAtEmptyPath), IsErrno(EINVAL));
  EXPECT_THAT(OpenTree(dir.Get(), "", kOpenTreeClone | kAtEmptyPath | kAtRecursive),
              IsErrno(EINVAL));
}

}  // namespace kassay::mount
