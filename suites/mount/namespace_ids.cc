// Ids of mount namespaces, file handles of them, and listns(2).
#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "suites/mount/mount_test.h"

namespace kassay::mount {
namespace {

// A file_handle (open_by_handle_at(2)) with the payload of nsfs.
struct NamespaceHandle {
  uint32_t bytes = sizeof(NsfsFileHandle);
  int32_t type = kFileidNsfs;
  NsfsFileHandle payload{};
};
static_assert(offsetof(NamespaceHandle, payload) == 8);

long Encode(int ns_fd, NamespaceHandle& handle) {
  int mount_id = 0;
  return Call(SYS_name_to_handle_at, ns_fd, "", &handle, &mount_id, AT_EMPTY_PATH);
}
long Decode(const NamespaceHandle& handle, int flags = O_RDONLY) {
  return Call(SYS_open_by_handle_at, kFdNsfsRoot, &handle, flags | O_CLOEXEC);
}

// Waits up to two seconds for a dead namespace to be taken down.
long DecodeOnceGone(const NamespaceHandle& handle) {
  long seen = 0;
  for (int round = 0; round < 200; ++round) {
    seen = Decode(handle);
    if (seen < 0) return seen;
    UniqueFd(static_cast<int>(seen)).Reset();
    poll(nullptr, 0, 10);
  }
  return seen;
}

std::vector<uint64_t> ListNamespaces(uint32_t type, uint64_t after = 0, uint64_t user_ns = 0) {
  std::vector<uint64_t> ids(512);
  const NsIdReq request{.ns_id = after, .ns_type = type, .user_ns_id = user_ns};
  const long count = Listns(request, ids.data(), ids.size(), 0);
  ids.resize(count < 0 ? 0 : static_cast<size_t>(count));
  return ids;
}

}  // namespace

class NamespaceIds : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    other_ = Own(NamespaceOf(Tmpfs("other")));
    ASSERT_TRUE(other_.IsOpen());
  }
  // A mount namespace made by OPEN_TREE_NAMESPACE, without tasks.
  [[nodiscard]] int Other() const { return other_.Get(); }
  void CloseOther() { other_.Reset(); }

 private:
  UniqueFd other_;
};
class NamespaceHandles : public NamespaceIds {};
class Listns : public NamespaceIds {
 protected:
  static long Try(const NsIdReq& request, unsigned flags = 0, size_t count = 64) {
    std::array<uint64_t, 64> ids{};
    return mount::Listns(request, ids.data(), count, flags);
  }
};

KASSAY_CASE_F(NamespaceIds, AreTheSameEverywhere, Cites("MNT-180")) {
  uint64_t from_mntns_ioctl = 0;
  ASSERT_EQ(ioctl(Other(), kNsGetMntnsId, &from_mntns_ioctl), 0);
  const long id = NamespaceId(Other());
  EXPECT_EQ(id, static_cast<long>(from_mntns_ioctl));
  EXPECT_EQ(RootMountOf(from_mntns_ioctl).raw.mnt_ns_id, from_mntns_ioctl);
  MntNsInfo info{sizeof info, 0, 0};
  ASSERT_EQ(ioctl(Other(), kNsMntGetInfo, &info), 0);
  EXPECT_EQ(info.mnt_ns_id, from_mntns_ioctl);
  EXPECT_EQ(info.size, sizeof info);
  EXPECT_GT(id, OwnNamespaceId()) << "younger";
  const UniqueFd boot = Own(Open("/proc/2/ns/mnt", O_RDONLY));
  EXPECT_EQ(NamespaceId(boot.Get()), static_cast<long>(kInitialMountNamespaceId));
  EXPECT_EQ(InodeOfFd(boot.Get()), static_cast<long>(kInitialMountNamespaceInode));
}

KASSAY_CASE_F(NamespaceIds, AreAskedOfTheRightKind, Cites("MNT-181", "MNT-182", "MNT-183")) {
  const UniqueFd user_ns = Own(Open("/proc/self/ns/user", O_RDONLY));
  uint64_t id = 0;
  MntNsInfo info{sizeof info, 0, 0};
  EXPECT_THAT(OrErrno(ioctl(user_ns.Get(), kNsGetMntnsId, &id)), IsErrno(EINVAL));
  EXPECT_THAT(OrErrno(ioctl(user_ns.Get(), kNsMntGetInfo, &info)), IsErrno(EINVAL));
  EXPECT_THAT(OrErrno(ioctl(Other(), kNsGetParent, 0)), IsErrno(EINVAL));
  EXPECT_THAT(OrErrno(ioctl(Other(), kNsMntGetInfo, nullptr)), IsErrno(EINVAL));
  constexpr unsigned long kInfoOf8Bytes = 0x8008b70a;
  EXPECT_THAT(OrErrno(ioctl(Other(), kInfoOf8Bytes, &info)), IsErrno(ENOTTY));
}

