// The test module: built on the host for one kernel's headers, loaded in the guest, heard through
// the kernel log.
#pragma once

#include <string>
#include <vector>

namespace kassay::typed_alloc {

// Which compiler built it: clang 22.1 knows counted_by, gcc 12 does not
// (init/Kconfig:CC_HAS_COUNTED_BY).
enum class Builder { kClang, kGcc };

// Compiles module/typed_alloc.c into `folder` with both compilers; a builder that is missing or
// fails leaves NAME.problem beside, with the reason. Without headers the problem says so.
[[nodiscard]] std::string BuildModules(const std::string& folder);

// Why the module of `builder` is not in the guest; empty if it is.
[[nodiscard]] std::string WhyNotPrepared(Builder builder);

struct ModuleReport {
  int load_errno = 0;              // of finit_module(2); 0 if the module was loaded
  std::string result;              // "ok", "not ok", "skip"; empty if the module did not speak
  std::vector<std::string> lines;  // all that it said, KTAP
};

// Loads the module for one test, listens, unloads it.
[[nodiscard]] ModuleReport RunInKernel(Builder builder, const std::string& test);

}  // namespace kassay::typed_alloc
