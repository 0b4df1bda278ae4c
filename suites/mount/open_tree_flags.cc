// open_tree(OPEN_TREE_NAMESPACE): flags, privileges and lookup, and which of them is judged first.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>

#include <cstddef>

#include "suites/mount/mount_test.h"
#include "suites/support/scoped_sysctl.h"

namespace kassay::mount {

class OpenTreeNamespace : public MountTest {};

KASSAY_CASE_F(OpenTreeNamespace, OfADirectoryIsAReadableNamespaceFile, Cites("MNT-001")) {
  const UniqueFd ns = Own(NamespaceOf(Tmpfs("tree")));
  ASSERT_TRUE(ns.IsOpen());
  EXPECT_EQ(FsMagicOfFd(ns.Get()), static_cast<long>(kNsfsMagic));
  EXPECT_EQ(ioctl(ns.Get(), kNsGetNstype, 0), CLONE_NEWNS);
  // Not O_PATH: the ioctls of nsfs work on it.
  EXPECT_EQ(fcntl(ns.Get(), F_GETFL) & (O_ACCMODE | O_PATH), O_RDONLY);
  EXPECT_NE(InodeOfFd(ns.Get()), InodeAt("/proc/self/ns/mnt")) << "the caller's own namespace";
}

KASSAY_CASE_F(OpenTreeNamespace, LeavesTheCallerWhereItIs, Cites("MNT-025")) {
  const std::string tree = Tmpfs("tree");
  const long inode = InodeAt("/proc/self/ns/mnt");
  const long id = OwnNamespaceId();
  const uint64_t root = MountIdAt("/");
  const std::vector<uint64_t> mounts = ListMounts();
  const UniqueFd ns = Own(NamespaceOf(tree, kAtRecursive));
  ASSERT_TRUE(ns.IsOpen());
  EXPECT_EQ(InodeAt("/proc/self/ns/mnt"), inode);
  EXPECT_EQ(OwnNamespaceId(), id);
  EXPECT_EQ(MountIdAt("/"), root);
  EXPECT_EQ(ListMounts(), mounts);
  EXPECT_EQ(FsMagic(tree), static_cast<long>(kTmpfsMagic));
}

KASSAY_CASE_F(OpenTreeNamespace, ExcludesClone, Cites("MNT-003")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_THAT(OpenTree(AT_FDCWD, tree, kOpenTreeClone | kOpenTreeNamespace), IsErrno(EINVAL));
  EXPECT_THAT(OpenTree(AT_FDCWD, tree, kOpenTreeClone | kOpenTreeNamespace | kAtRecursive),
              IsErrno(EINVAL));
  EXPECT_TRUE(Own(OpenTree(AT_FDCWD, tree, kOpenTreeClone)).IsOpen());
}

KASSAY_CASE_F(OpenTreeNamespace, RecursionNeedsSomethingToCopy, Cites("MNT-004", "MNT-005")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_THAT(OpenTree(AT_FDCWD, tree, kAtRecursive), IsErrno(EINVAL));
  EXPECT_TRUE(Own(OpenTree(AT_FDCWD, tree, kAtRecursive | kOpenTreeNamespace)).IsOpen());
  EXPECT_TRUE(Own(OpenTree(AT_FDCWD, tree, kAtRecursive | kOpenTreeClone)).IsOpen());
}

KASSAY_CASE_F(OpenTreeNamespace, RefusesEveryUnknownFlag, Cites("MNT-006")) {
  const std::string tree = Tmpfs("tree");
  constexpr unsigned kKnown = kOpenTreeClone | kOpenTreeNamespace | kOpenTreeCloexec |
                              kAtSymlinkNofollow | kAtNoAutomount | kAtEmptyPath | kAtRecursive;
  for (int bit = 0; bit < 32; ++bit) {
    const unsigned flag = 1U << bit;
    if ((kKnown & flag) != 0) continue;
    EXPECT_THAT(OpenTree(AT_FDCWD, tree, kOpenTreeNamespace | flag), IsErrno(EINVAL))
        << "bit " << bit;
  }
}

KASSAY_CASE_F(OpenTreeNamespace, TakesEveryKnownFlag, Cites("MNT-026")) {
  const std::string tree = Tmpfs("tree");
  for (const unsigned flag :
       {kOpenTreeCloexec, kAtSymlinkNofollow, kAtNoAutomount, kAtEmptyPath, kAtRecursive}) {
    EXPECT_TRUE(Own(OpenTree(AT_FDCWD, tree, kOpenTreeNamespace | flag)).IsOpen())
        << std::hex << flag;
  }
}

KASSAY_CASE_F(OpenTreeNamespace, ClosesOnExecOnlyOnRequest, Cites("MNT-007")) {
  const std::string tree = Tmpfs("tree");
  const UniqueFd inherited = Own(OpenTree(AT_FDCWD, tree, kOpenTreeNamespace));
  const UniqueFd closed = Own(OpenTree(AT_FDCWD, tree, kOpenTreeNamespace | kOpenTreeCloexec));
  EXPECT_EQ(fcntl(inherited.Get(), F_GETFD), 0);
  EXPECT_EQ(fcntl(closed.Get(), F_GETFD), FD_CLOEXEC);
}

KASSAY_CASE_F(OpenTreeNamespace, TakesADescriptorInsteadOfAPath,
              Cites("MNT-008", "MNT-009", "MNT-010")) {
  const UniqueFd path_only = Own(Open(Tmpfs("tree"), O_PATH));
  const UniqueFd readable = Own(Open(Path("tree"), O_RDONLY));
  EXPECT_TRUE(Own(NamespaceOfFd(path_only.Get())).IsOpen());
  EXPECT_TRUE(Own(NamespaceOfFd(readable.Get())).IsOpen());
  EXPECT_THAT(OpenTree(path_only.Get(), "", kOpenTreeNamespace), IsErrno(ENOENT));
  EXPECT_THAT(OpenTree(path_only.Get(), nullptr, kOpenTreeNamespace | kAtEmptyPath),
              IsErrno(EFAULT));
  EXPECT_THAT(OpenTree(path_only.Get(), nullptr, kOpenTreeNamespace), IsErrno(EFAULT));
}

KASSAY_CASE_F(OpenTreeNamespace, ReportsABadLookupAndOpensNothing, Cites("MNT-011")) {
  const int free_fd = dup(0);
  ASSERT_GE(free_fd, 0);
  close(free_fd);
  EXPECT_THAT(OpenTree(-1, "tree", kOpenTreeNamespace), IsErrno(EBADF));
  EXPECT_THAT(OpenTree(free_fd, "", kOpenTreeNamespace | kAtEmptyPath), IsErrno(EBADF));
  EXPECT_THAT(NamespaceOf(Path("none")), IsErrno(ENOENT));
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address that is never mapped
  EXPECT_THAT(OpenTree(AT_FDCWD, reinterpret_cast<const char*>(1), kOpenTreeNamespace),
              IsErrno(EFAULT));
  const int next_fd = dup(0);
  close(next_fd);
  EXPECT_EQ(next_fd, free_fd) << "a failed call has left a descriptor behind";
}

KASSAY_CASE_F(OpenTreeNamespace, RefusesWhatIsNoDirectory, Cites("MNT-012")) {
  ASSERT_EQ(CreateFile(Path("file")), 0);
  ASSERT_EQ(symlink("/", Path("link").c_str()), 0);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  const UniqueFd ns = OwnNamespace();
  EXPECT_THAT(NamespaceOf(Path("file")), IsErrno(ENOTDIR));
  EXPECT_THAT(NamespaceOf(Path("file"), kAtRecursive), IsErrno(ENOTDIR));
  EXPECT_THAT(NamespaceOf("/dev/null"), IsErrno(ENOTDIR));
  EXPECT_THAT(NamespaceOf("/proc/self/ns/mnt"), IsErrno(ENOTDIR));
  EXPECT_THAT(NamespaceOfFd(ns.Get()), IsErrno(ENOTDIR));
  EXPECT_THAT(NamespaceOfFd(reading.Get()), IsErrno(ENOTDIR));
  EXPECT_THAT(NamespaceOf(Path("link"), kAtSymlinkNofollow), IsErrno(ENOTDIR));
  EXPECT_THAT(NamespaceOf(Path("link"), kAtSymlinkNofollow | kAtEmptyPath), IsErrno(ENOTDIR));
}

KASSAY_CASE_F(OpenTreeNamespace, RefusesAFileThatIsAMountOfItsOwn, Cites("MNT-012")) {
  ASSERT_EQ(CreateFile(Path("file")), 0);
  ASSERT_EQ(Bind(Path("file"), Path("file")), 0);
  EXPECT_THAT(NamespaceOf(Path("file")), IsErrno(ENOTDIR));
}

KASSAY_CASE_F(OpenTreeNamespace, FollowsALinkToADirectory, Cites("MNT-013")) {
  const std::string tree = Tmpfs("tree");
  ASSERT_EQ(symlink("tree", Path("link").c_str()), 0);
  const UniqueFd ns = Own(NamespaceOf(Path("link")));
  ASSERT_TRUE(ns.IsOpen());
  EXPECT_THAT(InChild([&] {
                return Steps<2>{Setns(ns.Get()), Exists("/tree")};
              }),
              Returned(ElementsAre(0, 0)));
}

KASSAY_CASE_F(OpenTreeNamespace, JudgesFlagsBeforePrivilegesBeforeThePath,
              Cites("MNT-014", "MNT-015")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_THAT(InChild([&] {
                return Steps<6>{
                    SwitchToUser(),
                    NamespaceOf(tree, kOpenTreeClone),
                    NamespaceOf(tree, 0x4),
                    NamespaceOf(tree),
                    NamespaceOf(tree + "/none"),
                    // NOLINTNEXTLINE(performance-no-int-to-ptr)
                    OpenTree(-1, reinterpret_cast<const char*>(1), kOpenTreeNamespace),
                };
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL), IsErrno(EINVAL), IsErrno(EPERM),
                                   IsErrno(EPERM), IsErrno(EPERM))));
}

