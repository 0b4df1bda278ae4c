// nullfs: the empty, immutable file system below everything (fs/nullfs.c).
#include <dirent.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/klog.h>
#include <sys/xattr.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>

#include "suites/mount/mount_test.h"

namespace kassay::mount {
namespace {

std::string ReadWholeFile(const std::string& path) {
  const std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// In a child: takes everything off its own copy of the mount namespace and moves onto what is left.
long StandOnNullfs() {
  if (const long r = Unshare(CLONE_NEWNS); r < 0) return r;
  const UniqueFd ns = OwnNamespace();
  if (const long r = SetPropagation("/", MS_REC | MS_PRIVATE); r < 0) return r;
  if (const long r = Umount("/"); r < 0) return r;
  return Setns(ns.Get());
}

}  // namespace

// In the mount namespace that the kernel was booted with.
class BootNamespace : public ::testing::Test {
 protected:
  static bool IsBootNamespace() {
    return InodeAt("/proc/self/ns/mnt") == static_cast<long>(kInitialMountNamespaceInode) &&
           FsMagic("/") != static_cast<long>(kNullFsMagic);
  }
};
#define KASSAY_NEEDS_BOOT_NAMESPACE()                                                         \
  do {                                                                                        \
    if (!IsBootNamespace()) KASSAY_UNMET("the case runs outside the boot's mount namespace"); \
  } while (false)

KASSAY_CASE_F(BootNamespace, HasNullfsAsItsFirstMountAndTheInitramfsOnIt, Cites("MNT-120")) {
  KASSAY_NEEDS_BOOT_NAMESPACE();
  const MountStatus root = StatMountAt("/");
  ASSERT_EQ(root.error, 0);
  const MountStatus parent = StatMount(root.raw.mnt_parent_id);
  ASSERT_EQ(parent.error, 0);
  EXPECT_EQ(root.raw.mnt_id_old, 2U);
  EXPECT_EQ(root.raw.mnt_parent_id_old, 1U);
  EXPECT_EQ(OldMountIdAt("/"), 2U);
  EXPECT_EQ(parent.raw.mnt_id_old, 1U);
  EXPECT_EQ(parent.raw.mnt_parent_id, parent.raw.mnt_id);
  EXPECT_EQ(parent.fs_type, "nullfs");
  EXPECT_EQ(parent.raw.sb_magic, kNullFsMagic);
  EXPECT_LT(parent.raw.mnt_id, root.raw.mnt_id);
  EXPECT_GT(parent.raw.mnt_id, kLastNonUniqueId);
}

KASSAY_CASE_F(BootNamespace, HidesNullfsFromMountinfo, Cites("MNT-121")) {
  KASSAY_NEEDS_BOOT_NAMESPACE();
  const std::string mountinfo = ReadWholeFile("/proc/self/mountinfo");
  EXPECT_EQ(mountinfo.substr(0, 4), "2 1 ") << mountinfo;
  EXPECT_EQ(mountinfo.find("nullfs"), std::string::npos) << mountinfo;
  EXPECT_EQ(ReadWholeFile("/proc/self/mounts").find("nullfs"), std::string::npos);
}

KASSAY_CASE_F(BootNamespace, SaysSoInTheLog, Cites("MNT-122")) {
  std::string log(1 << 20, '\0');
  const int size = klogctl(3, log.data(), static_cast<int>(log.size()));  // SYSLOG_ACTION_READ_ALL
  ASSERT_GE(size, 0);
  log.resize(static_cast<size_t>(size));
  if (log.find("Linux version") == std::string::npos)
    KASSAY_UNMET("the log's beginning has been overwritten");
  EXPECT_NE(log.find("VFS: Finished mounting rootfs on nullfs"), std::string::npos);
}

KASSAY_CASE_F(BootNamespace, CountsItsMountsWithoutNullfs, Cites("MNT-124", "MNT-125")) {
  KASSAY_NEEDS_BOOT_NAMESPACE();
  const std::string mountinfo = ReadWholeFile("/proc/self/mountinfo");
  const long lines = std::count(mountinfo.begin(), mountinfo.end(), '\n');
  EXPECT_EQ(OwnNrMounts(), lines);
  const std::vector<uint64_t> listed = ListMounts();
  const uint64_t nullfs = StatMountAt("/").raw.mnt_parent_id;
  EXPECT_EQ(static_cast<long>(listed.size()), lines);
  EXPECT_THAT(listed, Not(::testing::Contains(nullfs)));
  ASSERT_FALSE(listed.empty());
  EXPECT_EQ(listed.front(), MountIdAt("/"));
  EXPECT_EQ(ListMounts(0, nullfs), listed) << "below nullfs lies all the rest";
}

KASSAY_CASE_F(BootNamespace, HidesNullfsFromTheUnprivileged, Cites("MNT-126")) {
  KASSAY_NEEDS_BOOT_NAMESPACE();
  const uint64_t nullfs = StatMountAt("/").raw.mnt_parent_id;
  EXPECT_EQ(StatMount(nullfs).error, 0);
  EXPECT_THAT(InChild([&] {
                return Steps<4>{SwitchToUser(), StatMount(nullfs).error, CountMounts(0, nullfs),
                                StatMount(MountIdAt("/")).error};
              }),
              Returned(ElementsAre(0, IsErrno(EPERM), IsErrno(EPERM), 0)));
}

class Nullfs : public MountTest {};

KASSAY_CASE_F(Nullfs, IsNoFileSystemThatOneCanMount, Cites("MNT-123")) {
  const std::string point = Dir("point");
  EXPECT_THAT(Mount("kassay", point, "nullfs"), IsErrno(ENODEV));
  EXPECT_THAT(Fsopen("nullfs"), IsErrno(ENODEV));
  const std::string listed = ReadWholeFile("/proc/filesystems");
  EXPECT_NE(listed.find("tmpfs"), std::string::npos);
  EXPECT_EQ(listed.find("nullfs"), std::string::npos);
}

KASSAY_CASE_F(Nullfs, LiesUnderEveryCopyOfANamespace, Cites("MNT-143")) {
  const uint64_t hosts = StatMountAt("/").raw.mnt_parent_id;
  EXPECT_THAT(InChild([&] {
                const long moved = Unshare(CLONE_NEWNS);
                const MountStatus root = StatMountAt("/");
                const MountStatus parent = StatMount(root.raw.mnt_parent_id);
                return Steps<4>{moved, parent.fs_type == "nullfs",
                                parent.raw.mnt_parent_id == parent.raw.mnt_id,
                                parent.raw.mnt_id != hosts};
              }),
              Returned(ElementsAre(0, true, true, true)));
}

KASSAY_CASE_F(Nullfs, IsWhatIsLeftWhenAllIsTakenOff, Cites("MNT-130", "MNT-132")) {
  EXPECT_THAT(InChild([&] {
                return Steps<4>{StandOnNullfs(), FsMagic("/"), Exists("/tmp"), CountMounts()};
              }),
              Returned(ElementsAre(0, static_cast<long>(kNullFsMagic), IsErrno(ENOENT), 1)))
      << "nullfs, listed only because it is the caller's root";
}

KASSAY_CASE_F(Nullfs, LetsNobodyCreateAnything, Cites("MNT-133")) {
  EXPECT_THAT(
      InChild([&] {
        return Steps<11>{StandOnNullfs(),
                         Mkdir("/x"),
                         Open("/x", O_CREAT | O_WRONLY),
                         OrErrno(symlink("y", "/x")),
                         OrErrno(mknod("/x", S_IFIFO | 0600, 0)),
                         OrErrno(rename("/x", "/y")),
                         OrErrno(rmdir("/x")),
                         OrErrno(unlink("/x")),
                         Exists("/x"),
                         Mkdir("/"),
                         Open("/x", O_RDONLY)};
      }),
      Returned(ElementsAre(0, IsErrno(ENOENT), IsErrno(ENOENT), IsErrno(ENOENT), IsErrno(ENOENT),
                           IsErrno(ENOENT), IsErrno(ENOENT), IsErrno(ENOENT), IsErrno(ENOENT),
                           IsErrno(EEXIST), IsErrno(ENOENT))));
}

KASSAY_CASE_F(Nullfs, LetsNobodyChangeItsAttributes, Cites("MNT-134")) {
  EXPECT_THAT(InChild([&] {
                const long standing = StandOnNullfs();
                struct stat before {
                }, after{};
                long changed = stat("/", &before);
                const Steps<6> tried{OrErrno(chmod("/", 0777)),
                                     OrErrno(chown("/", 1, 1)),
                                     OrErrno(utimensat(AT_FDCWD, "/", nullptr, 0)),
                                     OrErrno(setxattr("/", "trusted.x", "y", 1, 0)),
                                     OrErrno(access("/", W_OK)),
                                     Open("/", O_TMPFILE | O_RDWR)};
                changed += stat("/", &after);
                changed += before.st_mode != after.st_mode || before.st_uid != after.st_uid ||
                           before.st_mtim.tv_nsec != after.st_mtim.tv_nsec;
                return Steps<8>{standing, tried[0], tried[1], tried[2],
                                tried[3], tried[4], tried[5], changed};
              }),
              Returned(ElementsAre(0, IsErrno(EPERM), IsErrno(EPERM), IsErrno(EPERM),
                                   IsErrno(EPERM), IsErrno(EPERM), IsErrno(EPERM), 0)));
}

KASSAY_CASE_F(Nullfs, IsAnEmptyDirectory, Cites("MNT-135")) {
  EXPECT_THAT(InChild([&] {
                const long standing = StandOnNullfs();
                struct stat root {};
                const long statted = OrErrno(stat("/", &root));
                long entries = 0;
                long others = 0;
                const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir("/"), closedir);
                while (const dirent* entry = dir ? readdir(dir.get()) : nullptr) {
                  const std::string_view name = static_cast<const char*>(entry->d_name);
                  ++entries;
                  others += name != "." && name != "..";
                }
                return Steps<8>{standing,
                                statted,
                                static_cast<long>(root.st_ino),
                                static_cast<long>(root.st_mode),
                                static_cast<long>(root.st_nlink),
                                static_cast<long>(root.st_size),
                                entries,
                                others};
              }),
              Returned(ElementsAre(0, 0, 1, S_IFDIR | 0555, 2, 0, 2, 0)));
}

KASSAY_CASE_F(Nullfs, CarriesMountsThatComeOffAgain, Cites("MNT-136", "MNT-137")) {
  EXPECT_THAT(InChild([&] {
                return Steps<7>{StandOnNullfs(), Mount("kassay", "/", "tmpfs"),
                                CountMounts(),   FsMagic("/.."),
                                Umount("/.."),   Umount("/"),
                                FsMagic("/")};
              }),
              Returned(ElementsAre(0, 0, Succeeded(), static_cast<long>(kTmpfsMagic), 0,
                                   IsErrno(EINVAL), static_cast<long>(kNullFsMagic))));
}

KASSAY_CASE_F(Nullfs, CannotBeReconfigured, Cites("MNT-138")) {
  EXPECT_THAT(InChild([&] {
                return Steps<5>{
                    StandOnNullfs(), Umount("/", 0), Mount("", "/", "", MS_REMOUNT | MS_RDONLY),
                    Fspick("/"),
                    static_cast<long>(StatMountAt("/").raw.mnt_attr & kMountAttrRdonly)};
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL), IsErrno(EINVAL), IsErrno(EINVAL), 0)));
}

