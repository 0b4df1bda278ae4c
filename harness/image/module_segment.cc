#include <fmt/format.h>

#include <set>

#include "harness/base/sha256.h"
#include "harness/image/segments.h"
#include "harness/image/transport.h"
#include "harness/kernel/modules.h"
#include "harness/protocol/guest_layout.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

// Part of the key: raise it when the same inputs give other bytes than before.
constexpr int kSegmentFormat = 2;

fs::path GuestPath(const Kernel& kernel, const ModuleFile& module) {
  return fs::path("/lib/modules") / kernel.identity.release / module.guest_path;
}

void AddModule(CpioImage& image, const Kernel& kernel, const ModuleFile& module) {
  image.AddLate(
      GuestPath(kernel, module), [file = module.file] { return ReadModule(file); },
      module.file.string());
}

}  // namespace

Result<CpioImage> ModuleSegment(const InitramfsSpec& spec) {
  const Kernel& kernel = *spec.kernel;
  KASSAY_TRY(const ModuleTree tree, ModuleTree::Open(kernel.modules_dir));
  KASSAY_TRY(std::vector<std::string> first, TransportModules(kernel, tree, *spec.profile));
  first.insert(first.end(), spec.profile->modules.begin(), spec.profile->modules.end());
  KASSAY_TRY(const std::vector<ModuleFile> load, tree.Closure(first));
  KASSAY_TRY(const std::vector<ModuleFile> available, tree.Closure(spec.profile->image_modules));
  CpioImage image;
  std::string load_list;
  std::set<std::string> loaded;
  for (const ModuleFile& module : load) {
    AddModule(image, kernel, module);
    loaded.insert(module.name);
    load_list += GuestPath(kernel, module).string() + "\n";
  }
  std::string available_list;
  for (const ModuleFile& module : available) {
    if (loaded.contains(module.name)) continue;
    AddModule(image, kernel, module);
    available_list += module.name + " " + GuestPath(kernel, module).string() + "\n";
  }
  if (!kernel.config_text.empty()) image.AddText(kGuestKernelConfig, kernel.config_text, 0644);
  image.AddText(kGuestModulesToLoad, load_list);
  image.AddText(kGuestModulesAvailable, available_list);
  return image;
}

std::string ModuleSegmentKey(const InitramfsSpec& spec) {
  Sha256 sum;
  const KernelIdentity& kernel = spec.kernel->identity;
  sum.Update(fmt::format("{}\n{}\n{}\n{}\n{}\n", kSegmentFormat, kernel.release,
                         kernel.modules_sha256, kernel.config_sha256, spec.profile->disk_mib > 0));
  for (const auto* names : {&spec.profile->modules, &spec.profile->image_modules}) {
    for (const std::string& name : *names) sum.Update(name + "\n");
    sum.Update("\n");
  }
  return sum.Hex();
}

Result<std::vector<std::string>> MissingModules(const InitramfsSpec& spec) {
  KASSAY_TRY(const ModuleTree tree, ModuleTree::Open(spec.kernel->modules_dir));
  std::vector<std::string> missing;
  for (const auto* names : {&spec.profile->modules, &spec.profile->image_modules}) {
    for (const std::string& name : *names) {
      if (tree.Find(name) == nullptr && !tree.IsBuiltIn(name)) missing.push_back(name);
    }
  }
  return missing;
}

}  // namespace kassay
