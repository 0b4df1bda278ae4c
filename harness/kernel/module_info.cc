#include "harness/kernel/module_info.h"

#include <fmt/format.h>
#include <libkmod.h>
#include <sys/mman.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>

#include "harness/base/unique_fd.h"
#include "harness/kernel/modules.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

struct KmodFree {
  void operator()(kmod_ctx* context) const { kmod_unref(context); }
  void operator()(kmod_module* module) const { kmod_module_unref(module); }
  void operator()(kmod_list* list) const { kmod_module_info_free_list(list); }
};
template <typename T>
using Kmod = std::unique_ptr<T, KmodFree>;

// Between spaces and commas.
std::vector<std::string> WordsOf(std::string text) {
  std::replace(text.begin(), text.end(), ',', ' ');
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

}  // namespace

std::vector<std::string> SoftdepsPre(const std::string& softdep) {
  std::vector<std::string> names;
  bool pre = false;
  for (const std::string& word : WordsOf(softdep)) {  // some modules write "pre: a, b"
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
  // A file without a name: libkmod reads files only, and not all compressions.
  const UniqueFd memory(::memfd_create("kassay-module", MFD_CLOEXEC));
  if (!memory.IsOpen()) return FailErrno("memfd_create");
  const std::string path = fmt::format("/proc/self/fd/{}", memory.Get());
  if (std::ofstream out(path, std::ios::binary); !(out << bytes << std::flush))
    return FailErrno("write to memory");
  const char* no_config = nullptr;
  const Kmod<kmod_ctx> context(kmod_new("/nonexistent", &no_config));
  if (!context) return Fail("libkmod does not start");
  kmod_set_log_priority(context.get(), 0);
  kmod_module* raw_module = nullptr;
  if (kmod_module_new_from_path(context.get(), path.c_str(), &raw_module) < 0) {
    return Fail("cannot read the module " + file.string());
  }
  const Kmod<kmod_module> module(raw_module);
  kmod_list* raw_list = nullptr;
  if (const int got = kmod_module_get_info(module.get(), &raw_list); got < 0) {
    return Fail(fmt::format("{} is not a kernel module, or a damaged one", file.string()));
  }
  const Kmod<kmod_list> list(raw_list);
  ModuleInfo info;
  for (const kmod_list* at = list.get(); at != nullptr; at = kmod_list_next(list.get(), at)) {
    const std::string key = kmod_module_info_get_key(at);
    const std::string value = kmod_module_info_get_value(at);
    if (key == "depends") std::ranges::move(WordsOf(value), std::back_inserter(info.depends));
    if (key == "alias") info.aliases.push_back(value);
    if (key == "softdep")
      std::ranges::move(SoftdepsPre(value), std::back_inserter(info.softdeps_pre));
  }
  return info;
}

}  // namespace kassay
