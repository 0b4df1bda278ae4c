// Mount propagation between a namespace made by OPEN_TREE_NAMESPACE and the one it came from.
#include "suites/mount/mount_test.h"

namespace kassay::mount {

class Propagation : public MountTest {
 protected:
  static uint64_t Id(int ns_fd) { return static_cast<uint64_t>(NamespaceId(ns_fd)); }
};

KASSAY_CASE_F(Propagation, ASharedSourceGetsAPeerInTheSameUserNamespace, Cites("MNT-105")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_EQ(Mkdir(tree + "/in"), 0);
  EXPECT_EQ(Mkdir(tree + "/out"), 0);
  ASSERT_EQ(SetPropagation(tree, MS_SHARED), 0);
  const UniqueFd ns = Own(NamespaceOf(tree));
  const MountStatus copy = RootMountOf(Id(ns.Get()));
  const MountStatus source = StatMountAt(tree);
  EXPECT_EQ(copy.raw.mnt_propagation, kShared);
  EXPECT_EQ(copy.raw.mnt_peer_group, source.raw.mnt_peer_group);
  EXPECT_NE(copy.raw.mnt_peer_group, 0U);
  EXPECT_EQ(copy.raw.mnt_master, 0U);
  EXPECT_THAT(InChild([&] {
                return Steps<2>{Setns(ns.Get()), Mount("kassay", "/in", "tmpfs")};
              }),
              Returned(ElementsAre(0, 0)));
  EXPECT_NE(MountIdAt(tree + "/in"), MountIdAt(tree)) << "a mount made inside is seen outside";
  ASSERT_EQ(Mount("kassay", tree + "/out", "tmpfs"), 0);
  EXPECT_EQ(NrMounts(ns.Get()), 3) << "and the reverse";
}

KASSAY_CASE_F(Propagation, AUmountOnTheHostReachesThePeer, Cites("MNT-108")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_EQ(Mkdir(tree + "/child"), 0);
  ASSERT_EQ(SetPropagation(tree, MS_SHARED), 0);
  const UniqueFd ns = Own(NamespaceOf(tree));
  EXPECT_EQ(NrMounts(ns.Get()), 1);
  ASSERT_EQ(Mount("kassay", tree + "/child", "tmpfs"), 0);
  EXPECT_EQ(NrMounts(ns.Get()), 2);
  ASSERT_EQ(Umount(tree + "/child"), 0);
  EXPECT_EQ(NrMounts(ns.Get()), 1);
}

KASSAY_CASE_F(Propagation, APrivateSourceStaysPrivate, Cites("MNT-106")) {
  const std::string tree = Tmpfs("tree");
  const UniqueFd ns = Own(NamespaceOf(tree));
  const MountStatus copy = RootMountOf(Id(ns.Get()));
  EXPECT_EQ(copy.raw.mnt_propagation, kPrivate);
  EXPECT_EQ(copy.raw.mnt_peer_group, 0U);
  EXPECT_EQ(copy.raw.mnt_master, 0U);
}

KASSAY_CASE_F(Propagation, ASlaveSourceStaysASlaveOfTheSameMaster, Cites("MNT-117")) {
  const std::string tree = Tmpfs("tree");
  EXPECT_EQ(Mkdir(tree + "/child"), 0);
  ASSERT_EQ(SetPropagation(tree, MS_SHARED), 0);
  const std::string slave = Dir("slave");
  ASSERT_EQ(Bind(tree, slave), 0);
  ASSERT_EQ(SetPropagation(slave, MS_SLAVE), 0);
  const UniqueFd ns = Own(NamespaceOf(slave));
  const MountStatus copy = RootMountOf(Id(ns.Get()));
  EXPECT_EQ(copy.raw.mnt_propagation, kSlave);
  EXPECT_EQ(copy.raw.mnt_master, StatMountAt(tree).raw.mnt_peer_group);
  ASSERT_EQ(Mount("kassay", tree + "/child", "tmpfs"), 0);
  EXPECT_EQ(NrMounts(ns.Get()), 2) << "the master's mounts come in";
  EXPECT_THAT(InChild([&] {
                return Steps<2>{Setns(ns.Get()), Umount("/child")};
              }),
              Returned(ElementsAre(0, 0)));
  EXPECT_NE(MountIdAt(tree + "/child"), MountIdAt(tree)) << "nothing goes out";
}

KASSAY_CASE_F(Propagation, AForeignUserNamespaceGetsASlave, Cites("MNT-107")) {
  AllowUnprivilegedUserNamespaces();
  const std::string tree = Tmpfs("tree");
  for (const char* name : {"/in", "/out"}) EXPECT_EQ(Mkdir(tree + name), 0);
  ASSERT_EQ(SetPropagation(tree, MS_SHARED), 0);
  const HeldChild rootless([&] {
    const long ready = EnterUserNamespaceAsUser();
    const long ns = NamespaceOf(tree, kAtRecursive);
    return Steps<4>{ready, ns, Setns(ns), Mount("kassay", "/in", "tmpfs")};
  });
  ASSERT_TRUE(rootless.Value().has_value());
  EXPECT_THAT(*rootless.Value(), ElementsAre(0, Succeeded(), 0, 0));
  const UniqueFd ns = rootless.TakeFd((*rootless.Value())[1]);
  const MountStatus copy = RootMountOf(Id(ns.Get()));
  EXPECT_EQ(copy.raw.mnt_propagation, kSlave);
  EXPECT_EQ(copy.raw.mnt_master, StatMountAt(tree).raw.mnt_peer_group);
  EXPECT_EQ(copy.raw.mnt_peer_group, 0U);
  EXPECT_EQ(MountIdAt(tree + "/in"), MountIdAt(tree)) << "a mount made inside stays inside";
  EXPECT_EQ(NrMounts(ns.Get()), 2);
  ASSERT_EQ(Mount("kassay", tree + "/out", "tmpfs"), 0);
  EXPECT_EQ(NrMounts(ns.Get()), 3) << "the host's mounts go on to come in";
}

KASSAY_CASE_F(Propagation, ChildrenOfAForeignCopyAreSlavesOrPrivate, Cites("MNT-107")) {
  AllowUnprivilegedUserNamespaces();
  const std::string tree = Tmpfs("tree");
  const std::string shared = Tmpfs("tree/shared");
  static_cast<void>(Tmpfs("tree/alone"));
  ASSERT_EQ(SetPropagation(shared, MS_SHARED), 0);
  const HeldChild rootless([&] {
    const long ready = EnterUserNamespaceAsUser();
    return Steps<2>{ready, NamespaceOf(tree, kAtRecursive)};
  });
  ASSERT_TRUE(rootless.Value() && (*rootless.Value())[0] == 0);
  const UniqueFd ns = rootless.TakeFd((*rootless.Value())[1]);
  const std::vector<uint64_t> listed = ListMounts(Id(ns.Get()));
  EXPECT_EQ(listed.size(), 3U);
  for (const uint64_t id : listed) {
    const MountStatus copy = StatMount(id, Id(ns.Get()));
    const bool slave = copy.point == "/shared";
    EXPECT_EQ(copy.raw.mnt_propagation, slave ? kSlave : kPrivate) << copy.point.View();
    EXPECT_EQ(copy.raw.mnt_peer_group, 0U);
    EXPECT_EQ(copy.raw.mnt_master, slave ? StatMountAt(shared).raw.mnt_peer_group : 0U);
    if (copy.point == "/") {
      EXPECT_EQ(StatMount(copy.raw.mnt_parent_id, Id(ns.Get())).raw.mnt_propagation, kPrivate);
    }
  }
}

KASSAY_CASE_F(Propagation, ChildrenOfARecursiveCopyKeepTheirOwn, Cites("MNT-118")) {
  const std::string tree = Tmpfs("tree");
  const std::string shared = Tmpfs("tree/shared");
  static_cast<void>(Tmpfs("tree/alone"));
  ASSERT_EQ(SetPropagation(shared, MS_SHARED), 0);
  const UniqueFd ns = Own(NamespaceOf(tree, kAtRecursive));
  long shared_copies = 0;
  long private_copies = 0;
  for (const uint64_t id : ListMounts(Id(ns.Get()))) {
    const MountStatus copy = StatMount(id, Id(ns.Get()));
    if (copy.point == "/shared") {
      EXPECT_EQ(copy.raw.mnt_peer_group, StatMountAt(shared).raw.mnt_peer_group);
      ++shared_copies;
    } else {
      EXPECT_EQ(copy.raw.mnt_propagation, kPrivate) << copy.point.View();
      ++private_copies;
    }
  }
  EXPECT_EQ(shared_copies, 1);
  EXPECT_EQ(private_copies, 2);
}

}  // namespace kassay::mount
