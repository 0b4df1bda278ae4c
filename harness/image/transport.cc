#include "harness/image/transport.h"

#include <fmt/format.h>

namespace kassay {
namespace {

struct Part {
  const char* option;
  const char* module;  // nullptr: it must be built in
};

constexpr Part kAlways[] = {{"CONFIG_BLK_DEV_INITRD", nullptr},
                            {"CONFIG_BINFMT_ELF", nullptr},
                            {"CONFIG_VIRTIO_PCI", "virtio_pci"},
                            {"CONFIG_VIRTIO_CONSOLE", "virtio_console"}};
constexpr Part kWithDisk[] = {{"CONFIG_VIRTIO_BLK", "virtio_blk"}};

}  // namespace

Result<std::vector<std::string>> TransportModules(const Kernel& kernel, const ModuleTree& tree,
                                                  const Profile& profile) {
  std::vector<Part> parts(std::begin(kAlways), std::end(kAlways));
  if (profile.disk_mib > 0) parts.insert(parts.end(), std::begin(kWithDisk), std::end(kWithDisk));
  std::vector<std::string> load;
  std::vector<std::string> lacking;
  std::vector<std::string> not_given;
  for (const auto& [option, module] : parts) {
    if (module != nullptr && tree.Find(module) != nullptr) {
      load.emplace_back(module);
    } else if (!kernel.config.Empty()) {
      const std::string value = kernel.config.Value(option);
      if (value == "n") lacking.emplace_back(option);
      if (value == "m") not_given.emplace_back(option);
    }
  }
  if (!lacking.empty()) {
    return Fail(
        fmt::format("kassay cannot speak with a guest of this kernel: {} not set (`kassay "
                    "list kconfig` prints what it needs)",
                    fmt::join(lacking, ", ")));
  }
  if (!not_given.empty()) {
    return Fail(fmt::format("{}=m, and no such module was given: give the kernel's modules "
                            "(--modules, or the package that holds them)",
                            fmt::join(not_given, "=m, ")),
                ErrorKind::kUsage);
  }
  return load;
}

}  // namespace kassay
