// Where the kernel's headers are. Looked for once, when somebody asks: they may have to be fetched.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "harness/base/result.h"

namespace kassay {

class KernelHeaders {
 public:
  using Find = std::function<Result<std::filesystem::path>()>;
  // Without `find` there are none.
  explicit KernelHeaders(Find find = {}) : find_(std::move(find)) {}

  // Their folder; empty if there are none. Thread-safe.
  [[nodiscard]] Result<std::filesystem::path> Folder() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!folder_) folder_ = find_ ? find_() : std::filesystem::path();
    return *folder_;
  }

 private:
  const Find find_;
  std::mutex mutex_;
  std::optional<Result<std::filesystem::path>> folder_;
};

// A usage error if `folder` says that it was made for another release than this (uname -r):
// include/config/kernel.release, which kbuild writes and packages of headers keep.
[[nodiscard]] Status CheckHeaders(const std::filesystem::path& folder, const std::string& release);

}  // namespace kassay
