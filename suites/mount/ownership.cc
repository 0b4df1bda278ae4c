// Who may make a namespace with OPEN_TREE_NAMESPACE, and whose it is.
#include "suites/mount/mount_test.h"

namespace kassay::mount {

class Ownership : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    AllowUnprivilegedUserNamespaces();
  }
};

KASSAY_CASE_F(Ownership, AskForTheCapabilityInTheCallersUserNamespace, Cites("MNT-090")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_THAT(InChild([&] {
                return Steps<4>{EnterUserNamespaceAsUser(), NamespaceOf(tree),
                                OpenTree(AT_FDCWD, tree, kOpenTreeClone),
                                Mount("kassay", tree, "tmpfs")};
              }),
              Returned(ElementsAre(0, Succeeded(), IsErrno(EPERM), IsErrno(EPERM))));
}

KASSAY_CASE_F(Ownership, BeingTheOwnersUidIsNotEnough, Cites("MNT-111")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_THAT(InChild([&] {
                return Steps<4>{EnterUserNamespaceAsUser(), DropCapability(CAP_SYS_ADMIN),
                                NamespaceOf(tree), NamespaceOf(tree, kAtRecursive)};
              }),
              Returned(ElementsAre(0, 0, IsErrno(EPERM), IsErrno(EPERM))));
  EXPECT_THAT(InChild([&] {
                // uid 0 without capabilities in the initial user namespace.
                for (int capability = 0; capability <= CAP_CHECKPOINT_RESTORE; ++capability)
                  static_cast<void>(DropCapability(capability));
                return NamespaceOf(tree);
              }),
              Returned(IsErrno(EPERM)));
}

KASSAY_CASE_F(Ownership, TheCallersUserNamespaceOwnsTheNewOne, Cites("MNT-091")) {
  const std::string tree = Tmpfs("tree");
  const UniqueFd ns = Own(NamespaceOf(tree));
  EXPECT_EQ(OwnerInode(ns.Get()), InodeAt("/proc/self/ns/user"));
  const HeldChild rootless([&] {
    const long ready = EnterUserNamespaceAsUser();
    return Steps<2>{ready, NamespaceOf(tree)};
  });
  ASSERT_TRUE(rootless.Value() && (*rootless.Value())[0] == 0);
  const UniqueFd theirs = rootless.TakeFd((*rootless.Value())[1]);
  ASSERT_TRUE(theirs.IsOpen());
  EXPECT_EQ(OwnerInode(theirs.Get()), InodeAt(rootless.Proc("ns/user")));
  EXPECT_NE(OwnerInode(theirs.Get()), InodeAt("/proc/self/ns/user"));
}

KASSAY_CASE_F(Ownership, TheOwnerIsRootInside, Cites("MNT-112")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_EQ(Mkdir(tree + "/point"), 0);
  EXPECT_THAT(InChild([&] {
                const long ready = EnterUserNamespaceAsUser();
                const UniqueFd ns = Own(NamespaceOf(tree));
                return Steps<5>{ready, Setns(ns.Get()), Exists("/tree"),
                                Mount("kassay", "/point", "tmpfs"), Umount("/point")};
              }),
              Returned(ElementsAre(0, 0, 0, 0, 0)));
}

KASSAY_CASE_F(Ownership, AnothersNamespaceIsClosedToASibling, Cites("MNT-109")) {
  const std::string tree = Tmpfs("tree");
  const HeldChild rootless([&] {
    const long ready = EnterUserNamespaceAsUser();
    return Steps<2>{ready, NamespaceOf(tree)};
  });
  ASSERT_TRUE(rootless.Value() && (*rootless.Value())[0] == 0);
  const UniqueFd theirs = rootless.TakeFd((*rootless.Value())[1]);
  const UniqueFd hosts = Own(NamespaceOf(tree));
  ASSERT_TRUE(theirs.IsOpen() && hosts.IsOpen());
  EXPECT_THAT(InChild([&] {
                return Steps<3>{EnterUserNamespaceAsUser(0, kUnprivilegedUid + 1),
                                Setns(theirs.Get()), Setns(hosts.Get())};
              }),
              Returned(ElementsAre(0, IsErrno(EPERM), IsErrno(EPERM))));
  EXPECT_THAT(InChild([&] { return Setns(theirs.Get()); }), Returned(0)) << "the host's root";
}

KASSAY_CASE_F(Ownership, AnUnprivilegedCallerMakesNothing, Cites("MNT-113")) {
  const std::string tree = Tmpfs("tree");
  const UniqueFd ns = Own(NamespaceOf(tree));
  EXPECT_THAT(
      InChild([&] {
        return Steps<5>{SwitchToUser(), NamespaceOf(tree), NamespaceOf(tree, kAtRecursive),
                        OpenTree(AT_FDCWD, tree, kOpenTreeClone), Setns(ns.Get())};
      }),
      Returned(ElementsAre(0, IsErrno(EPERM), IsErrno(EPERM), IsErrno(EPERM), IsErrno(EPERM))));
}

}  // namespace kassay::mount