KASSAY_CASE_F(Nullfs, CannotBeBoundToItselfNorPivoted, Cites("MNT-139")) {
  EXPECT_THAT(
      InChild([&] {
        return Steps<4>{StandOnNullfs(), Bind("/", "/"), PivotRoot("/", "/"), FsMagic("/..")};
      }),
      Returned(ElementsAre(0, IsErrno(EINVAL), IsErrno(EBUSY), static_cast<long>(kNullFsMagic))));
}

KASSAY_CASE_F(Nullfs, CannotBeMovedOrTakenOffByForce, Cites("MNT-137")) {
  EXPECT_THAT(InChild([&] {
                return Steps<6>{StandOnNullfs(),
                                Mount("/", "/", "", MS_MOVE),
                                MoveMount(AT_FDCWD, "/", AT_FDCWD, "/", 0),
                                Umount("/", MNT_DETACH | MNT_FORCE),
                                Umount("/", MNT_EXPIRE),
                                FsMagic("/..")};
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL), IsErrno(EINVAL), IsErrno(EINVAL),
                                   IsErrno(EINVAL), static_cast<long>(kNullFsMagic))));
}

KASSAY_CASE_F(Nullfs, CanBeTheTreeOfANamespace, Cites("MNT-140")) {
  EXPECT_THAT(InChild([&] {
                const long standing = StandOnNullfs();
                const UniqueFd ns = Own(NamespaceOf("/"));
                return Steps<4>{standing, NrMounts(ns.Get()), Setns(ns.Get()), FsMagic("/")};
              }),
              Returned(ElementsAre(0, 1, 0, static_cast<long>(kNullFsMagic))));
}

