// The modules of a kernel and what has to be loaded before what.
//
// depmod runs when a package is installed, so an unpacked one has no modules.dep: dependencies come
// from each module's own .modinfo section (depends=, softdep=) instead.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

struct ModuleFile {
  std::string name;            // as in /proc/modules, with underscores: "dm_verity"
  std::filesystem::path file;  // on the host, maybe compressed
  std::string
      guest_path;  // below lib/modules/RELEASE, decompressed: "kernel/drivers/md/dm-verity.ko"
};

class ModuleTree {
 public:
  // `dir` is an installed lib/modules/RELEASE, or a kernel build tree with its modules in place. An
  // empty path gives a tree without modules. Symbolic links are not followed.
  [[nodiscard]] static Result<ModuleTree> Open(const std::filesystem::path& dir);

  // `names` with everything they depend on (depends=, and what softdep= wants before them), in load
  // order, each once; names of no module are passed over. '-' and '_' are the same. Fails on a
  // module that cannot be read, or a dependency that is not there.
  [[nodiscard]] Result<std::vector<ModuleFile>> Closure(
      const std::vector<std::string>& names) const;

  // All modules, sorted by guest_path.
  [[nodiscard]] std::vector<ModuleFile> All() const;
  [[nodiscard]] bool IsBuiltIn(std::string_view name) const;
  // nullptr if there is none of that name.
  [[nodiscard]] const ModuleFile* Find(std::string_view name) const;

 private:
  std::map<std::string, ModuleFile, std::less<>> files_;  // by name
  std::set<std::string, std::less<>> built_in_;           // names and aliases
};

// A module's bytes, decompressed (.ko, .ko.xz, .ko.zst, .ko.gz); at most 512 MiB.
[[nodiscard]] Result<std::string> ReadModule(const std::filesystem::path& file);

// "dm-verity", "dm-verity.ko.xz" and "kernel/drivers/md/dm-verity.ko" give "dm_verity".
[[nodiscard]] std::string ModuleName(std::string_view path_or_name);

}  // namespace kassay