KASSAY_CASE_F(OpenTreeNamespace, ToleratesAnUnlinkedDirectory, Cites("MNT-017")) {
  const UniqueFd gone = Own(Open(Dir("gone"), O_PATH));
  ASSERT_EQ(rmdir(Path("gone").c_str()), 0);
  const UniqueFd ns = Own(NamespaceOfFd(gone.Get()));
  ASSERT_TRUE(ns.IsOpen());
  EXPECT_EQ(NrMounts(ns.Get()), 1);
}

KASSAY_CASE_F(OpenTreeNamespace, RefusesWhatIsNoLongerMounted, Cites("MNT-018")) {
  const UniqueFd tree = Own(Open(Tmpfs("tree"), O_PATH));
  ASSERT_TRUE(Own(NamespaceOfFd(tree.Get())).IsOpen());
  ASSERT_EQ(Umount(Path("tree")), 0);
  EXPECT_THAT(NamespaceOfFd(tree.Get()), IsErrno(EINVAL));
  EXPECT_THAT(NamespaceOfFd(tree.Get(), kAtRecursive), IsErrno(EINVAL));
}

KASSAY_CASE_F(OpenTreeNamespace, RefusesMountsOfAnotherNamespace, Cites("MNT-019")) {
  const std::string tree = Tmpfs("tree");
  const HeldChild elsewhere([] { return Unshare(CLONE_NEWNS); });
  ASSERT_EQ(elsewhere.Value(), 0);
  EXPECT_THAT(NamespaceOf(elsewhere.Proc("root") + tree), IsErrno(EINVAL));
  EXPECT_THAT(NamespaceOf(elsewhere.Proc("root") + tree, kAtRecursive), IsErrno(EINVAL));
  // The other direction: the caller has moved, its old descriptor has not.
  const UniqueFd before = Own(Open(tree, O_PATH));
  EXPECT_THAT(InChild([&] {
                return Steps<3>{Unshare(CLONE_NEWNS), NamespaceOfFd(before.Get()),
                                FirstError({NamespaceOf(tree)})};
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL), 0)));
}

