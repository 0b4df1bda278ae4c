// Who the calling process is. All of this is for children: none of it can be undone.
#pragma once

#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace kassay::uring {

inline constexpr uid_t kOrdinaryUser = 1000;

// Each returns 0 or a negative errno.
inline int SetNoNewPrivs() { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno; }

// Leaves root for good: all ids, no groups, and with them all capabilities. The process stays
// dumpable, so that it keeps the ownership of its own /proc entries.
inline int BecomeOrdinaryUser() {
  if (syscall(SYS_setgroups, 0, nullptr) != 0) return -errno;
  if (syscall(SYS_setresgid, kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) != 0) return -errno;
  if (syscall(SYS_setresuid, kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) != 0) return -errno;
  return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 ? 0 : -errno;
}

inline int KeepOnlyCapabilities(uint64_t wanted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  for (size_t i = 0; i < sets.size(); ++i) {
    sets[i].effective = sets[i].permitted = static_cast<uint32_t>(wanted >> (32 * i));
  }
  return syscall(SYS_capset, &header, sets.data()) == 0 ? 0 : -errno;
}
inline int DropCapability(int capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return -errno;
  const uint64_t permitted = sets[0].permitted | static_cast<uint64_t>(sets[1].permitted) << 32;
  return KeepOnlyCapabilities(permitted & ~(uint64_t{1} << capability));
}

inline int EnterNewUserNamespace() { return unshare(CLONE_NEWUSER) == 0 ? 0 : -errno; }

}  // namespace kassay::uring
