// fsmount(FSMOUNT_NAMESPACE): a namespace around a file system that was never mounted anywhere.
#include "suites/mount/mount_test.h"

namespace kassay::mount {
namespace {

// A configured tmpfs that only needs fsmount(2).
UniqueFd NewTmpfs() {
  UniqueFd fs = Own(Fsopen("tmpfs"));
  if (Fsconfig(fs.Get(), kFsconfigCmdCreate, nullptr, nullptr) < 0) fs.Reset();
  return fs;
}

}  // namespace

class FsmountNamespace : public MountTest {};

KASSAY_CASE_F(FsmountNamespace, HoldsNullfsAndTheNewMount, Cites("MNT-200")) {
  const std::vector<uint64_t> before = ListMounts();
  const UniqueFd ns = Own(Fsmount(NewTmpfs().Get(), kFsmountNamespace));
  ASSERT_TRUE(ns.IsOpen());
  EXPECT_EQ(ListMounts(), before) << "nothing on the host";
  EXPECT_EQ(FsMagicOfFd(ns.Get()), static_cast<long>(kNsfsMagic));
  EXPECT_EQ(ioctl(ns.Get(), kNsGetNstype, 0), CLONE_NEWNS);
  EXPECT_EQ(NrMounts(ns.Get()), 1);
  EXPECT_EQ(OwnerInode(ns.Get()), InodeAt("/proc/self/ns/user"));
  const auto id = static_cast<uint64_t>(NamespaceId(ns.Get()));
  const MountStatus root = RootMountOf(id);
  EXPECT_EQ(root.fs_type, "tmpfs");
  EXPECT_EQ(StatMount(root.raw.mnt_parent_id, id).fs_type, "nullfs");
  EXPECT_THAT(InChild([&] {
                return Steps<3>{Setns(ns.Get()), FsMagic("/"), CreateFile("/mine")};
              }),
              Returned(ElementsAre(0, static_cast<long>(kTmpfsMagic), 0)));
}

KASSAY_CASE_F(FsmountNamespace, AppliesFlagsAndAttributes, Cites("MNT-202")) {
  const UniqueFd plain = Own(Fsmount(NewTmpfs().Get(), kFsmountNamespace));
  const UniqueFd ns =
      Own(Fsmount(NewTmpfs().Get(), kFsmountNamespace | kFsmountCloexec, kMountAttrRdonly));
  ASSERT_TRUE(plain.IsOpen() && ns.IsOpen());
  EXPECT_EQ(fcntl(plain.Get(), F_GETFD), 0);
  EXPECT_EQ(fcntl(ns.Get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(RootMountOf(static_cast<uint64_t>(NamespaceId(ns.Get()))).raw.mnt_attr & 0xf,
            kMountAttrRdonly);
  EXPECT_THAT(InChild([&] {
                return Steps<2>{Setns(ns.Get()), Mkdir("/new")};
              }),
              Returned(ElementsAre(0, IsErrno(EROFS))));
}

KASSAY_CASE_F(FsmountNamespace, JudgesFlagsBeforePrivileges, Cites("MNT-201")) {
  EXPECT_THAT(
      InChild([] {
        return Steps<5>{SwitchToUser(), Fsmount(-1, 0x4), Fsmount(-1, 0x4 | kFsmountNamespace),
                        Fsmount(-1, kFsmountNamespace), Fsmount(-1, 0)};
      }),
      Returned(ElementsAre(0, IsErrno(EINVAL), IsErrno(EINVAL), IsErrno(EPERM), IsErrno(EPERM))));
}

KASSAY_CASE_F(FsmountNamespace, AsksInTheCallersUserNamespace, Cites("MNT-213")) {
  AllowUnprivilegedUserNamespaces();
  EXPECT_THAT(
      InChild([] {
        // The descriptor of a file system needs the mount namespace's owner; the flag does not.
        return Steps<3>{EnterUserNamespaceAsUser(), Fsmount(-1, 0), Fsmount(-1, kFsmountNamespace)};
      }),
      Returned(ElementsAre(0, IsErrno(EPERM), IsErrno(EBADF))));
}

class InternalFileSystems : public MountTest {};

KASSAY_CASE_F(InternalFileSystems, CannotBeMounted, Cites("MNT-210")) {
  for (const char* type : {"pipefs", "sockfs"}) {
    const UniqueFd fs = Own(Fsopen(type));
    // Not offered at all would do as well.
    if (!fs.IsOpen() || Fsconfig(fs.Get(), kFsconfigCmdCreate, nullptr, nullptr) < 0) continue;
    EXPECT_THAT(Fsmount(fs.Get(), 0), IsErrno(EINVAL)) << type;
  }
}

}  // namespace kassay::mount