KASSAY_CASE_F(NamespaceIds, AreWalkedByThePrivilegedOnly, Cites("MNT-184")) {
  const UniqueFd boot = Own(Open("/proc/2/ns/mnt", O_RDONLY));
  MntNsInfo info{sizeof info, 0, 0};
  const UniqueFd next = Own(OrErrno(ioctl(boot.Get(), kNsMntGetNext, &info)));
  ASSERT_TRUE(next.IsOpen());
  EXPECT_EQ(NamespaceId(next.Get()), static_cast<long>(info.mnt_ns_id));
  EXPECT_GT(info.mnt_ns_id, kInitialMountNamespaceId);
  EXPECT_EQ(fcntl(next.Get(), F_GETFD), FD_CLOEXEC);
  EXPECT_THAT(OrErrno(ioctl(boot.Get(), kNsMntGetPrev, &info)), IsErrno(ENOENT));
  EXPECT_THAT(InChild([&] {
                MntNsInfo none{sizeof none, 0, 0};
                return Steps<3>{SwitchToUser(), OrErrno(ioctl(boot.Get(), kNsMntGetNext, &none)),
                                OrErrno(ioctl(boot.Get(), kNsMntGetPrev, &none))};
              }),
              Returned(ElementsAre(0, IsErrno(EPERM), IsErrno(EPERM))));
}

KASSAY_CASE_F(NamespaceIds, OfTasksAreAskedOfPidNamespaces, Cites("MNT-195")) {
  const pid_t dead = fork();
  if (dead == 0) _exit(0);
  ASSERT_EQ(waitpid(dead, nullptr, 0), dead);
  const UniqueFd pid_ns = Own(Open("/proc/self/ns/pid", O_RDONLY));
  EXPECT_THAT(OrErrno(ioctl(pid_ns.Get(), kNsGetPidFromPidns, dead)), IsErrno(ESRCH));
  EXPECT_EQ(ioctl(pid_ns.Get(), kNsGetPidFromPidns, getpid()), getpid());
  EXPECT_THAT(OrErrno(ioctl(Other(), kNsGetPidFromPidns, getpid())), IsErrno(EINVAL));
}

KASSAY_CASE_F(NamespaceIds, OrderWhoseFilesMayBeBoundWhere, Cites("MNT-196")) {
  ASSERT_EQ(CreateFile(Path("file")), 0);
  const UniqueFd own = OwnNamespace();
  const std::string own_file = "/proc/self/fd/" + std::to_string(own.Get());
  const std::string newer_file = "/proc/self/fd/" + std::to_string(Other());
  EXPECT_THAT(Bind(own_file, Path("file")), IsErrno(EINVAL));
  EXPECT_EQ(Bind(newer_file, Path("file")), 0);
  EXPECT_EQ(InodeAt(Path("file")), InodeOfFd(Other()));
  EXPECT_THAT(InChild([&] {
                return Steps<2>{Unshare(CLONE_NEWNS), Bind(own_file, Path("file"))};
              }),
              Returned(ElementsAre(0, IsErrno(EINVAL))))
      << "an older namespace's file in a newer namespace";
}

KASSAY_CASE_F(NamespaceIds, KeepANamespaceOutOfItself, Cites("MNT-199")) {
  const std::string inside = Tmpfs("inside");
  EXPECT_EQ(Mkdir(inside + "/point"), 0);
  const UniqueFd ns = Own(NamespaceOf(inside));
  // A tree that holds the file of that namespace; its own way in is to come as a detached copy.
  const std::string tree = Tmpfs("tree");
  ASSERT_EQ(CreateFile(tree + "/file"), 0);
  ASSERT_EQ(Bind("/proc/self/fd/" + std::to_string(ns.Get()), tree + "/file"), 0);
  const UniqueFd with_file = Own(OpenTree(AT_FDCWD, tree, kOpenTreeClone | kAtRecursive));
  const UniqueFd without = Own(OpenTree(AT_FDCWD, tree, kOpenTreeClone));
  EXPECT_THAT(InChild([&] {
                return Steps<4>{
                    Setns(ns.Get()),
                    MoveMount(with_file.Get(), "", AT_FDCWD, "/point", kMoveMountFEmptyPath),
                    NrMounts(ns.Get()),
                    MoveMount(without.Get(), "", AT_FDCWD, "/point", kMoveMountFEmptyPath)};
              }),
              Returned(ElementsAre(0, IsErrno(ELOOP), 1, 0)));
}

