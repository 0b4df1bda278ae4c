// What a module says of itself, through libkmod.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

struct ModuleInfo {
  std::vector<std::string> depends;       // depends=: module names
  std::vector<std::string> softdeps_pre;  // softdep=pre: module names or aliases
  std::vector<std::string> aliases;       // alias=
};

[[nodiscard]] Result<ModuleInfo> ReadModuleInfo(const std::filesystem::path& file);

// The names before "post:" of a softdep= value: "pre: a b post: c" gives {a, b} (modprobe.d(5)).
[[nodiscard]] std::vector<std::string> SoftdepsPre(const std::string& softdep);

}  // namespace kassay
