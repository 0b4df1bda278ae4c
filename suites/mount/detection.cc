// How a runtime finds out what a kernel has: the exact answer, on kernels with and without the
// feature.
#include <sys/wait.h>

#include "suites/mount/mount_test.h"

namespace kassay::mount {

class Detection : public MountTest {
 protected:
  // One of two answers, and which one must agree with another look at the same feature.
  static long AnswerOf(bool present, long if_present, long if_absent) {
    return present ? if_present : if_absent;
  }
  static bool HasNamespaceFlag() {
    return OpenTree(-1, "", kOpenTreeNamespace | kOpenTreeCloexec) != -EINVAL;
  }
};

KASSAY_CASE_F(Detection, OfOpenTreeNamespace, Cites("MNT-002").Detection()) {
  const bool present = HasNamespaceFlag();
  const std::string tree = Tmpfs("tree");
  const int free_fd = dup(0);
  close(free_fd);
  // Without the flag every path and every caller gets EINVAL, and nothing is opened.
  EXPECT_EQ(OpenTree(-1, "", kOpenTreeNamespace), AnswerOf(present, -ENOENT, -EINVAL));
  EXPECT_EQ(NamespaceOf(tree + "/none"), AnswerOf(present, -ENOENT, -EINVAL));
  const long opened = NamespaceOf(tree);
  EXPECT_EQ(opened, AnswerOf(present, free_fd, -EINVAL));
  EXPECT_EQ(NamespaceOf(tree, kAtRecursive) < 0, !present);
  EXPECT_THAT(
      InChild([&] {
        return Steps<3>{SwitchToUser(), NamespaceOf(tree), OpenTree(-1, "", kOpenTreeNamespace)};
      }),
      Returned(
          ElementsAre(0, AnswerOf(present, -EPERM, -EINVAL), AnswerOf(present, -EPERM, -EINVAL))));
  if (present) close_range(static_cast<unsigned>(opened), static_cast<unsigned>(opened) + 1, 0);
}

KASSAY_CASE_F(Detection, OfAFilterInFrontOfTheCall, Cites("MNT-003").Detection()) {
  // Every kernel judges flags first, so that this is EINVAL for everybody; anything else is a
  // filter.
  EXPECT_THAT(OpenTree(-1, "", kOpenTreeClone | kOpenTreeNamespace), IsErrno(EINVAL));
  EXPECT_THAT(
      InChild([] {
        return Steps<2>{SwitchToUser(), OpenTree(-1, "", kOpenTreeClone | kOpenTreeNamespace)};
      }),
      Returned(ElementsAre(0, IsErrno(EINVAL))));
}

KASSAY_CASE_F(Detection, OfStatmountByFd, Cites("MNT-151").Detection()) {
  const UniqueFd dir = Own(Open(Tmpfs("tree"), O_PATH));
  // The kernel's own word beside it: nullfs came with the same release and is seen without the
  // flag.
  const bool present = StatMountByFd(dir.Get(), kSupportedMask).error != -EINVAL;
  EXPECT_EQ(StatMountByFd(dir.Get(), kMntBasic).error, AnswerOf(present, 0, -EINVAL));
  EXPECT_EQ(StatMountByFd(-1, kMntBasic).error, AnswerOf(present, -EBADF, -EINVAL));
}

KASSAY_CASE_F(Detection, OfNullfsUnderTheRoot, Cites("MNT-148").Detection()) {
  const long detached = InChild([] {
                          return FirstError({Unshare(CLONE_NEWNS), Umount("/")});
                        }).value.value_or(-ECHILD);
  const MountStatus root = StatMountAt("/");
  const bool present = root.raw.mnt_parent_id != root.raw.mnt_id && root.raw.mnt_parent_id != 0;
  EXPECT_EQ(detached, AnswerOf(present, 0, -EINVAL));
  const long pivoted =
      InChild([&] {
        return FirstError({Unshare(CLONE_NEWNS), Mount("kassay", Path(""), "tmpfs"),
                           Chdir(Path("")), PivotRoot(".", ".")});
      }).value.value_or(-ECHILD);
  EXPECT_EQ(pivoted, AnswerOf(present, 0, -EINVAL));
}

KASSAY_CASE_F(Detection, OfFsmountNamespace, Cites("MNT-217").Detection()) {
  const long seen = Fsmount(-1, kFsmountNamespace);
  EXPECT_THAT(seen, testing::AnyOf(IsErrno(EINVAL), IsErrno(EBADF)));
  const UniqueFd fs = Own(Fsopen("tmpfs"));
  ASSERT_EQ(Fsconfig(fs.Get(), kFsconfigCmdCreate, nullptr, nullptr), 0);
  const UniqueFd ns = Own(Fsmount(fs.Get(), kFsmountNamespace));
  EXPECT_EQ(ns.IsOpen(), seen == -EBADF);
}

KASSAY_CASE_F(Detection, OfEmptyMountNamespaces, Cites("MNT-218").Detection()) {
  const auto by_unshare = InChild([] {
    const long unshared = Unshare(kUnshareEmptyMntns);
    return Steps<2>{unshared, FsMagic("/")};
  });
  ASSERT_TRUE(by_unshare.value.has_value());
  const bool present = (*by_unshare.value)[0] == 0;
  EXPECT_EQ((*by_unshare.value)[0], AnswerOf(present, 0, -EINVAL));
  EXPECT_EQ((*by_unshare.value)[1] == static_cast<long>(kNullFsMagic), present)
      << "a refused call leaves the caller where it was";
  CloneArgs args{};
  args.flags = kCloneEmptyMntns;
  args.exit_signal = SIGCHLD;
  const long pid = Call(kNrClone3, &args, sizeof args);
  if (pid == 0) _exit(0);
  EXPECT_EQ(pid > 0, present);
  if (pid > 0) {
    waitpid(static_cast<pid_t>(pid), nullptr, 0);
  } else {
    EXPECT_THAT(pid, IsErrno(EINVAL));
  }
}

KASSAY_CASE_F(Detection, OfMountsBeneathTheRoot, Cites("MNT-219").Detection()) {
  const auto seen = InChild([] {
    const UniqueFd fs = Own(Fsopen("tmpfs"));
    Fsconfig(fs.Get(), kFsconfigCmdCreate, nullptr, nullptr);
    const UniqueFd tree = Own(Fsmount(fs.Get(), 0));
    const long unshared = Unshare(CLONE_NEWNS);
    const long moved =
        MoveMount(tree.Get(), "", AT_FDCWD, "/", kMoveMountFEmptyPath | kMoveMountBeneath);
    return Steps<3>{unshared, moved, StatMountAt("/").raw.mnt_parent_id == MountIdOfFd(tree.Get())};
  });
  ASSERT_TRUE(seen.value.has_value());
  EXPECT_EQ((*seen.value)[0], 0);
  EXPECT_THAT((*seen.value)[1], testing::AnyOf(0, IsErrno(EINVAL)));
  EXPECT_EQ((*seen.value)[2] != 0, (*seen.value)[1] == 0);
}

KASSAY_CASE_F(Detection, OfFailfs, Cites("MNT-220").Detection()) {
  EXPECT_THAT(InChild([] { return OrErrno(fchdir(kFdFailfsRoot)); }),
              Returned(testing::AnyOf(0, IsErrno(EBADF))));
}

}  // namespace kassay::mount