KASSAY_CASE_F(NamespaceHandles, NameANamespaceForLater, Cites("MNT-185", "MNT-186")) {
  NamespaceHandle handle;
  handle.bytes = 0;
  EXPECT_THAT(Encode(Other(), handle), IsErrno(EOVERFLOW));
  EXPECT_EQ(handle.bytes, 16U);
  ASSERT_EQ(Encode(Other(), handle), 0);
  EXPECT_EQ(handle.type, kFileidNsfs);
  EXPECT_EQ(static_cast<long>(handle.payload.ns_id), NamespaceId(Other()));
  EXPECT_EQ(handle.payload.ns_type, static_cast<uint32_t>(CLONE_NEWNS));
  EXPECT_EQ(static_cast<long>(handle.payload.ns_inum), InodeOfFd(Other()));
  const UniqueFd decoded = Own(Decode(handle));
  ASSERT_TRUE(decoded.IsOpen());
  EXPECT_EQ(InodeOfFd(decoded.Get()), InodeOfFd(Other()));
  EXPECT_EQ(NamespaceId(decoded.Get()), NamespaceId(Other()));
}

KASSAY_CASE_F(NamespaceHandles, AreDecodedWholeOrById, Cites("MNT-187", "MNT-188", "MNT-194")) {
  NamespaceHandle whole;
  ASSERT_EQ(Encode(Other(), whole), 0);
  const NsfsFileHandle& name = whole.payload;
  const auto with = [&](NsfsFileHandle payload, uint32_t bytes = 16) {
    return NamespaceHandle{.bytes = bytes, .type = kFileidNsfs, .payload = payload};
  };
  EXPECT_TRUE(Own(Decode(with({name.ns_id, 0, 0}))).IsOpen());
  EXPECT_THAT(Decode(with({name.ns_id, name.ns_type, 0})), IsErrno(ESTALE));
  EXPECT_THAT(Decode(with({name.ns_id, 0, name.ns_inum})), IsErrno(ESTALE));
  EXPECT_THAT(Decode(with({name.ns_id, CLONE_NEWUSER, name.ns_inum})), IsErrno(ESTALE));
  EXPECT_THAT(Decode(with({name.ns_id, name.ns_type, name.ns_inum + 1})), IsErrno(ESTALE));
  EXPECT_THAT(Decode(with({uint64_t{1} << 40, 0, 0})), IsErrno(ESTALE));
  EXPECT_THAT(Decode(with(name, 8)), IsErrno(ESTALE));
  EXPECT_THAT(Decode(whole, O_RDWR), IsErrno(EPERM));
}

KASSAY_CASE_F(NamespaceHandles, OpenOnlyTheOwnNamespaceForTheUnprivileged, Cites("MNT-189")) {
  NamespaceHandle own;
  NamespaceHandle other;
  ASSERT_EQ(Encode(OwnNamespace().Get(), own), 0);
  ASSERT_EQ(Encode(Other(), other), 0);
  EXPECT_THAT(InChild([&] {
                return Steps<3>{SwitchToUser(), Decode(own), Decode(other)};
              }),
              Returned(ElementsAre(0, Succeeded(), IsErrno(ESTALE))));
}

// Being root in the user namespace that owns it is not enough: handles name namespaces that the
// caller may never have seen.
KASSAY_CASE_F(NamespaceHandles, OwningANamespaceOpensNoOther, Cites("MNT-189", "MNT-184")) {
  AllowUnprivilegedUserNamespaces();
  const std::string tree = Path("other");
  EXPECT_THAT(InChild([&] {
                const long ready = EnterUserNamespaceAsUser();
                const UniqueFd made = Own(NamespaceOf(tree));
                NamespaceHandle handle;
                const long encoded = Encode(made.Get(), handle);
                MntNsInfo none{sizeof none, 0, 0};
                return Steps<5>{ready, encoded, Decode(handle),
                                OrErrno(ioctl(made.Get(), kNsMntGetNext, &none)),
                                OrErrno(ioctl(made.Get(), kNsMntGetPrev, &none))};
              }),
              Returned(ElementsAre(0, 0, IsErrno(ESTALE), IsErrno(EPERM), IsErrno(EPERM))));
}

KASSAY_CASE_F(NamespaceHandles, OfADeadNamespaceAreStale, Cites("MNT-190")) {
  NamespaceHandle handle;
  ASSERT_EQ(Encode(Other(), handle), 0);
  ASSERT_TRUE(Own(Decode(handle)).IsOpen());
  CloseOther();
  EXPECT_THAT(DecodeOnceGone(handle), IsErrno(ESTALE));
  EXPECT_THAT(Decode({.payload = {handle.payload.ns_id, 0, 0}}), IsErrno(ESTALE));
}

