// Copies of trees that are deeper than one level and of mounts with every attribute: what holds for
// the first mount and its children must hold for all below.
#include "suites/mount/mount_test.h"

namespace kassay::mount {
namespace {

constexpr uint64_t kMountAttrNoatime = 0x10;
constexpr uint64_t kMountAttrStrictatime = 0x20;
constexpr uint64_t kMountAttrNodiratime = 0x80;
constexpr uint64_t kMountAttrNosymfollow = 0x200000;

struct Attribute {
  const char* name;
  uint64_t bit;
};
constexpr std::array<Attribute, 8> kAttributes{{
    {"rdonly", kMountAttrRdonly},
    {"nosuid", kMountAttrNosuid},
    {"nodev", kMountAttrNodev},
    {"noexec", kMountAttrNoexec},
    {"noatime", kMountAttrNoatime},
    {"strictatime", kMountAttrStrictatime},
    {"nodiratime", kMountAttrNodiratime},
    {"nosymfollow", kMountAttrNosymfollow},
}};

MountAttr Set(uint64_t bit) {
  const bool atime = (bit & kMountAttrAtimeMask) != 0;
  return {.attr_set = bit,
          .attr_clr = atime ? kMountAttrAtimeMask : 0,
          .propagation = 0,
          .userns_fd = 0};
}

}  // namespace

class DeepCopies : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    AllowUnprivilegedUserNamespaces();
  }
  // Mounts tree, tree/a, tree/a/b and tree/a/b/c; the path of the first.
  [[nodiscard]] std::string Tower() const {
    for (const char* level : {"tree/a", "tree/a/b", "tree/a/b/c"}) {
      if (std::string(level) == "tree/a") tower_ = Tmpfs("tree");
      static_cast<void>(Tmpfs(level));
    }
    return tower_;
  }
  static long EnterCopy(const std::string& tree) {
    const long ready = EnterUserNamespaceAsUser();
    if (ready < 0) return ready;
    const UniqueFd ns = Own(NamespaceOf(tree, kAtRecursive));
    return ns.IsOpen() ? Setns(ns.Get()) : -errno;
  }

 private:
  mutable std::string tower_;
};

KASSAY_CASE_F(DeepCopies, ReachEveryLevel, Cites("MNT-034")) {
  const std::string tree = Tower();
  const UniqueFd ns = Own(NamespaceOf(tree, kAtRecursive));
  EXPECT_EQ(NrMounts(ns.Get()), 4);
  EXPECT_THAT(InChild([&] {
                return Steps<3>{Setns(ns.Get()), Exists("/a/b/c/c"),
                                MountIdAt("/a/b/c") != MountIdAt("/a/b")};
              }),
              Returned(ElementsAre(0, 0, 1)));
}

KASSAY_CASE_F(DeepCopies, LeaveOutFilesOfMountNamespacesAtEveryLevel, Cites("MNT-037")) {
  const std::string tree = Tower();
  const UniqueFd newer = Own(NamespaceOf(tree));
  for (const char* level : {"/a", "/a/b", "/a/b/c"}) {
    const std::string file = tree + level + "/file";
    ASSERT_EQ(CreateFile(file), 0);
    ASSERT_EQ(Bind("/proc/self/fd/" + std::to_string(newer.Get()), file), 0);
  }
  EXPECT_EQ(NrMounts(Own(NamespaceOf(tree, kAtRecursive)).Get()), 4);
}

// What lies on a mount that stays behind stays with it.
KASSAY_CASE_F(DeepCopies, LeaveOutUnbindableMountsAtEveryLevel, Cites("MNT-036")) {
  const std::string tree = Tower();
  for (const auto& [level, left] : {std::pair{"/a/b/c", 3}, {"/a/b", 2}, {"/a", 1}}) {
    ASSERT_EQ(SetPropagation(tree + level, MS_UNBINDABLE), 0);
    EXPECT_EQ(NrMounts(Own(NamespaceOf(tree, kAtRecursive)).Get()), left) << level;
  }
}

KASSAY_CASE_F(DeepCopies, AreLockedAtEveryLevel, Cites("MNT-094", "MNT-114")) {
  const std::string tree = Tower();
  for (const char* level : {"/a", "/a/b", "/a/b/c"}) {
    EXPECT_THAT(InChild([&] {
                  const long entered = EnterCopy(tree);
                  const long umounted = Umount(level);
                  const long at_once = Umount(level, 0);
                  const UniqueFd mount = Own(Open(level, O_PATH | O_DIRECTORY));
                  return Steps<5>{entered, umounted, at_once,
                                  MoveMount(mount.Get(), "", AT_FDCWD, "/", kMoveMountFEmptyPath),
                                  Umount(level, MNT_EXPIRE)};
                }),
                Returned(ElementsAre(0, IsErrno(EINVAL), IsErrno(EINVAL), IsErrno(EINVAL),
                                     IsErrno(EINVAL))))
        << level;
  }
}

