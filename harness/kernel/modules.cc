#include "harness/kernel/modules.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "harness/base/file.h"
#include "harness/kernel/archive_handle.h"
#include "harness/kernel/module_info.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

constexpr size_t kMaxModuleBytes = size_t{512} << 20;
constexpr size_t kMaxListBytes = size_t{64} << 20;
constexpr size_t kReadBlock = size_t{256} << 10;

// The path without its compression: "a/b.ko.xz" gives "a/b.ko"; nothing if it is no module.
std::optional<std::string> WithoutCompression(const std::string& path) {
  for (const std::string_view ending : {".ko", ".ko.xz", ".ko.zst", ".ko.gz"}) {
    if (path.ends_with(ending)) return path.substr(0, path.size() - ending.size()) + ".ko";
  }
  return std::nullopt;
}

// modules.order of a build tree: one path a line, ".ko" or (from 6.3) ".o"; older ones begin with
// "kernel/".
Result<std::vector<ModuleFile>> ModulesOfBuildTree(const fs::path& tree) {
  std::vector<ModuleFile> files;
  std::error_code ignored;
  if (!fs::exists(tree / "modules.order", ignored)) return files;
  KASSAY_TRY(const std::string order, ReadFile(tree / "modules.order", kMaxListBytes));
  std::istringstream in(order);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("kernel/") && !fs::exists(tree / line, ignored)) line.erase(0, 7);
    if (line.ends_with(".o")) line.replace(line.size() - 2, 2, ".ko");
    if (!line.ends_with(".ko")) continue;
    if (!fs::exists(tree / line, ignored)) {
      return Fail(fmt::format("{} lists {}, which is not built: run 'make modules'",
                              (tree / "modules.order").string(), line));
    }
    files.push_back({ModuleName(line), tree / line, "kernel/" + line});
  }
  return files;
}

Result<std::vector<ModuleFile>> ModulesOfInstalled(const fs::path& dir) {
  std::vector<ModuleFile> files;
  std::error_code error;
  for (fs::recursive_directory_iterator at(dir, error), end; at != end; at.increment(error)) {
    if (error) break;
    if (at->is_symlink() || !at->is_regular_file()) continue;
    const std::string relative = at->path().lexically_relative(dir).string();
    if (auto guest_path = WithoutCompression(relative)) {
      files.push_back({ModuleName(relative), at->path(), *guest_path});
    }
  }
  if (error) return Fail("cannot read " + dir.string() + ": " + error.message());
  return files;
}

// modules.builtin: one path a line. modules.builtin.modinfo: NUL-terminated "name.key=value"
// (Documentation/kbuild/kbuild.rst).
Result<std::set<std::string, std::less<>>> BuiltInNames(const fs::path& dir) {
  std::set<std::string, std::less<>> names;
  std::error_code ignored;
  if (fs::exists(dir / "modules.builtin", ignored)) {
    KASSAY_TRY(const std::string list, ReadFile(dir / "modules.builtin", kMaxListBytes));
    std::istringstream in(list);
    for (std::string line; std::getline(in, line);) names.insert(ModuleName(line));
  }
  if (fs::exists(dir / "modules.builtin.modinfo", ignored)) {
    KASSAY_TRY(const std::string info, ReadFile(dir / "modules.builtin.modinfo", kMaxListBytes));
    std::istringstream in(info);
    for (std::string entry; std::getline(in, entry, '\0');) {
      const size_t at = entry.find(".alias=");
      if (at != std::string::npos) names.insert(ModuleName(entry.substr(at + 7)));
    }
  }
  return names;
}

// Depth first: a module comes after all that it needs.
class LoadOrder {
 public:
  explicit LoadOrder(const ModuleTree& tree) : tree_(tree), all_(tree.All()) {}

  // False if there is no module of that name.
  Result<bool> Add(const std::string& name) {
    const ModuleFile* module = tree_.Find(name);
    if (module == nullptr) return false;
    if (!seen_.insert(module->name).second) return true;
    KASSAY_TRY(const ModuleInfo info, ReadModuleInfo(module->file));
    for (const std::string& needed : info.softdeps_pre) KASSAY_CHECK(AddSoft(needed));
    for (const std::string& needed : info.depends) {
      KASSAY_TRY(const bool found, Add(needed));
      if (!found && !tree_.IsBuiltIn(needed)) {
        return Fail(fmt::format("module {} needs {}, which this kernel's modules do not have",
                                module->name, needed));
      }
    }
    order_.push_back(*module);
    return true;
  }

  std::vector<ModuleFile> Take() { return std::move(order_); }

