// The user-space interface of Landlock as of Linux 7.3 (include/uapi/linux/landlock.h), which the
// headers of the build host lack, and its three system calls. Results are 0 or more, or -errno.
#pragma once

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "harness/base/unique_fd.h"
#include "suites/support/errno_result.h"

namespace kassay::landlock {

inline constexpr std::uint32_t kCreateVersion = 1U << 0;
inline constexpr std::uint32_t kCreateErrata = 1U << 1;

inline constexpr std::uint32_t kLogSameExecOff = 1U << 0;
inline constexpr std::uint32_t kLogNewExecOn = 1U << 1;
inline constexpr std::uint32_t kLogSubdomainsOff = 1U << 2;
inline constexpr std::uint32_t kTsync = 1U << 3;
inline constexpr std::uint32_t kNoNewPrivs = 1U << 4;  // ABI 11

inline constexpr std::uint32_t kRulePathBeneath = 1;
inline constexpr std::uint32_t kRuleNetPort = 2;

inline constexpr std::uint64_t kFsExecute = 1U << 0;
inline constexpr std::uint64_t kFsWriteFile = 1U << 1;
inline constexpr std::uint64_t kFsReadFile = 1U << 2;
inline constexpr std::uint64_t kNetBindTcp = 1U << 0;
inline constexpr std::uint64_t kNetConnectTcp = 1U << 1;
inline constexpr std::uint64_t kScopeAbstractUnixSocket = 1U << 0;
inline constexpr std::uint64_t kScopeSignal = 1U << 1;

inline constexpr int kMaxLayers = 16;  // security/landlock/limits.h

// The form of ABI 10; before, the structure ended after `scoped`.
struct RulesetAttr {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;
  std::uint64_t scoped = 0;
  std::uint64_t quiet_access_fs = 0;
  std::uint64_t quiet_access_net = 0;
  std::uint64_t quiet_scoped = 0;
};
inline constexpr std::size_t kRulesetAttrSizeV8 = 24;
static_assert(sizeof(RulesetAttr) == 48);
static_assert(offsetof(RulesetAttr, quiet_access_fs) == kRulesetAttrSizeV8);

struct __attribute__((packed)) PathBeneathAttr {
  std::uint64_t allowed_access;
  std::int32_t parent_fd;
};
static_assert(sizeof(PathBeneathAttr) == 12 && offsetof(PathBeneathAttr, parent_fd) == 8);

struct NetPortAttr {
  std::uint64_t allowed_access;
  std::uint64_t port;  // host byte order
};
static_assert(sizeof(NetPortAttr) == 16 && offsetof(NetPortAttr, port) == 8);

inline constexpr long kNrCreateRuleset = 444;
inline constexpr long kNrAddRule = 445;
inline constexpr long kNrRestrictSelf = 446;
static_assert(SYS_landlock_create_ruleset == kNrCreateRuleset &&
              SYS_landlock_add_rule == kNrAddRule && SYS_landlock_restrict_self == kNrRestrictSelf);

inline long CreateRuleset(const void* attr, std::size_t size, std::uint32_t flags) {
  return OrErrno(syscall(kNrCreateRuleset, attr, size, flags));
}
inline long AddRule(int ruleset, std::uint32_t type, const void* attr, std::uint32_t flags = 0) {
  return OrErrno(syscall(kNrAddRule, ruleset, type, attr, flags));
}
inline long RestrictSelf(int ruleset, std::uint32_t flags) {
  return OrErrno(syscall(kNrRestrictSelf, ruleset, flags));
}

// A ruleset that handles these rights and has no rule yet; not open if the kernel refused.
inline UniqueFd Ruleset(std::uint64_t fs, std::uint64_t net = 0, std::uint64_t scoped = 0) {
  const RulesetAttr attr{.handled_access_fs = fs, .handled_access_net = net, .scoped = scoped};
  // The short form where it is enough: kernels older than ABI 6 know no more.
  const std::size_t size = scoped != 0 ? kRulesetAttrSizeV8 : net != 0 ? 16 : 8;
  return UniqueFd(static_cast<int>(CreateRuleset(&attr, size, 0)));
}

// 0 if the kernel does not know Landlock or boots without it.
inline long AbiVersion() {
  const long version = CreateRuleset(nullptr, 0, kCreateVersion);
  return version < 0 ? 0 : version;
}

inline void SetNoNewPrivs() { prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

}  // namespace kassay::landlock
