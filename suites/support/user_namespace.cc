#include "suites/support/user_namespace.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "harness/base/unique_fd.h"
#include "suites/support/errno_result.h"

namespace kassay {
namespace {}  // namespace

long SwitchToUser(uid_t uid) {
  if (const long r = OrErrno(setgroups(0, nullptr)); r < 0) return r;
  if (const long r = OrErrno(setresgid(uid, uid, uid)); r < 0) return r;
  if (const long r = OrErrno(setresuid(uid, uid, uid)); r < 0) return r;
  return OrErrno(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

long EnterUserNamespace(int also) {
  const std::string uid = std::to_string(geteuid());
  const std::string gid = std::to_string(getegid());
  if (const long r = OrErrno(unshare(CLONE_NEWUSER | also)); r < 0) return r;
  if (const long r = WriteToFile("/proc/self/setgroups", "deny"); r < 0) return r;
  if (const long r = WriteToFile("/proc/self/uid_map", "0 " + uid + " 1"); r < 0) return r;
  return WriteToFile("/proc/self/gid_map", "0 " + gid + " 1");
}

long EnterUserNamespaceAsUser(int also, uid_t uid) {
  if (const long r = SwitchToUser(uid); r < 0) return r;
  return EnterUserNamespace(also);
}

long DropCapability(int capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (const long r = OrErrno(syscall(SYS_capget, &header, sets.data())); r < 0) return r;
  auto& set = sets.at(CAP_TO_INDEX(capability));
  set.effective &= ~CAP_TO_MASK(capability);
  set.permitted &= ~CAP_TO_MASK(capability);
  set.inheritable &= ~CAP_TO_MASK(capability);
  return OrErrno(syscall(SYS_capset, &header, sets.data()));
}

long WriteToFile(const std::string& path, std::string_view text) {
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.IsOpen()) return -errno;
  const long written = OrErrno(write(file.Get(), text.data(), text.size()));
  return written < 0 ? written : 0;
}

void AllowUnprivilegedUserNamespaces() {
  // Kernels without Debian's patch do not have the file and need nothing.
  static_cast<void>(WriteToFile("/proc/sys/kernel/unprivileged_userns_clone", "1"));
}

}  // namespace kassay
