#include "harness/guest/surroundings.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "harness/base/unique_fd.h"
#include "harness/guest/small_file.h"
#include "harness/protocol/guest_layout.h"

namespace kassay::guest {
namespace {

struct Mount {
  const char* type;
  const char* target;
  unsigned long flags;
  const char* options;
};

constexpr unsigned long kPlain = MS_NOSUID | MS_NODEV;

// In this order: later ones lie in earlier ones.
constexpr Mount kMounts[] = {
    {"proc", "/proc", kPlain | MS_NOEXEC, nullptr},
    {"sysfs", "/sys", kPlain | MS_NOEXEC, nullptr},
    {"devtmpfs", "/dev", MS_NOSUID, "mode=0755"},
    {"devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=0620,ptmxmode=0666"},
    {"tmpfs", "/dev/shm", kPlain, "mode=1777"},
    {"mqueue", "/dev/mqueue", kPlain | MS_NOEXEC, nullptr},
    {"tmpfs", "/tmp", kPlain, "mode=1777"},
    {"tmpfs", "/run", kPlain, "mode=0755"},
    {"securityfs", "/sys/kernel/security", kPlain | MS_NOEXEC, nullptr},
    {"selinuxfs", "/sys/fs/selinux", MS_NOSUID | MS_NOEXEC, nullptr},
    {"bpf", "/sys/fs/bpf", kPlain | MS_NOEXEC, "mode=0700"},
    {"cgroup2", "/sys/fs/cgroup", kPlain | MS_NOEXEC, nullptr},
    {"debugfs", "/sys/kernel/debug", kPlain | MS_NOEXEC, nullptr},
    {"tracefs", "/sys/kernel/tracing", kPlain | MS_NOEXEC, nullptr},
};

std::string Trouble(const std::string& what) {
  return what + ": " + std::strerror(errno);  // NOLINT(concurrency-mt-unsafe): one thread
}

void MountAll(std::vector<std::string>& troubles) {
  for (const Mount& mount : kMounts) {
    ::mkdir(mount.target, 0755);  // those in sysfs exist or cannot be made
    if (::mount(mount.type, mount.target, mount.type, mount.flags, mount.options) == 0) continue;
    // ENODEV: this kernel does not have it. ENOENT: nor the mount point in sysfs. EBUSY: mounted
    // already, as the kernel does with devtmpfs if so configured.
    if (errno != ENODEV && errno != ENOENT && errno != EBUSY)
      troubles.push_back(Trouble(std::string("cannot mount ") + mount.type));
  }
}

void BringLoopbackUp(std::vector<std::string>& troubles) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.IsOpen()) return;  // a kernel without IPv4
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  if (::ioctl(socket.Get(), SIOCGIFFLAGS, &request) != 0) return;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  if (::ioctl(socket.Get(), SIOCSIFFLAGS, &request) != 0)
    troubles.push_back(Trouble("cannot bring lo up"));
}

}  // namespace

std::vector<std::string> SetUpSurroundings() {
  constexpr int kSetConsoleLevel = 8;  // SYSLOG_ACTION_CONSOLE_LEVEL, include/linux/syslog.h
  constexpr int kAllButDebug = 7;
  std::vector<std::string> troubles;
  ::umask(022);
  MountAll(troubles);
  static_cast<void>(!::symlink("/proc/self/fd", "/dev/fd"));
  static_cast<void>(!::symlink("/proc/self/fd/0", "/dev/stdin"));
  static_cast<void>(!::symlink("/proc/self/fd/1", "/dev/stdout"));
  static_cast<void>(!::symlink("/proc/self/fd/2", "/dev/stderr"));
  ::mkdir("/root", 0700);
  BringLoopbackUp(troubles);
  static_cast<void>(!::sethostname("kassay", 6));
  // A boot may be quiet; what a case makes the kernel say must reach the console, which is all that
  // is left of a kernel that dies.
  ::klogctl(kSetConsoleLevel, nullptr, kAllButDebug);
  return troubles;
}

std::vector<protocol::ModuleFailure> LoadModules() {
  std::vector<protocol::ModuleFailure> failures;
  std::istringstream list(ReadSmallFile(kGuestModulesToLoad));
  std::string path;
  while (std::getline(list, path)) {
    if (path.empty()) continue;
    const UniqueFd module(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const bool loaded = module.IsOpen() &&
                        (::syscall(SYS_finit_module, module.Get(), "", 0) == 0 || errno == EEXIST);
    if (!loaded && failures.size() < protocol::kMaxModules)
      failures.push_back({path.substr(0, protocol::kMaxTextBytes), errno});
  }
  return failures;
}

}  // namespace kassay::guest
