#include "suites/mount/mount_status.h"

#include <sys/stat.h>

#include <cstring>

#include "suites/mount/syscalls.h"

namespace kassay::mount {
namespace {

constexpr unsigned kStatxMntId = 0x1000;
constexpr unsigned kStatxMntIdUnique = 0x4000;

MountStatus Query(const MntIdReq& request, unsigned flags) {
  struct Answer {
    StatmountBuffer head;
    std::array<char, 8192> text;
  };
  Answer answer{};
  MountStatus status;
  const long result = Statmount(request, &answer, sizeof answer, flags);
  if (result < 0) {
    status.error = result;
    return status;
  }
  status.raw = answer.head;
  const auto text = [&](uint64_t bit, uint32_t offset) {
    if (!status.Has(bit) || offset >= answer.text.size()) return ShortText();
    return ShortText(
        std::string_view(answer.text.data() + offset,
                         strnlen(answer.text.data() + offset, answer.text.size() - offset)));
  };
  status.fs_type = text(kFsType, status.raw.fs_type);
  status.root = text(kMntRoot, status.raw.mnt_root);
  status.point = text(kMntPoint, status.raw.mnt_point);
  status.source = text(kSbSource, status.raw.sb_source);
  return status;
}

uint64_t IdFromStatx(int fd, const char* path, unsigned mask) {
  struct statx found {};
  const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*path == '\0' ? AT_EMPTY_PATH : 0);
  if (::statx(fd, path, flags, mask, &found) != 0 || (found.stx_mask & mask) == 0) return 0;
  return found.stx_mnt_id;
}

constexpr size_t kMostListed = 4096;

}  // namespace

void PrintTo(const MountStatus& status, std::ostream* os) {
  if (status.error != 0) {
    *os << "statmount: errno " << -status.error;
    return;
  }
  *os << std::hex << "mount 0x" << status.raw.mnt_id << " parent 0x" << status.raw.mnt_parent_id
      << " mask 0x" << status.raw.mask << " attr 0x" << status.raw.mnt_attr << " propagation 0x"
      << status.raw.mnt_propagation << std::dec << " ns " << status.raw.mnt_ns_id << " type "
      << status.fs_type.View() << " root " << status.root.View() << " point "
      << status.point.View();
}

MountStatus StatMount(uint64_t mount_id, uint64_t ns_id, uint64_t mask) {
  return Query({.mnt_id = mount_id, .param = mask, .mnt_ns_id = ns_id}, 0);
}

MountStatus StatMountByFd(int fd, uint64_t mask) {
  return Query({.fd = static_cast<uint32_t>(fd), .param = mask}, kStatmountByFd);
}

MountStatus StatMountAt(const std::string& path) { return StatMount(MountIdAt(path)); }

uint64_t MountIdAt(const std::string& path) {
  return IdFromStatx(AT_FDCWD, path.c_str(), kStatxMntIdUnique);
}
uint64_t MountIdOfFd(int fd) { return IdFromStatx(fd, "", kStatxMntIdUnique); }
uint64_t OldMountIdAt(const std::string& path) {
  return IdFromStatx(AT_FDCWD, path.c_str(), kStatxMntId);
}

std::vector<uint64_t> ListMounts(uint64_t ns_id, uint64_t of) {
  std::vector<uint64_t> ids(kMostListed);
  const long count = Listmount({.mnt_id = of, .mnt_ns_id = ns_id}, ids.data(), ids.size(), 0);
  ids.resize(count < 0 ? 0 : static_cast<size_t>(count));
  return ids;
}

long CountMounts(uint64_t ns_id, uint64_t of) {
  std::vector<uint64_t> ids(kMostListed);
  return Listmount({.mnt_id = of, .mnt_ns_id = ns_id}, ids.data(), ids.size(), 0);
}

long CountMountsByFd(int ns_fd) {
  std::vector<uint64_t> ids(kMostListed);
  return Listmount({.fd = static_cast<uint32_t>(ns_fd), .mnt_id = kLsmtRoot}, ids.data(),
                   ids.size(), 0);
}

MountStatus RootMountOf(uint64_t ns_id) {
  uint64_t first = 0;
  const long count = Listmount({.mnt_id = kLsmtRoot, .mnt_ns_id = ns_id}, &first, 1, 0);
  if (count == 1) return StatMount(first, ns_id);
  MountStatus none;
  none.error = count < 0 ? count : -ENOENT;
  return none;
}

}  // namespace kassay::mount