 private:
  // A soft dependency that is not there is no error (modprobe.d(5)).
  Status AddSoft(const std::string& name) {
    const bool is_module = tree_.Find(name) != nullptr || tree_.IsBuiltIn(name);
    const std::optional<std::string> module = is_module ? name : Provider(name);
    if (!module) return {};
    KASSAY_TRY([[maybe_unused]] const bool found, Add(*module));
    return {};
  }

  // The module that provides `alias`; of several the generic one, else the first by path. Only
  // crypto-* is looked up: other aliases stand for devices, and no softdep= names those.
  std::optional<std::string> Provider(const std::string& alias) {
    if (!ModuleName(alias).starts_with("crypto_")) return std::nullopt;
    std::optional<std::string> first;
    for (const ModuleFile& module : all_) {
      if (module.guest_path.find("crypto") == std::string::npos || !Provides(module, alias))
        continue;
      if (module.name.find("generic") != std::string::npos) return module.name;
      if (!first) first = module.name;
    }
    return first;
  }

  bool Provides(const ModuleFile& module, const std::string& alias) {
    const auto [known, is_new] = aliases_.try_emplace(module.name);
    if (is_new) {
      if (auto info = ReadModuleInfo(module.file)) known->second = std::move(info->aliases);
    }
    return std::any_of(known->second.begin(), known->second.end(), [&](const std::string& pattern) {
      return ::fnmatch(ModuleName(pattern).c_str(), ModuleName(alias).c_str(), 0) == 0;
    });
  }

  const ModuleTree& tree_;
  std::vector<ModuleFile> all_;
  std::map<std::string, std::vector<std::string>> aliases_;  // by module, as far as it was asked
  std::set<std::string> seen_;
  std::vector<ModuleFile> order_;
};

}  // namespace

std::string ModuleName(std::string_view path_or_name) {
  std::string name(path_or_name.substr(path_or_name.rfind('/') + 1));
  if (const auto without = WithoutCompression(name)) name = without->substr(0, without->size() - 3);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

Result<ModuleTree> ModuleTree::Open(const fs::path& dir) {
  ModuleTree tree;
  if (dir.empty()) return tree;
  std::error_code ignored;
  const bool is_build_tree = fs::exists(dir / "include/config/kernel.release", ignored);
  KASSAY_TRY(std::vector<ModuleFile> files,
             is_build_tree ? ModulesOfBuildTree(dir) : ModulesOfInstalled(dir));
  // As depmod does, updates/ goes before the kernel's own (depmod.d(5)).
  std::ranges::sort(files, {}, [](const ModuleFile& file) {
    return std::pair(!file.guest_path.starts_with("updates/"), file.guest_path);
  });
  for (const ModuleFile& file : files) tree.files_.emplace(file.name, file);
  KASSAY_TRY(tree.built_in_, BuiltInNames(dir));
  return tree;
}

Result<std::vector<ModuleFile>> ModuleTree::Closure(const std::vector<std::string>& names) const {
  LoadOrder order(*this);
  for (const std::string& name : names) {
    KASSAY_TRY([[maybe_unused]] const bool found, order.Add(name));
  }
  return order.Take();
}

std::vector<ModuleFile> ModuleTree::All() const {
  std::vector<ModuleFile> all;
  all.reserve(files_.size());
  for (const auto& [name, file] : files_) all.push_back(file);
  std::ranges::sort(all, {}, &ModuleFile::guest_path);
  return all;
}

bool ModuleTree::IsBuiltIn(std::string_view name) const {
  return built_in_.contains(ModuleName(name));
}

const ModuleFile* ModuleTree::Find(std::string_view name) const {
  const auto found = files_.find(ModuleName(name));
  return found == files_.end() ? nullptr : &found->second;
}

Result<std::string> ReadModule(const fs::path& file) {
  const ArchiveReader reader(archive_read_new());
  SupportPackageFilters(reader.get());
  archive_read_support_format_raw(reader.get());
  archive_entry* entry = nullptr;
  if (archive_read_open_filename(reader.get(), file.c_str(), kReadBlock) != ARCHIVE_OK ||
      archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK) {
    return FailArchive(reader.get(), "cannot read the module " + file.string());
  }
  std::string bytes;
  std::string chunk(kReadBlock, '\0');
  while (true) {
    const la_ssize_t got = archive_read_data(reader.get(), chunk.data(), chunk.size());
    if (got < 0) return FailArchive(reader.get(), "cannot read the module " + file.string());
    if (got == 0) return bytes;
    bytes.append(chunk.data(), static_cast<size_t>(got));
    if (bytes.size() > kMaxModuleBytes) {
      return Fail("refused: the module " + file.string() + " is larger than 512 MiB");
    }
  }
}

}  // namespace kassay
