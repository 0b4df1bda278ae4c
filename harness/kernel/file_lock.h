// One process at a time, among all that agree on a lock file.
#pragma once

#include <filesystem>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"

namespace kassay {

class FileLock {
 public:
  // Waits until `file` (made if needed, with its folder) is ours; the lock ends with the object, or
  // with the process however it ends. Fails on Ctrl-C and if the file cannot be made.
  [[nodiscard]] static Result<FileLock> Acquire(const std::filesystem::path& file);

 private:
  explicit FileLock(UniqueFd file) : file_(std::move(file)) {}
  UniqueFd file_;
};

}  // namespace kassay