KASSAY_CASE_F(OpenTreeNamespace, AcceptsTheCallersDetachedTrees, Cites("MNT-020")) {
  const std::string tree = Tmpfs("tree");
  ASSERT_EQ(Mkdir(tree + "/below"), 0);
  const UniqueFd clone = Own(OpenTree(AT_FDCWD, tree, kOpenTreeClone));
  EXPECT_TRUE(Own(NamespaceOfFd(clone.Get())).IsOpen());
  const UniqueFd below = Own(OpenTree(clone.Get(), "below", kOpenTreeNamespace));
  ASSERT_TRUE(below.IsOpen());
  EXPECT_TRUE(RootMountOf(static_cast<uint64_t>(NamespaceId(below.Get()))).root == "/below");

  // With children, and without an end to the detached tree.
  ASSERT_EQ(Mount("kassay", tree + "/below", "tmpfs"), 0);
  const UniqueFd both = Own(OpenTree(AT_FDCWD, tree, kOpenTreeClone | kAtRecursive));
  EXPECT_EQ(NrMounts(Own(NamespaceOfFd(both.Get())).Get()), 1);
  EXPECT_EQ(NrMounts(Own(NamespaceOfFd(both.Get(), kAtRecursive)).Get()), 2);
  EXPECT_EQ(OrErrno(faccessat(both.Get(), "tree", F_OK, 0)), 0);
  EXPECT_EQ(MoveMount(both.Get(), "", AT_FDCWD, Dir("to"), kMoveMountFEmptyPath), 0);

  const UniqueFd fs = Own(Fsopen("tmpfs"));
  ASSERT_EQ(Fsconfig(fs.Get(), kFsconfigCmdCreate, nullptr, nullptr), 0);
  const UniqueFd fresh = Own(Fsmount(fs.Get(), 0));
  const UniqueFd ns = Own(NamespaceOfFd(fresh.Get()));
  ASSERT_TRUE(ns.IsOpen());
  EXPECT_EQ(NrMounts(ns.Get()), 1);
}