KASSAY_CASE_F(NamespaceHandles, OfFilesAreNotDecodedThroughAnUnmountedMount, Cites("MNT-197")) {
  AllowUnprivilegedUserNamespaces();
  // The relaxed permission wants the ids of the file mapped in the caller's user namespace.
  EXPECT_EQ(Mkdir(Tmpfs("tree") + "/sub"), 0);
  for (const char* name : {"tree", "tree/sub"})
    EXPECT_EQ(chown(Path(name).c_str(), kUnprivilegedUid, kUnprivilegedUid), 0);
  EXPECT_THAT(InChild([&] {
                struct {
                  file_handle head;
                  std::array<unsigned char, 128> payload;
                } handle{};
                handle.head.handle_bytes = handle.payload.size();
                int mount_id = 0;
                const long ready = FirstError(
                    {EnterUserNamespaceAsUser(CLONE_NEWNS), Bind(Path("tree"), Path("tree")),
                     Call(SYS_name_to_handle_at, AT_FDCWD, Path("tree/sub").c_str(), &handle,
                          &mount_id, 0)});
                const UniqueFd dir = Own(Open(Path("tree"), O_RDONLY | O_DIRECTORY));
                const auto decode = [&] {
                  return Call(SYS_open_by_handle_at, dir.Get(), &handle, O_RDONLY | O_DIRECTORY);
                };
                return Steps<4>{ready, decode(), Umount(Path("tree")), decode()};
              }),
              Returned(ElementsAre(0, Succeeded(), 0, IsErrno(EPERM))));
}

KASSAY_CASE_F(Listns, ShowsANamespaceAsLongAsItIsHeld, Cites("MNT-191")) {
  const auto held = static_cast<uint64_t>(NamespaceId(Other()));
  const std::vector<uint64_t> all = ListNamespaces(CLONE_NEWNS);
  EXPECT_THAT(all, ::testing::Contains(held));
  EXPECT_THAT(all, ::testing::Contains(kInitialMountNamespaceId));
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_THAT(ListNamespaces(CLONE_NEWUSER), Not(::testing::Contains(held)));
  EXPECT_THAT(ListNamespaces(CLONE_NEWNS, held), Not(::testing::Contains(held)));
  EXPECT_THAT(ListNamespaces(CLONE_NEWNS, held - 1), ::testing::Contains(held));
  CloseOther();
  bool listed = true;
  for (int round = 0; round < 200 && listed; ++round) {
    const std::vector<uint64_t> now = ListNamespaces(CLONE_NEWNS);
    listed = std::find(now.begin(), now.end(), held) != now.end();
    if (listed) poll(nullptr, 0, 10);
  }
  EXPECT_FALSE(listed);
}

KASSAY_CASE_F(Listns, ShowsTheUnprivilegedTheirOwn, Cites("MNT-198")) {
  constexpr uint64_t kCurrentUser = ~uint64_t{0};  // LISTNS_CURRENT_USER
  const auto own = static_cast<uint64_t>(OwnNamespaceId());
  // All, and those that the initial user namespace owns, under either of its names.
  for (const uint64_t owner : {uint64_t{0}, kInitialUserNamespaceId, kCurrentUser}) {
    EXPECT_GT(ListNamespaces(CLONE_NEWNS, 0, owner).size(), 2U) << "owner " << owner;
    EXPECT_THAT(InChild([&] {
                  const long user = SwitchToUser();
                  const std::vector<uint64_t> seen = ListNamespaces(CLONE_NEWNS, 0, owner);
                  return Steps<3>{user, static_cast<long>(seen.size()),
                                  !seen.empty() && seen.front() == own};
                }),
                Returned(ElementsAre(0, 1, true)))
        << "owner " << owner;
  }
}

KASSAY_CASE_F(Listns, ChecksTheRequest, Cites("MNT-192")) {
  EXPECT_GT(Try({.ns_type = CLONE_NEWNS}), 0);
  EXPECT_THAT(Try({.ns_type = CLONE_NEWNS | CLONE_VM}), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(Try({.spare = 1, .ns_type = CLONE_NEWNS}), IsErrno(EINVAL));
  EXPECT_THAT(Try({.size = 31, .ns_type = CLONE_NEWNS}), IsErrno(EINVAL));
  EXPECT_THAT(Try({.ns_type = CLONE_NEWNS}, 1), IsErrno(EINVAL));
  EXPECT_THAT(Try({.ns_type = CLONE_NEWNS}, 0, 1000001), IsErrno(EOVERFLOW));
  EXPECT_THAT(Try({.ns_id = uint64_t{1} << 40, .ns_type = CLONE_NEWNS}), IsErrno(ENOENT));
}

KASSAY_CASE_F(Listns, ListsNothingAfterTheLastCursor, Cites("MNT-193")) {
  EXPECT_THAT(Try({.ns_id = ~uint64_t{0}, .ns_type = CLONE_NEWNS}), IsErrno(ENOENT));
}

}  // namespace kassay::mount
