// The shared libraries that an executable needs to start, found without running anything.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/kernel/architecture.h"

namespace kassay {

struct SharedLibrary {
  std::filesystem::path host_file;
  // Where the guest's dynamic linker looks without a cache of its own: the same path if that is one
  // of the linker's own folders, else the folder of the C library.
  std::filesystem::path guest_path;
};

// The dynamic linker and all DT_NEEDED, directly and through other libraries (ld.so(8)); none for a
// static executable. Sorted by guest_path. Fails on a file that is no program of this architecture,
// and on a library that this machine does not have.
[[nodiscard]] Result<std::vector<SharedLibrary>> SharedLibrariesOf(
    const std::filesystem::path& executable, const Architecture& architecture);

}  // namespace kassay