KASSAY_CASE_F(OpenTreeNamespace, RefusesAnUnbindableMount, Cites("MNT-021")) {
  const std::string tree = Tmpfs("tree");
  ASSERT_TRUE(Own(NamespaceOf(tree)).IsOpen());
  ASSERT_EQ(SetPropagation(tree, MS_UNBINDABLE), 0);
  EXPECT_THAT(NamespaceOf(tree), IsErrno(EINVAL));
  EXPECT_THAT(NamespaceOf(tree, kAtRecursive), IsErrno(EINVAL));
}

KASSAY_CASE_F(OpenTreeNamespace, RefusesAnUnbindableMountFromAForeignUserNamespace,
              Cites("MNT-103")) {
  const std::string tree = Tmpfs("tree");
  ASSERT_EQ(SetPropagation(tree, MS_UNBINDABLE), 0);
  EXPECT_THAT(InChild([&] {
                return Steps<3>{EnterUserNamespaceAsUser(), NamespaceOf(tree),
                                NamespaceOf(tree, kAtRecursive)};
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL), IsErrno(EINVAL))));
}

KASSAY_CASE_F(OpenTreeNamespace, AFailureLeavesNothingBehind, Cites("MNT-027")) {
  const std::string tree = Tmpfs("tree");
  ASSERT_EQ(SetPropagation(tree, MS_UNBINDABLE), 0);
  const auto namespaces = [] {
    std::array<uint64_t, 512> ids{};
    return Listns({.ns_type = CLONE_NEWNS}, ids.data(), ids.size(), 0);
  };
  const long before = namespaces();
  const std::vector<uint64_t> mounts = ListMounts();
  for (int round = 0; round < 20; ++round) {
    EXPECT_THAT(NamespaceOf(tree), IsErrno(EINVAL));
    EXPECT_THAT(NamespaceOf(tree, kAtRecursive), IsErrno(EINVAL));
  }
  long after = namespaces();
  for (int wait = 0; wait < 100 && after > before; ++wait) {
    poll(nullptr, 0, 10);
    after = namespaces();
  }
  EXPECT_EQ(after, before) << "namespaces in all";
  EXPECT_EQ(ListMounts(), mounts);
}

KASSAY_CASE_F(OpenTreeNamespace, DoesNotCareWhoSharesTheFsStruct, Cites("MNT-022")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_THAT(InChild([&] {
                // A CLONE_FS child that lives until the end.
                const long peer = Call(SYS_clone, CLONE_FS | SIGCHLD, nullptr, nullptr, nullptr, 0);
                if (peer == 0) {
                  pause();
                  _exit(0);
                }
                const UniqueFd ns = Own(NamespaceOf(tree));
                const long opened = ns.IsOpen() ? 0 : -errno;
                kill(static_cast<pid_t>(peer), SIGKILL);
                return opened;
              }),
              Returned(0));
}

KASSAY_CASE_F(OpenTreeNamespace, DoesNotCareForNoNewPrivs, Cites("MNT-023")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_THAT(InChild([&] {
                return Steps<2>{OrErrno(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)), NamespaceOf(tree)};
              }),
              Returned(ElementsAre(0, Succeeded())));
}

KASSAY_CASE_F(OpenTreeNamespace, CanBeFilteredBySeccompInARegister, Cites("MNT-024")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_THAT(
      InChild([&] {
        std::array<sock_filter, 6> code{{
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kNrOpenTree, 0, 3),
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args) + 2 * sizeof(uint64_t)),
            BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kOpenTreeNamespace, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTNAM),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        }};
        const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
        return Steps<3>{FirstError({OrErrno(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)),
                                    Call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)}),
                        NamespaceOf(tree), OpenTree(AT_FDCWD, tree, kOpenTreeClone)};
      }),
      Returned(ElementsAre(0, IsErrno(ENOTNAM), Succeeded())));
}

}  // namespace kassay::mount
