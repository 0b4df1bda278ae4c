// What statmount(2) and listmount(2) tell, as values that may cross a pipe from a child.
#pragma once

#include <array>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "suites/mount/uapi.h"

namespace kassay::mount {

// Text with a fixed bound; longer text is cut.
class ShortText {
 public:
  ShortText() = default;
  explicit ShortText(std::string_view text) {
    size_ = static_cast<uint32_t>(text.copy(text_.data(), text_.size()));
  }
  [[nodiscard]] std::string_view View() const { return {text_.data(), size_}; }
  friend bool operator==(const ShortText& a, std::string_view b) { return a.View() == b; }
  friend void PrintTo(const ShortText& text, std::ostream* os) { *os << '"' << text.View() << '"'; }

 private:
  std::array<char, 124> text_{};
  uint32_t size_ = 0;
};

struct MountStatus {
  long error = 0;  // -errno of statmount; then nothing else is set
  StatmountBuffer raw{};
  ShortText fs_type, root, point, source;

  [[nodiscard]] bool Has(uint64_t bit) const { return (raw.mask & bit) != 0; }
};
void PrintTo(const MountStatus& status, std::ostream* os);

inline constexpr uint64_t kEverything =
    kSbBasic | kMntBasic | kPropagateFrom | kMntRoot | kMntPoint | kFsType | kMntNsId | kSbSource;

// By unique mount id, in the namespace with `ns_id` (0: the caller's).
[[nodiscard]] MountStatus StatMount(uint64_t mount_id, uint64_t ns_id = 0,
                                    uint64_t mask = kEverything);
// By a descriptor of any file of the mount (STATMOUNT_BY_FD).
[[nodiscard]] MountStatus StatMountByFd(int fd, uint64_t mask = kEverything);
// The mount that a path or a descriptor lies on, by its unique id.
[[nodiscard]] MountStatus StatMountAt(const std::string& path);

// Unique mount id (statx(2), STATX_MNT_ID_UNIQUE), 0 on error.
[[nodiscard]] uint64_t MountIdAt(const std::string& path);
[[nodiscard]] uint64_t MountIdOfFd(int fd);
// The reusable id (STATX_MNT_ID), as in mountinfo; 0 on error.
[[nodiscard]] uint64_t OldMountIdAt(const std::string& path);

// The ids below `of` (the namespace's root if not given), up to 4096; empty on error.
[[nodiscard]] std::vector<uint64_t> ListMounts(uint64_t ns_id = 0, uint64_t of = kLsmtRoot);
// Their number or -errno.
[[nodiscard]] long CountMounts(uint64_t ns_id = 0, uint64_t of = kLsmtRoot);
// By a descriptor of the namespace.
[[nodiscard]] long CountMountsByFd(int ns_fd);
// The mount at the root of that namespace: the first that listmount names. `error` if there is
// none.
[[nodiscard]] MountStatus RootMountOf(uint64_t ns_id);

}  // namespace kassay::mount
