// A .deb or .rpm under test: whatever it holds, nothing is written outside the target folder and no
// link is made in it.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "harness/base/unique_fd.h"
#include "harness/kernel/package.h"

namespace fs = std::filesystem;

namespace {

// The only entry of its parent, so that anything written beside it is seen.
const fs::path& Target() {
  static const fs::path target = [] {
    std::string parent = fs::temp_directory_path() / "kassay-fuzz-XXXXXX";
    if (::mkdtemp(parent.data()) == nullptr) std::abort();
    return fs::path(parent) / "into";
  }();
  return target;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kassay::UniqueFd package(::memfd_create("package", MFD_CLOEXEC));
  if (::write(package.Get(), data, size) != static_cast<ssize_t>(size)) return 0;
  fs::create_directory(Target());
  kassay::UnpackLimits limits;
  limits.bytes = 1 << 20;
  limits.entries = 64;
  (void)kassay::UnpackPackage("/proc/self/fd/" + std::to_string(package.Get()), Target(),
                              kassay::PackagePart::kKernel, limits);
  for (const auto& entry : fs::recursive_directory_iterator(Target())) {
    if (!entry.is_directory() && (entry.is_symlink() || !entry.is_regular_file())) __builtin_trap();
  }
  for (const auto& entry : fs::directory_iterator(Target().parent_path())) {
    if (entry.path() != Target()) __builtin_trap();
  }
  fs::remove_all(Target());
  return 0;
}
