// How long a namespace made by OPEN_TREE_NAMESPACE lives, and what it keeps alive.
#include <poll.h>
#include <sys/inotify.h>

#include <set>

#include "suites/mount/mount_test.h"

namespace kassay::mount {

class NamespaceLifetime : public MountTest {
 protected:
  // Waits up to two seconds, because namespaces are taken down by a work queue.
  static long CountOnceGone(uint64_t ns_id) {
    for (int round = 0; round < 200 && CountMounts(ns_id) != -ENOENT; ++round) poll(nullptr, 0, 10);
    return CountMounts(ns_id);
  }
};

KASSAY_CASE_F(NamespaceLifetime, EndsWithItsLastDescriptor, Cites("MNT-046")) {
  UniqueFd ns = Own(NamespaceOf(Tmpfs("tree")));
  UniqueFd second(fcntl(ns.Get(), F_DUPFD_CLOEXEC, 0));
  const auto id = static_cast<uint64_t>(NamespaceId(ns.Get()));
  EXPECT_EQ(CountMounts(id), 1);
  ns.Reset();
  EXPECT_EQ(CountMounts(id), 1) << "a duplicate keeps it";
  second.Reset();
  EXPECT_THAT(CountOnceGone(id), IsErrno(ENOENT));
}

KASSAY_CASE_F(NamespaceLifetime, ReleasesItsTreeAtTheEnd, Cites("MNT-055")) {
  const std::string tree = Tmpfs("tree");
  // inotify tells when the superblock itself goes, not only one of its mounts.
  const UniqueFd watch(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ASSERT_GE(inotify_add_watch(watch.Get(), (tree + "/tree").c_str(), IN_OPEN), 0);
  const auto superblock_gone = [&](int limit_ms) {
    pollfd waiting{watch.Get(), POLLIN, 0};
    inotify_event event{};
    return poll(&waiting, 1, limit_ms) == 1 &&
           read(watch.Get(), &event, sizeof event) == static_cast<ssize_t>(sizeof event) &&
           (event.mask & IN_UNMOUNT) != 0;
  };
  UniqueFd ns = Own(NamespaceOf(tree));
  ASSERT_TRUE(ns.IsOpen());
  ASSERT_EQ(Umount(tree, 0), 0);
  EXPECT_FALSE(superblock_gone(100)) << "the namespace holds a mount of it";
  ns.Reset();
  EXPECT_TRUE(superblock_gone(5000)) << "the mount of a dead namespace is still there";
}

KASSAY_CASE_F(NamespaceLifetime, DoesNotKeepTheSourceMounted, Cites("MNT-047")) {
  const std::string tree = Tmpfs("tree");
  const UniqueFd ns = Own(NamespaceOf(tree));
  ASSERT_TRUE(ns.IsOpen());
  EXPECT_EQ(Umount(tree, 0), 0) << "a plain umount, which says EBUSY to a mount in use";
  EXPECT_THAT(InChild([&] {
                return Steps<3>{Setns(ns.Get()), Exists("/tree"), CreateFile("/written")};
              }),
              Returned(ElementsAre(0, 0, 0)));
}

KASSAY_CASE_F(NamespaceLifetime, OutlivesItsLastTask, Cites("MNT-048")) {
  const std::string tree = Tmpfs("tree");
  UniqueFd made = Own(NamespaceOf(tree));
  HeldChild inside([&] { return Setns(made.Get()); });
  ASSERT_EQ(inside.Value(), 0);
  const UniqueFd held = Own(Open(inside.Proc("ns/mnt"), O_RDONLY));
  ASSERT_EQ(NamespaceId(held.Get()), NamespaceId(made.Get()));
  made.Reset();
  inside.End();
  EXPECT_EQ(NrMounts(held.Get()), 1);
  EXPECT_THAT(InChild([&] {
                return Steps<2>{Setns(held.Get()), Exists("/tree")};
              }),
              Returned(ElementsAre(0, 0)));
}

KASSAY_CASE_F(NamespaceLifetime, NeverReusesAnId, Cites("MNT-056")) {
  const std::string tree = Tmpfs("tree");
  std::set<long> namespaces;
  std::set<uint64_t> mounts;
  long last_namespace = OwnNamespaceId();
  uint64_t last_mount = MountIdAt(tree);
  for (int round = 0; round < 20; ++round) {
    const UniqueFd ns = Own(NamespaceOf(tree));
    const long id = NamespaceId(ns.Get());
    const uint64_t mount = RootMountOf(static_cast<uint64_t>(id)).raw.mnt_id;
    EXPECT_GT(id, last_namespace) << "ids grow";
    EXPECT_GT(mount, last_mount) << "ids grow";
    namespaces.insert(id);
    mounts.insert(mount);
    last_namespace = id;
    last_mount = mount;
  }
  EXPECT_EQ(namespaces.size(), 20U);
  EXPECT_EQ(mounts.size(), 20U);
}

}  // namespace kassay::mount