KASSAY_CASE_F(DeepCopies, LockTheAttributesOfEveryLevel, Cites("MNT-115")) {
  for (const Attribute& attribute : kAttributes) {
    if (attribute.bit == kMountAttrNosymfollow) continue;  // no lock exists for it
    const std::string tree = Tmpfs(attribute.name);
    const std::string child = Tmpfs(std::string(attribute.name) + "/a");
    const std::string grandchild = Tmpfs(std::string(attribute.name) + "/a/b");
    for (const std::string& path : {grandchild, child, tree})
      ASSERT_EQ(MountSetattr(AT_FDCWD, path, 0, Set(attribute.bit)), 0) << attribute.name;
    const bool atime = (attribute.bit & kMountAttrAtimeMask) != 0;
    const MountAttr clear{.attr_set = 0,
                          .attr_clr = atime ? kMountAttrAtimeMask : attribute.bit,
                          .propagation = 0,
                          .userns_fd = 0};
    EXPECT_THAT(InChild([&] {
                  return Steps<4>{EnterCopy(tree), MountSetattr(AT_FDCWD, "/", 0, clear),
                                  MountSetattr(AT_FDCWD, "/a", 0, clear),
                                  MountSetattr(AT_FDCWD, "/a/b", 0, clear)};
                }),
                Returned(ElementsAre(0, IsErrno(EPERM), IsErrno(EPERM), IsErrno(EPERM))))
        << attribute.name;
  }
}

// One attribute given up must not come with another that is added.
KASSAY_CASE_F(DeepCopies, AddingOneAttributeDropsNoOther, Cites("MNT-095", "MNT-115")) {
  struct Flag {
    const char* name;
    unsigned long flag;
  };
  for (const Flag& locked : {Flag{"ro", MS_RDONLY}, Flag{"suid", MS_NOSUID}, Flag{"dev", MS_NODEV},
                             Flag{"exec", MS_NOEXEC}}) {
    const std::string tree = Tmpfs(locked.name, locked.flag);
    for (const unsigned long added : {MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC}) {
      if (added == locked.flag) continue;
      EXPECT_THAT(InChild([&] {
                    return Steps<3>{EnterCopy(tree),
                                    Mount("", "/", "", MS_REMOUNT | MS_BIND | added),
                                    Mount("", "/", "", MS_REMOUNT | MS_BIND | locked.flag | added)};
                  }),
                  Returned(ElementsAre(0, IsErrno(EPERM), 0)))
          << locked.name << " for " << added;
    }
  }
}

KASSAY_CASE_F(DeepCopies, KeepEveryAttributeAndStatmountTells, Cites("MNT-039")) {
  constexpr uint64_t kAll = kMountAttrRdonly | kMountAttrNosuid | kMountAttrNodev |
                            kMountAttrNoexec | kMountAttrAtimeMask | kMountAttrNodiratime |
                            kMountAttrNosymfollow;
  for (const Attribute& attribute : kAttributes) {
    const std::string tree = Tmpfs(attribute.name);
    const std::string child = Tmpfs(std::string(attribute.name) + "/a");
    EXPECT_EQ(StatMountAt(tree).raw.mnt_attr & kAll, 0U) << attribute.name << ", before";
    for (const std::string& path : {child, tree})
      ASSERT_EQ(MountSetattr(AT_FDCWD, path, 0, Set(attribute.bit)), 0) << attribute.name;
    EXPECT_EQ(StatMountAt(tree).raw.mnt_attr & kAll, attribute.bit) << attribute.name;
    const UniqueFd ns = Own(NamespaceOf(tree, kAtRecursive));
    const auto ns_id = static_cast<uint64_t>(NamespaceId(ns.Get()));
    const std::vector<uint64_t> copies = ListMounts(ns_id);
    ASSERT_EQ(copies.size(), 2U);
    for (const uint64_t copy : copies)
      EXPECT_EQ(StatMount(copy, ns_id).raw.mnt_attr & kAll, attribute.bit) << attribute.name;
  }
}

// The stack over the namespace's root: a locked mount in it locks the new tree, also when something
// of one's own is on top.
KASSAY_CASE_F(DeepCopies, ALockBelowTheTopOfTheStackCounts, Cites("MNT-099")) {
  const std::string own = Dir("own");
  EXPECT_THAT(InChild([&] {
                const long ready = EnterUserNamespaceAsUser(CLONE_NEWNS);
                const long fresh = Mount("kassay", own, "tmpfs");
                const long on_top = Mount("kassay", "/", "tmpfs");
                const UniqueFd ns = Own(NamespaceOf(own));
                return Steps<5>{ready, fresh, on_top, Setns(ns.Get()), Umount("/")};
              }),
              Returned(ElementsAre(0, 0, 0, 0, IsErrno(EINVAL))));
}

}  // namespace kassay::mount
