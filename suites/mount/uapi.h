// The mount API as include/uapi/linux/{mount,nsfs,sched,fcntl,magic}.h of Linux 7.3 define it. Own
// definitions, because the headers of the build host are older and a wrong layout must not compile.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kassay::mount {

// Numbers of the generic system call table, the same on x86-64.
inline constexpr long kNrOpenTree = 428;
inline constexpr long kNrMoveMount = 429;
inline constexpr long kNrFsopen = 430;
inline constexpr long kNrFsconfig = 431;
inline constexpr long kNrFsmount = 432;
inline constexpr long kNrFspick = 433;
inline constexpr long kNrClone3 = 435;
inline constexpr long kNrMountSetattr = 442;
inline constexpr long kNrStatmount = 457;
inline constexpr long kNrListmount = 458;
inline constexpr long kNrListns = 470;

// open_tree(2)
inline constexpr unsigned kOpenTreeClone = 0x1;
inline constexpr unsigned kOpenTreeNamespace = 0x2;
inline constexpr unsigned kOpenTreeCloexec = 02000000;
inline constexpr unsigned kAtSymlinkNofollow = 0x100;
inline constexpr unsigned kAtNoAutomount = 0x800;
inline constexpr unsigned kAtEmptyPath = 0x1000;
inline constexpr unsigned kAtRecursive = 0x8000;

// fsmount(2), fsconfig(2)
inline constexpr unsigned kFsmountCloexec = 0x1;
inline constexpr unsigned kFsmountNamespace = 0x2;
inline constexpr unsigned kFsconfigSetString = 1;
inline constexpr unsigned kFsconfigCmdCreate = 6;

// move_mount(2)
inline constexpr unsigned kMoveMountFEmptyPath = 0x4;
inline constexpr unsigned kMoveMountTEmptyPath = 0x40;
inline constexpr unsigned kMoveMountSetGroup = 0x100;
inline constexpr unsigned kMoveMountBeneath = 0x200;

// mount_setattr(2)
struct MountAttr {
  uint64_t attr_set;
  uint64_t attr_clr;
  uint64_t propagation;
  uint64_t userns_fd;
};
static_assert(sizeof(MountAttr) == 32);
inline constexpr uint64_t kMountAttrRdonly = 0x1;
inline constexpr uint64_t kMountAttrNosuid = 0x2;
inline constexpr uint64_t kMountAttrNodev = 0x4;
inline constexpr uint64_t kMountAttrNoexec = 0x8;
inline constexpr uint64_t kMountAttrAtimeMask = 0x70;
inline constexpr uint64_t kMountAttrIdmap = 0x100000;

// The propagation types as statmount reports them (MS_UNBINDABLE ... MS_SHARED).
inline constexpr uint64_t kUnbindable = 1U << 17;
inline constexpr uint64_t kPrivate = 1U << 18;
inline constexpr uint64_t kSlave = 1U << 19;
inline constexpr uint64_t kShared = 1U << 20;

// statmount(2), listmount(2)
struct MntIdReq {
  uint32_t size = 32;
  uint32_t fd = 0;  // mnt_ns_fd, or mnt_fd with kStatmountByFd
  uint64_t mnt_id = 0;
  uint64_t param = 0;  // statmount: request mask; listmount: cursor
  uint64_t mnt_ns_id = 0;
};
static_assert(sizeof(MntIdReq) == 32);
static_assert(offsetof(MntIdReq, fd) == 4);
static_assert(offsetof(MntIdReq, mnt_id) == 8);
static_assert(offsetof(MntIdReq, param) == 16);
static_assert(offsetof(MntIdReq, mnt_ns_id) == 24);
inline constexpr uint32_t kMntIdReqSizeVer0 = 24;

struct StatmountBuffer {
  uint32_t size;
  uint32_t mnt_opts;
  uint64_t mask;
  uint32_t sb_dev_major;
  uint32_t sb_dev_minor;
  uint64_t sb_magic;
  uint32_t sb_flags;
  uint32_t fs_type;
  uint64_t mnt_id;
  uint64_t mnt_parent_id;
  uint32_t mnt_id_old;
  uint32_t mnt_parent_id_old;
  uint64_t mnt_attr;
  uint64_t mnt_propagation;
  uint64_t mnt_peer_group;
  uint64_t mnt_master;
  uint64_t propagate_from;
  uint32_t mnt_root;
  uint32_t mnt_point;
  uint64_t mnt_ns_id;
  uint32_t fs_subtype;
  uint32_t sb_source;
  uint32_t opt_num;
  uint32_t opt_array;
  uint32_t opt_sec_num;
  uint32_t opt_sec_array;
  uint64_t supported_mask;
  uint32_t mnt_uidmap_num;
  uint32_t mnt_uidmap;
  uint32_t mnt_gidmap_num;
  uint32_t mnt_gidmap;
  uint64_t reserved[43];
};
static_assert(sizeof(StatmountBuffer) == 512);
static_assert(offsetof(StatmountBuffer, mask) == 8);
static_assert(offsetof(StatmountBuffer, sb_magic) == 24);
static_assert(offsetof(StatmountBuffer, fs_type) == 36);
static_assert(offsetof(StatmountBuffer, mnt_id) == 40);
static_assert(offsetof(StatmountBuffer, mnt_attr) == 64);
static_assert(offsetof(StatmountBuffer, propagate_from) == 96);
static_assert(offsetof(StatmountBuffer, mnt_root) == 104);
static_assert(offsetof(StatmountBuffer, mnt_ns_id) == 112);
static_assert(offsetof(StatmountBuffer, sb_source) == 124);
static_assert(offsetof(StatmountBuffer, supported_mask) == 144);
static_assert(offsetof(StatmountBuffer, mnt_uidmap_num) == 152);
static_assert(offsetof(StatmountBuffer, reserved) == 168);