KASSAY_CASE_F(Nullfs, TakesNoFileLocks, Cites("MNT-141")) {
  EXPECT_THAT(InChild([&] {
                const long standing = StandOnNullfs();
                const UniqueFd root = Own(Open("/", O_RDONLY | O_DIRECTORY));
                return Steps<2>{standing, OrErrno(flock(root.Get(), LOCK_EX | LOCK_NB))};
              }),
              Returned(ElementsAre(0, IsErrno(ENOLCK))));
}

KASSAY_CASE_F(Nullfs, CannotBeWatched, Cites("MNT-142")) {
  EXPECT_THAT(InChild([&] {
                const long standing = StandOnNullfs();
                const UniqueFd watch(inotify_init1(IN_CLOEXEC));
                return Steps<2>{standing, OrErrno(inotify_add_watch(watch.Get(), "/", IN_OPEN))};
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL))));
}

KASSAY_CASE_F(Nullfs, KeepsNoTraceOfReaders, Cites("MNT-145")) {
  EXPECT_THAT(InChild([&] {
                const long standing = StandOnNullfs();
                // relatime updates once the change time is not older than the access time.
                if (const long r = Mount("", "/", "", MS_REMOUNT | MS_BIND | MS_STRICTATIME); r < 0)
                  return Steps<2>{r, 0};
                struct stat before {
                }, after{};
                stat("/", &before);
                poll(nullptr, 0, 20);
                const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir("/"), closedir);
                while (dir && readdir(dir.get()) != nullptr) {
                }
                stat("/", &after);
                return Steps<2>{standing, before.st_atim.tv_sec == after.st_atim.tv_sec &&
                                              before.st_atim.tv_nsec == after.st_atim.tv_nsec};
              }),
              Returned(ElementsAre(0, true)));
}

}  // namespace kassay::mount
