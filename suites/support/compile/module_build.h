// Builds an external module of one source without kbuild: a headers package made on another
// distribution brings programs that do not run here, and the compiler of the kernel may be newer
// than ours. The source adds itself what modpost would add (vermagic, name, struct module). Good
// for small modules that use neither static keys nor tracing, which objtool would have to prepare.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace kassay::compile {

struct ModuleBuild {
  std::string_view source;         // C text
  std::string name;                // as in /proc/modules
  std::string compiler;            // "gcc" or a clang
  std::vector<std::string> flags;  // added to ModuleFlags()
  std::filesystem::path output;    // the .ko
};

// Empty, or one line that says why there is no module: no headers, no compiler, or its first error.
[[nodiscard]] std::string BuildModule(const ModuleBuild& build);

}  // namespace kassay::compile
