// fs.mount-max and user.max_mnt_namespaces: what they count, and that errors give back what they
// took.
#include <poll.h>

#include "suites/mount/mount_test.h"
#include "suites/support/scoped_sysctl.h"

namespace kassay::mount {

class Limits : public MountTest {};

KASSAY_CASE_F(Limits, TheMountLimitDoesNotConcernCopies, Cites("MNT-080")) {
  const std::string tree = Tmpfs("tree");
  const std::string point = Dir("point");
  const ScopedSysctl limit("fs/mount-max", "1");
  ASSERT_TRUE(limit.Ok());
  EXPECT_TRUE(Own(NamespaceOf(tree)).IsOpen());
  const UniqueFd all = Own(NamespaceOf("/", kAtRecursive));
  EXPECT_EQ(NrMounts(all.Get()), OwnNrMounts());
  EXPECT_TRUE(Own(OpenTree(AT_FDCWD, tree, kOpenTreeClone)).IsOpen());
  EXPECT_THAT(InChild([] { return Unshare(CLONE_NEWNS); }), Returned(0));
  EXPECT_THAT(Mount("kassay", point, "tmpfs"), IsErrno(ENOSPC));
}

KASSAY_CASE_F(Limits, TheNamespaceLimitConcernsEveryCopy, Cites("MNT-081", "MNT-082")) {
  const std::string tree = Tmpfs("tree");
  ScopedSysctl limit("user/max_mnt_namespaces", "0");
  ASSERT_TRUE(limit.Ok());
  EXPECT_THAT(NamespaceOf(tree), IsErrno(ENOSPC));
  EXPECT_THAT(NamespaceOf(tree, kAtRecursive), IsErrno(ENOSPC));
  EXPECT_THAT(OpenTree(AT_FDCWD, tree, kOpenTreeClone), IsErrno(ENOSPC));
  ASSERT_TRUE(limit.Set("1000"));
  EXPECT_TRUE(Own(NamespaceOf(tree)).IsOpen());
}

KASSAY_CASE_F(Limits, ANonDirectoryIsSeenBeforeTheLimit, Cites("MNT-016")) {
  ASSERT_EQ(CreateFile(Path("file")), 0);
  const ScopedSysctl limit("user/max_mnt_namespaces", "0");
  ASSERT_TRUE(limit.Ok());
  EXPECT_THAT(NamespaceOf(Path("file")), IsErrno(ENOTDIR));
}

// A user namespace has counters of its own, so that a limit there does not depend on the rest of
// the guest.
KASSAY_CASE_F(Limits, CountsExactlyTheNamespacesThatExist, Cites("MNT-083")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_THAT(InChild([&] {
                const long ready = FirstError(
                    {EnterUserNamespace(), WriteToFile("/proc/sys/user/max_mnt_namespaces", "3")});
                UniqueFd first = Own(NamespaceOf(tree));
                const UniqueFd second = Own(NamespaceOf(tree));
                const UniqueFd third = Own(NamespaceOf(tree));
                const long one_too_many = NamespaceOf(tree);
                first.Reset();
                // Its place comes back, though not at once.
                long again = -ENOSPC;
                for (int round = 0; round < 200 && again == -ENOSPC; ++round) {
                  again = NamespaceOf(tree);
                  if (again < 0) poll(nullptr, 0, 10);
                }
                return Steps<5>{ready, third.IsOpen(), one_too_many, FirstError({again}),
                                NamespaceOf(tree)};
              }),
              Returned(ElementsAre(0, true, IsErrno(ENOSPC), 0, IsErrno(ENOSPC))));
}

KASSAY_CASE_F(Limits, AFailedCallGivesItsPlaceBack, Cites("MNT-084")) {
  const std::string tree = Tmpfs("tree");
  const std::string unbindable = Tmpfs("unbindable");
  ASSERT_EQ(SetPropagation(unbindable, MS_UNBINDABLE), 0);
  EXPECT_THAT(InChild([&] {
                const long ready = FirstError(
                    {EnterUserNamespace(), WriteToFile("/proc/sys/user/max_mnt_namespaces", "2")});
                long refused = 0;
                for (int round = 0; round < 10; ++round) {
                  // Past the limit it would be ENOSPC; a place on its way back is waited for.
                  long seen = NamespaceOf(unbindable);
                  for (int wait = 0; wait < 100 && seen == -ENOSPC; ++wait) {
                    poll(nullptr, 0, 10);
                    seen = NamespaceOf(unbindable);
                  }
                  refused += seen == -EINVAL;
                }
                long made = -ENOSPC;
                for (int wait = 0; wait < 100 && made == -ENOSPC; ++wait) {
                  made = NamespaceOf(tree);
                  if (made < 0) poll(nullptr, 0, 10);
                }
                return Steps<3>{ready, refused, FirstError({made})};
              }),
              Returned(ElementsAre(0, 10, 0)));
}

KASSAY_CASE_F(Limits, ATooLongMountListLeavesTheTargetAsItWas, Cites("MNT-085")) {
  const std::string tree = Tmpfs("tree");
  for (const char* name : {"one", "two", "three"})
    static_cast<void>(Tmpfs(std::string("tree/") + name));
  const std::string target = Tmpfs("target");
  const long before = OwnNrMounts();
  // Room for two more, where four are wanted.
  const ScopedSysctl limit("fs/mount-max", std::to_string(before + 3));
  ASSERT_TRUE(limit.Ok());
  EXPECT_THAT(Bind(tree, target, MS_REC), IsErrno(ENOSPC));
  EXPECT_EQ(OwnNrMounts(), before);
  EXPECT_EQ(Exists(target + "/target"), 0) << "nothing covers it";
  // Whatever the failed call had reserved is free again: exactly two fit.
  EXPECT_EQ(Bind(tree, target), 0);
  EXPECT_EQ(Bind(tree, target), 0);
  EXPECT_THAT(Bind(tree, target), IsErrno(ENOSPC));
}

}  // namespace kassay::mount
