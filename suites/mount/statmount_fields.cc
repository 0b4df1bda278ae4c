// The fields of statmount(2) that say how safe a mount is: the superblock's flags and where events
// of a mount come from. By id and by descriptor the answer is the same.
#include "suites/mount/mount_test.h"

namespace kassay::mount {

class StatmountFields : public MountTest {
 protected:
  // Both ways of asking must agree.
  static MountStatus Of(const std::string& path) {
    const MountStatus by_id = StatMountAt(path);
    const UniqueFd fd = Own(Open(path, O_PATH | O_DIRECTORY));
    const MountStatus by_fd = StatMountByFd(fd.Get());
    EXPECT_EQ(by_id.error, 0) << path;
    EXPECT_EQ(by_fd.error, 0) << path;
    EXPECT_EQ(by_id.raw.sb_flags, by_fd.raw.sb_flags) << path;
    EXPECT_EQ(by_id.raw.mnt_attr, by_fd.raw.mnt_attr) << path;
    EXPECT_EQ(by_id.raw.mnt_propagation, by_fd.raw.mnt_propagation) << path;
    EXPECT_EQ(by_id.raw.mnt_master, by_fd.raw.mnt_master) << path;
    EXPECT_EQ(by_id.raw.propagate_from, by_fd.raw.propagate_from) << path;
    return by_id;
  }
};

KASSAY_CASE_F(StatmountFields, TellTheSuperblocksFlagsApartFromTheMounts, Cites("MNT-259")) {
  EXPECT_EQ(Of(Tmpfs("plain")).raw.sb_flags, 0U);
  EXPECT_EQ(Of(Tmpfs("mount", MS_RDONLY)).raw.sb_flags, 0U) << "read-only is the mount only";
  for (const unsigned long flag : {MS_RDONLY, MS_SYNCHRONOUS, MS_DIRSYNC, MS_LAZYTIME}) {
    const std::string path = Dir("flag" + std::to_string(flag));
    ASSERT_EQ(Mount("kassay", path, "tmpfs", flag), 0) << flag;
    EXPECT_EQ(Of(path).raw.sb_flags, flag);
  }
}

KASSAY_CASE_F(StatmountFields, ThatAreNotThereAreNotClaimed, Cites("MNT-259")) {
  const uint64_t tmpfs = MountIdAt(Tmpfs("plain"));
  EXPECT_EQ(StatMount(tmpfs, 0, kFsType | kFsSubtype).raw.mask, kFsType);
  EXPECT_EQ(StatMount(tmpfs, 0, kMntBasic).raw.mask, kMntBasic);
  EXPECT_EQ(StatMount(tmpfs, 0, kMntBasic).raw.sb_magic, 0U) << "not asked for";
}

KASSAY_CASE_F(StatmountFields, TellWhereEventsComeFromAndGoTo, Cites("MNT-259")) {
  const std::string master = Tmpfs("master");
  ASSERT_EQ(SetPropagation(master, MS_SHARED), 0);
  const uint64_t group = Of(master).raw.mnt_peer_group;
  EXPECT_EQ(Of(master).raw.mnt_propagation, kShared);
  EXPECT_EQ(Of(master).raw.mnt_master, 0U);
  EXPECT_EQ(Of(master).raw.propagate_from, 0U);
  const std::string slave = Dir("slave");
  ASSERT_EQ(Bind(master, slave), 0);
  ASSERT_EQ(SetPropagation(slave, MS_SLAVE), 0);
  EXPECT_EQ(Of(slave).raw.mnt_propagation, kSlave);
  EXPECT_EQ(Of(slave).raw.mnt_peer_group, 0U);
  EXPECT_EQ(Of(slave).raw.mnt_master, group);
  EXPECT_EQ(Of(slave).raw.propagate_from, group);
  // A slave may have peers of its own.
  ASSERT_EQ(SetPropagation(slave, MS_SHARED), 0);
  EXPECT_EQ(Of(slave).raw.mnt_propagation, kSlave | kShared);
  EXPECT_NE(Of(slave).raw.mnt_peer_group, 0U);
  EXPECT_NE(Of(slave).raw.mnt_peer_group, group);
  EXPECT_EQ(Of(slave).raw.mnt_master, group);
  const std::string unbindable = Tmpfs("unbindable");
  ASSERT_EQ(SetPropagation(unbindable, MS_UNBINDABLE), 0);
  EXPECT_EQ(Of(unbindable).raw.mnt_propagation, kUnbindable);
}

// A copy of such a slave keeps both sides in the caller's own user namespace.
KASSAY_CASE_F(StatmountFields, OfACopyOfASharedSlaveTellBothSides, Cites("MNT-117", "MNT-105")) {
  const std::string master = Tmpfs("master");
  ASSERT_EQ(SetPropagation(master, MS_SHARED), 0);
  const std::string slave = Dir("slave");
  ASSERT_EQ(Bind(master, slave), 0);
  ASSERT_EQ(SetPropagation(slave, MS_SLAVE), 0);
  ASSERT_EQ(SetPropagation(slave, MS_SHARED), 0);
  const UniqueFd ns = Own(NamespaceOf(slave));
  const MountStatus copy = RootMountOf(static_cast<uint64_t>(NamespaceId(ns.Get())));
  const MountStatus source = StatMountAt(slave);
  EXPECT_EQ(copy.raw.mnt_propagation, kSlave | kShared);
  EXPECT_EQ(copy.raw.mnt_peer_group, source.raw.mnt_peer_group);
  EXPECT_EQ(copy.raw.mnt_master, source.raw.mnt_master);
}

}  // namespace kassay::mount
