// For use in a child process (InChild): another user, a user namespace of one's own, fewer
// capabilities. Nothing here can be undone. All return 0 or -errno.
#pragma once

#include <linux/capability.h>
#include <sched.h>

#include <sys/types.h>
#include <string>
#include <string_view>

namespace kassay {

// The unprivileged user that cases run as; it owns nothing in the guest.
inline constexpr uid_t kUnprivilegedUid = 1000;

// Gives up supplementary groups, all ids and with them every capability. The process stays
// dumpable, so that it still owns its files in /proc (prctl(2), PR_SET_DUMPABLE).
[[nodiscard]] long SwitchToUser(uid_t uid = kUnprivilegedUid);

// unshare(CLONE_NEWUSER | also) and maps the caller's ids to root in the new user namespace
// (user_namespaces(7)). Debian's switch against unprivileged user namespaces is no concern of root.
[[nodiscard]] long EnterUserNamespace(int also = 0);

// SwitchToUser() and then EnterUserNamespace(): what a rootless runtime does first.
[[nodiscard]] long EnterUserNamespaceAsUser(int also = 0, uid_t uid = kUnprivilegedUid);

// Takes one capability (CAP_...) out of the effective, permitted and inheritable sets.
[[nodiscard]] long DropCapability(int capability);

// Writes to a file that exists, in one write: what files in /proc want.
[[nodiscard]] long WriteToFile(const std::string& path, std::string_view text);

// Debian's kernel.unprivileged_userns_clone, where it exists, set to 1.
void AllowUnprivilegedUserNamespaces();

}  // namespace kassay
