// What the kernel says while a case runs.
#pragma once

#include <string>
#include <vector>

#include "harness/base/unique_fd.h"

namespace kassay {

// /dev/kmsg from the object's construction on (Documentation/ABI/testing/dev-kmsg).
class KernelLog {
 public:
  KernelLog();
  // The texts of all records since the last call.
  [[nodiscard]] std::vector<std::string> Lines();

 private:
  UniqueFd file_;
};

}  // namespace kassay
