// A memory control group of one's own, to see what the kernel charges to a task.
#pragma once

#include <string>

#include "suites/support/user_namespace.h"

namespace kassay::uring {

class MemoryCgroup {
 public:
  // Mounts the unified hierarchy at a place of its own. Not usable where there is no memory
  // controller.
  explicit MemoryCgroup(const std::string& name);
  MemoryCgroup(const MemoryCgroup&) = delete;
  MemoryCgroup& operator=(const MemoryCgroup&) = delete;
  ~MemoryCgroup();

  // Empty if the group is usable, else what is missing.
  [[nodiscard]] const std::string& Missing() const { return missing_; }

  // Moves the calling process in.
  [[nodiscard]] bool Enter() const { return WriteToFile(path_ + "/cgroup.procs", "0") == 0; }
  [[nodiscard]] bool Limit(long bytes) const {
    return WriteToFile(path_ + "/memory.max", std::to_string(bytes)) == 0;
  }
  // Bytes charged, or -1.
  [[nodiscard]] long Current() const;
  // Waits until no more than `bytes` are charged, at most `limit_ms`; the last value read.
  [[nodiscard]] long WaitUntilAtMost(long bytes, int limit_ms = 10000) const;

 private:
  std::string path_;
  std::string missing_;
};

}  // namespace kassay::uring
