#include "harness/kernel/locate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "harness/base/file.h"
#include "harness/base/interrupt.h"
#include "harness/base/sha256.h"
#include "harness/kernel/config_text.h"
#include "harness/kernel/image_header.h"
#include "harness/kernel/modules.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

fs::path IfExists(const fs::path& path) { return Exists(path) ? path : fs::path(); }

// Before a kernel is installed only its image may be there: a folder with nothing to load counts as
// none.
bool HoldsModules(const fs::path& dir) {
  return Exists(dir / "kernel") || Exists(dir / "modules.builtin") || Exists(dir / "modules.order");
}

Result<fs::path> FindModules(const fs::path& given, const std::string& release) {
  if (given.empty()) return fs::path();
  if (IsBuildTree(given)) return given;
  for (const fs::path& dir : {given / "lib/modules" / release, given / "usr/lib/modules" / release,
                              given / release, given}) {
    if (!HoldsModules(dir)) continue;
    const std::string name = fs::weakly_canonical(dir).filename();
    if (auto version = ParseKernelVersion(name); version && name != release) {
      return Fail(
          fmt::format("the modules in {} are of release {}, the image is {}: they would not "
                      "load",
                      dir.string(), name, release),
          ErrorKind::kUsage);
    }
    return dir;
  }
  return Fail(fmt::format("no modules in {}: expected lib/modules/{}", given.string(), release),
              ErrorKind::kUsage);
}

// Images below a root by release.
std::map<std::string, fs::path> ImagesOfRoot(const fs::path& root) {
  std::map<std::string, fs::path> images;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root / "boot", ignored)) {
    const std::string name = entry.path().filename();
    if (entry.is_regular_file() && name.starts_with("vmlinuz-")) images[name.substr(8)] = entry;
  }
  for (const char* modules : {"usr/lib/modules", "lib/modules"}) {
    for (const auto& entry : fs::directory_iterator(root / modules, ignored)) {
      const fs::path image = entry.path() / "vmlinuz";
      if (Exists(image)) images.emplace(entry.path().filename(), image);
    }
  }
  return images;
}

// SHA-256 over the sorted lines "PATH SHA256" of the modules; empty without modules.
Result<std::string> HashOfModules(const fs::path& modules_dir) {
  KASSAY_TRY(const ModuleTree tree, ModuleTree::Open(modules_dir));
  const auto modules = tree.All();
  if (modules.empty()) return std::string();
  Sha256 sum;
  for (const ModuleFile& module : modules) {
    if (Interrupted()) return Fail(Interruption());
    KASSAY_TRY(const std::string sha256, Sha256HexOfFile(module.file));
    sum.Update(module.guest_path + " " + sha256 + "\n");
  }
  return sum.Hex();
}

}  // namespace

bool IsBuildTree(const fs::path& folder) {
  return Exists(folder / "include/config/kernel.release") ||
         Exists(folder / "arch/x86/boot/bzImage") ||
         (Exists(folder / "Kbuild") && Exists(folder / "Kconfig"));
}

Result<KernelFiles> FilesOfBuildTree(const fs::path& tree) {
  KernelFiles files;
  files.image = IfExists(tree / "arch/x86/boot/bzImage");
  if (files.image.empty()) files.image = IfExists(tree / "vmlinux");
  if (files.image.empty()) {
    return Fail(
        tree.string() + " is a kernel tree without arch/x86/boot/bzImage: build it with 'make'",
        ErrorKind::kUsage);
  }
  files.config_file = IfExists(tree / ".config");
  if (Exists(tree / "include/config/kernel.release")) {
    KASSAY_TRY(std::string release, ReadFile(tree / "include/config/kernel.release", 4096));
    release = release.substr(0, release.find('\n'));
    KASSAY_TRY(const std::string built, ReadImageRelease(files.image));
    if (built != release) {
      return Fail(fmt::format("{} is of release {}, but the tree is now {}: build it again",
                              files.image.string(), built, release));
    }
    if (Exists(tree / "modules.order")) files.modules_dir = tree;
  }
  return files;
}

Result<KernelFiles> FilesOfRoot(const fs::path& root) {
  const auto images = ImagesOfRoot(root);
  if (images.empty()) {
    return Fail(
        "no kernel image in it: expected boot/vmlinuz-RELEASE or lib/modules/RELEASE/vmlinuz");
  }
  if (images.size() > 1) {
    std::vector<std::string> releases;
    releases.reserve(images.size());
    for (const auto& [release, image] : images) releases.push_back(release);
    return Fail(fmt::format("more than one kernel in it: {}; name one of its images instead",
                            fmt::join(releases, ", ")),
                ErrorKind::kUsage);
  }
  const auto& [release, image] = *images.begin();
  KernelFiles files;
  files.image = image;
  files.config_file = IfExists(root / "boot" / ("config-" + release));
  for (const char* modules : {"usr/lib/modules", "lib/modules"}) {
    const fs::path dir = root / modules / release;
    if (HoldsModules(dir)) files.modules_dir = dir;
    if (files.config_file.empty()) files.config_file = IfExists(dir / "config");
  }
  return files;
}

Result<KernelFiles> FilesOfImage(const KernelFiles& named) {
  KASSAY_TRY(const std::string release, ReadImageRelease(named.image));
  KernelFiles files = named;
  KASSAY_TRY(files.modules_dir, FindModules(named.modules_dir, release));
  if (!named.config_file.empty() && !Exists(named.config_file)) {
    return Fail("there is no config file '" + named.config_file.string() + "'", ErrorKind::kUsage);
  }
  const fs::path beside = named.image.parent_path();
  if (files.config_file.empty()) files.config_file = IfExists(beside / ("config-" + release));
  if (files.config_file.empty() && beside.filename() == release) {
    files.config_file = IfExists(beside / "config");
  }
  return files;
}

Result<Kernel> MakeKernel(const KernelFiles& files, KernelIdentity identity) {
  Kernel kernel;
  kernel.identity = std::move(identity);
  std::error_code ignored;
  const auto absolute = [&](const fs::path& path) {
    return path.empty() ? path : fs::absolute(path, ignored);
  };
  kernel.image = absolute(files.image);
  kernel.modules_dir = absolute(files.modules_dir);
  kernel.config_file = absolute(files.config_file);
  kernel.identity.architecture = kernel.architecture->name;
  KASSAY_TRY(kernel.identity.release, ReadImageRelease(files.image));
  KASSAY_TRY(kernel.identity.image_sha256, Sha256HexOfFile(files.image));
  if (files.config_file.empty()) {
    kernel.config_text = ConfigWithinImage(files.image);
  } else {
    KASSAY_TRY(kernel.config_text, ReadConfigText(files.config_file));
  }
  const fs::path& config_from = files.config_file.empty() ? files.image : files.config_file;
  const auto version = VersionWithConfig(kernel.identity.release, kernel.config_text);
  if (!version) return Fail(version.error().Within(config_from.string()));
  kernel.identity.version = fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
  if (!kernel.config_text.empty()) {
    auto config = KernelConfig::Parse(kernel.config_text);
    if (!config) return Fail(config.error().Within(config_from.string()));
    kernel.config = std::move(*config);
    kernel.identity.config_sha256 = Sha256Hex(kernel.config_text);
  }
  if (kernel.identity.modules_sha256.empty()) {
    KASSAY_TRY(kernel.identity.modules_sha256, HashOfModules(files.modules_dir));
  }
  return kernel;
}

}  // namespace kassay