inline constexpr uint64_t kSbBasic = 0x1;
inline constexpr uint64_t kMntBasic = 0x2;
inline constexpr uint64_t kPropagateFrom = 0x4;
inline constexpr uint64_t kMntRoot = 0x8;
inline constexpr uint64_t kMntPoint = 0x10;
inline constexpr uint64_t kFsType = 0x20;
inline constexpr uint64_t kMntNsId = 0x40;
inline constexpr uint64_t kFsSubtype = 0x100;
inline constexpr uint64_t kSbSource = 0x200;
inline constexpr uint64_t kSupportedMask = 0x1000;
inline constexpr uint64_t kMntUidmap = 0x2000;

inline constexpr unsigned kStatmountByFd = 0x1;
inline constexpr unsigned kListmountReverse = 0x1;
inline constexpr uint64_t kLsmtRoot = ~uint64_t{0};
// Ids up to this one are refused, so that the old, reusable ids cannot be mistaken for unique ones
// (fs/namespace.c:MNT_UNIQUE_ID_OFFSET).
inline constexpr uint64_t kLastNonUniqueId = uint64_t{1} << 31;

// nsfs
inline constexpr unsigned long kNsGetUserns = 0xb701;
inline constexpr unsigned long kNsGetParent = 0xb702;
inline constexpr unsigned long kNsGetNstype = 0xb703;
inline constexpr unsigned long kNsGetMntnsId = 0x8008b705;
inline constexpr unsigned long kNsGetPidFromPidns = 0x8004b706;
inline constexpr unsigned long kNsMntGetInfo = 0x8010b70a;
inline constexpr unsigned long kNsMntGetNext = 0x8010b70b;
inline constexpr unsigned long kNsMntGetPrev = 0x8010b70c;
inline constexpr unsigned long kNsGetId = 0x8008b70d;

struct MntNsInfo {
  uint32_t size;
  uint32_t nr_mounts;
  uint64_t mnt_ns_id;
};
static_assert(sizeof(MntNsInfo) == 16);
static_assert(offsetof(MntNsInfo, mnt_ns_id) == 8);

struct NsfsFileHandle {
  uint64_t ns_id;
  uint32_t ns_type;
  uint32_t ns_inum;
};
static_assert(sizeof(NsfsFileHandle) == 16);
static_assert(offsetof(NsfsFileHandle, ns_inum) == 12);
inline constexpr int kFileidNsfs = 0xf1;
inline constexpr int kFdNsfsRoot = -10003;
inline constexpr int kFdFailfsRoot = -10004;

struct NsIdReq {
  uint32_t size = 32;
  uint32_t spare = 0;
  uint64_t ns_id = 0;    // cursor: listing starts after it
  uint32_t ns_type = 0;  // mask of CLONE_NEW*
  uint32_t spare2 = 0;
  uint64_t user_ns_id = 0;
};
static_assert(sizeof(NsIdReq) == 32);
static_assert(offsetof(NsIdReq, ns_id) == 8);
static_assert(offsetof(NsIdReq, ns_type) == 16);
static_assert(offsetof(NsIdReq, user_ns_id) == 24);

// The ids of the boot's own namespaces (include/linux/ns_common.h, uapi nsfs.h).
inline constexpr uint64_t kInitialMountNamespaceId = 8;
inline constexpr uint64_t kInitialUserNamespaceId = 3;
inline constexpr uint64_t kInitialMountNamespaceInode = 0xEFFFFFF8;

// clone3(2), unshare(2)
struct CloneArgs {
  uint64_t flags;
  uint64_t pidfd;
  uint64_t child_tid;
  uint64_t parent_tid;
  uint64_t exit_signal;
  uint64_t stack;
  uint64_t stack_size;
  uint64_t tls;
};
static_assert(sizeof(CloneArgs) == 64);
inline constexpr uint64_t kCloneEmptyMntns = uint64_t{1} << 37;
inline constexpr unsigned kUnshareEmptyMntns = 0x00100000;

inline constexpr uint64_t kNullFsMagic = 0x4e554c4c;
inline constexpr uint64_t kNsfsMagic = 0x6e736673;
inline constexpr uint64_t kTmpfsMagic = 0x01021994;
inline constexpr uint64_t kRamfsMagic = 0x858458f6;
inline constexpr uint64_t kProcMagic = 0x9fa0;

}  // namespace kassay::mount
