// What suites make on this machine for the guests of a kernel (suites/support/prepare.h), kept in
// the cache: CACHE/prepared/KEY.
#pragma once

#include <filesystem>
#include <string>

#include "harness/base/installation.h"
#include "harness/base/result.h"

namespace kassay {

// All that the files depend on.
struct Preparation {
  std::string suite;
  std::string release;            // of the kernel
  std::filesystem::path headers;  // the kernel's; empty if there are none
};

// The name of the folder: over the suite's executable, the release and the headers' path.
[[nodiscard]] Result<std::string> PreparedKey(const Installation& installation,
                                              const Preparation& preparation);

// The folder; the suite makes it if it is not there yet. Two processes may do so at once. Fails
// with the suite's own words.
[[nodiscard]] Result<std::filesystem::path> PreparedFolder(const Installation& installation,
                                                           const Preparation& preparation);

}  // namespace kassay
