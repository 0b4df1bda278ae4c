#include "suites/io_uring/memory_cgroup.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>

namespace kassay::uring {
namespace {

constexpr const char* kMountPoint = "/tmp/kassay-cgroup";

std::string Why(const std::string& what, long negative_errno) {
  return what + ": " +
         std::strerror(static_cast<int>(-negative_errno));  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace

MemoryCgroup::MemoryCgroup(const std::string& name) : path_(std::string(kMountPoint) + "/" + name) {
  mkdir(kMountPoint, 0755);
  if (mount("cgroup2", kMountPoint, "cgroup2", 0, nullptr) != 0 && errno != EBUSY) {
    missing_ = Why("the unified cgroup hierarchy", -errno);
    return;
  }
  if (const long failed =
          WriteToFile(std::string(kMountPoint) + "/cgroup.subtree_control", "+memory");
      failed != 0) {
    missing_ = Why("the memory controller", failed);
    return;
  }
  if (mkdir(path_.c_str(), 0755) != 0 && errno != EEXIST) missing_ = Why("a control group", -errno);
}

MemoryCgroup::~MemoryCgroup() {
  rmdir(path_.c_str());
  umount2(kMountPoint, MNT_DETACH);
  rmdir(kMountPoint);
}

long MemoryCgroup::Current() const {
  std::ifstream file(path_ + "/memory.current");
  long bytes = -1;
  file >> bytes;
  return bytes;
}

long MemoryCgroup::WaitUntilAtMost(long bytes, int limit_ms) const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
  long current = Current();
  while (current > bytes && std::chrono::steady_clock::now() < end) {
    usleep(20'000);
    current = Current();
  }
  return current;
}

}  // namespace kassay::uring
