// What a kernel spec says, before anything is looked at on disk but whether a path exists.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/base/result.h"
#include "harness/kernel/locate.h"

namespace kassay {

struct PinnedSpec {
  std::string name;  // "debian:7.0.13"
};
struct PackagesSpec {
  std::vector<std::filesystem::path> files;
};
struct FolderSpec {
  std::filesystem::path folder;  // a build tree or unpacked packages
};
// KernelFiles: an image, with modules and config where they are named.
using KernelSpec = std::variant<PinnedSpec, PackagesSpec, KernelFiles, FolderSpec>;

// Fails, with ErrorKind::kUsage and what to write instead, on a spec of no known form and on a path
// that does not exist. See store.h for the forms.
[[nodiscard]] Result<KernelSpec> ParseKernelSpec(std::string_view spec);

// The same kernel, named so that it is found from any folder: relative paths made absolute.
[[nodiscard]] std::string AbsoluteSpec(std::string_view spec);

}  // namespace kassay
