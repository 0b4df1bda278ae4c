#include "suites/posture/observe.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "harness/base/unique_fd.h"

namespace kassay::posture {
namespace {

constexpr long kLandlockCreateRuleset = 444;  // arch/x86/entry/syscalls/syscall_64.tbl
constexpr unsigned kLandlockVersionFlag = 1;  // LANDLOCK_CREATE_RULESET_VERSION

std::string OnOff(bool on) { return on ? "on" : "off"; }

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// A field of "mem auto-init: stack:..., heap alloc:on, heap free:off", which the kernel logs while
// it boots.
std::string MemoryInit(const std::string& field) {
  const std::string log = BootLog();
  const size_t line = log.find("mem auto-init:");
  if (line == std::string::npos) return "unseen: the boot log no longer holds its line";
  const size_t at = log.find(field, line);
  if (at == std::string::npos) return "unseen: no '" + field + "' in the boot log";
  return log.compare(at + field.size(), 2, "on") == 0 ? "on" : "off";
}

}  // namespace

std::string ReadTrimmed(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string BootLog() {
  const UniqueFd file(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  std::string log;
  std::string record(8192, '\0');
  while (true) {
    const ssize_t got = read(file.Get(), record.data(), record.size());
    if (got < 0 && errno == EPIPE) continue;
    if (got <= 0) return log;
    log.append(record.data(), static_cast<size_t>(got));
  }
}

std::string HeapInitOnAlloc() { return MemoryInit("heap alloc:"); }
std::string HeapInitOnFree() { return MemoryInit("heap free:"); }

std::string BucketCaches() {
  std::ifstream file("/proc/slabinfo");
  if (!file) return "unseen: /proc/slabinfo cannot be read";
  std::ostringstream text;
  text << file.rdbuf();
  return OnOff(text.str().find("\nmemdup_user-") != std::string::npos);
}

// Memory above the first megabyte that the kernel uses as RAM is refused to /dev/mem.
std::string StrictDevMem() {
  const UniqueFd file(open("/dev/mem", O_RDONLY | O_CLOEXEC));
  if (!file.IsOpen()) return "unseen: /dev/mem cannot be opened";
  char byte = 0;
  const off_t system_ram = off_t{32} << 20;
  const ssize_t got = pread(file.Get(), &byte, 1, system_ram);
  if (got == 1) return "off";
  return errno == EPERM ? "on" : "unseen: reading RAM through /dev/mem gave another error";
}

std::string ModuleSignatures() {
  return OnOff(Exists("/sys/module/module/parameters/sig_enforce"));
}
std::string ModuleSignaturesForced() {
  return OnOff(ReadTrimmed("/sys/module/module/parameters/sig_enforce") == "Y");
}
std::string LockdownLsm() { return OnOff(Exists("/sys/kernel/security/lockdown")); }
std::string LandlockLsm() {
  const long version = syscall(kLandlockCreateRuleset, nullptr, 0, kLandlockVersionFlag);
  if (version > 0) return "on";
  return errno == EOPNOTSUPP || errno == ENOSYS ? "off" : "unseen: an unexpected error";
}
std::string Yama() { return OnOff(Exists("/proc/sys/kernel/yama/ptrace_scope")); }
std::string DmesgRestricted() {
  return OnOff(ReadTrimmed("/proc/sys/kernel/dmesg_restrict") == "1");
}
std::string UnprivilegedBpfOff() {
  const std::string value = ReadTrimmed("/proc/sys/kernel/unprivileged_bpf_disabled");
  return value.empty() ? "unseen: no such sysctl" : OnOff(value != "0");
}
std::string LegacyTiocsti() {
  const std::string value = ReadTrimmed("/proc/sys/dev/tty/legacy_tiocsti");
  return value.empty() ? "unseen: no such sysctl" : OnOff(value == "1");
}
std::string VsyscallEmulated() {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    if (line.find("[vsyscall]") != std::string::npos) return "on";
  }
  return "off";
}
std::string UserfaultfdPresent() { return OnOff(Exists("/proc/sys/vm/unprivileged_userfaultfd")); }
std::string IoUringPresent() { return OnOff(Exists("/proc/sys/kernel/io_uring_disabled")); }
std::string KexecPresent() { return OnOff(Exists("/proc/sys/kernel/kexec_load_disabled")); }
std::string UserNamespaces() { return OnOff(Exists("/proc/self/ns/user")); }
std::string SelinuxPresent() {
  std::ifstream file("/proc/filesystems");
  std::string line;
  while (std::getline(file, line)) {
    if (line.find("selinuxfs") != std::string::npos) return "on";
  }
  return "unseen: selinuxfs registers only where SELinux is enabled at boot";
}
std::string AuditPresent() {
  const UniqueFd socket_fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT));
  return OnOff(socket_fd.IsOpen());
}
std::string BpfSyscall() {
  const long result = syscall(SYS_bpf, -1, nullptr, 0);
  return OnOff(!(result < 0 && errno == ENOSYS));
}
std::string BpfJit() { return OnOff(Exists("/proc/sys/net/core/bpf_jit_enable")); }

}  // namespace kassay::posture
