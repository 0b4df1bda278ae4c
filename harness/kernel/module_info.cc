#include "harness/kernel/module_info.h"

#include <fmt/format.h>
#include <libkmod.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <sstream>
#include <string_view>

#include "harness/base/unique_fd.h"
#include "harness/kernel/modules.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

struct KmodFree {
  void operator()(kmod_ctx* context) const { kmod_unref(context); }
  void operator()(kmod_module* module) const { kmod_module_unref(module); }
};
using KmodContext = std::unique_ptr<kmod_ctx, KmodFree>;
using KmodModule = std::unique_ptr<kmod_module, KmodFree>;

struct InfoListFree {
  void operator()(kmod_list* list) const { kmod_module_info_free_list(list); }
};
using InfoList = std::unique_ptr<kmod_list, InfoListFree>;

// A file without a name that holds `bytes`; libkmod reads files only, and not all compressions.
Result<UniqueFd> MemoryFile(std::string_view bytes) {
  UniqueFd file(::memfd_create("kassay-module", MFD_CLOEXEC));
  if (!file.IsOpen()) return FailErrno("memfd_create");
  while (!bytes.empty()) {
    const ssize_t put = ::write(file.Get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return FailErrno("write to memory");
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return file;
}

void AddWords(const std::string& text, char separator, std::vector<std::string>& out) {
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, separator);) {
    if (!word.empty()) out.push_back(word);
  }
}

}  // namespace

std::vector<std::string> SoftdepsPre(const std::string& softdep) {
  std::vector<std::string> names;
  std::string spaced = softdep;  // some modules write "pre: a, b"
  for (char& c : spaced) c = c == ',' ? ' ' : c;
  std::istringstream in(spaced);
  bool pre = false;
  for (std::string word; in >> word;) {
    if (word == "pre:") {
      pre = true;
    } else if (word == "post:") {
      pre = false;
    } else if (pre) {
      names.push_back(word);
    }
  }
  return names;
}

Result<ModuleInfo> ReadModuleInfo(const fs::path& file) {
  KASSAY_TRY(const std::string bytes, ReadModule(file));
  KASSAY_TRY(const UniqueFd memory, MemoryFile(bytes));
  const char* no_config = nullptr;
  const KmodContext context(kmod_new("/nonexistent", &no_config));
  if (!context) return Fail("libkmod does not start");
  kmod_set_log_priority(context.get(), 0);
  kmod_module* raw_module = nullptr;
  const std::string path = fmt::format("/proc/self/fd/{}", memory.Get());
  if (kmod_module_new_from_path(context.get(), path.c_str(), &raw_module) < 0) {
    return Fail("cannot read the module " + file.string());
  }
  const KmodModule module(raw_module);
  kmod_list* raw_list = nullptr;
  if (const int got = kmod_module_get_info(module.get(), &raw_list); got < 0) {
    return Fail(fmt::format("{} is not a kernel module, or a damaged one", file.string()));
  }
  const InfoList list(raw_list);
  ModuleInfo info;
  for (const kmod_list* at = list.get(); at != nullptr; at = kmod_list_next(list.get(), at)) {
    const std::string key = kmod_module_info_get_key(at);
    const std::string value = kmod_module_info_get_value(at);
    if (key == "depends") AddWords(value, ',', info.depends);
    if (key == "alias") info.aliases.push_back(value);
    if (key == "softdep") {
      for (auto& name : SoftdepsPre(value)) info.softdeps_pre.push_back(std::move(name));
    }
  }
  return info;
}

}  // namespace kassay
