// A file below /proc/sys that gets its old value back. The descriptor is opened once, so that this
// also works after the process has moved to a mount namespace without /proc.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

#include "harness/base/unique_fd.h"

namespace kassay {

class ScopedSysctl {
 public:
  // `name` with slashes: "fs/mount-max".
  ScopedSysctl(const std::string& name, std::string_view value)
      : file_(open(("/proc/sys/" + name).c_str(), O_RDWR | O_CLOEXEC)) {
    std::array<char, 256> text{};
    const ssize_t size = pread(file_.Get(), text.data(), text.size(), 0);
    if (size <= 0) return;
    before_.assign(text.data(), static_cast<size_t>(size));
    ok_ = Set(value);
  }
  ScopedSysctl(const ScopedSysctl&) = delete;
  ScopedSysctl& operator=(const ScopedSysctl&) = delete;
  ~ScopedSysctl() {
    if (!before_.empty()) Set(before_);
  }

  // Whether the value was taken.
  [[nodiscard]] bool Ok() const { return ok_; }
  bool Set(std::string_view value) {
    return pwrite(file_.Get(), value.data(), value.size(), 0) == static_cast<ssize_t>(value.size());
  }

 private:
  UniqueFd file_;
  std::string before_;
  bool ok_ = false;
};

}  // namespace kassay
