#include "harness/kernel/package_tree.h"

#include <array>
#include <sstream>

#include "harness/base/file.h"
#include "harness/base/text/toml_reader.h"
#include "harness/kernel/folder.h"
#include "harness/kernel/locate.h"
#include "harness/kernel/package.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

// What is remembered of an unpacked kernel, so that opening it again need not hash its modules.
constexpr const char* kRecord = "kassay-kernel.toml";

constexpr std::array<std::pair<const char*, std::string KernelIdentity::*>, 6> kRecorded{{
    {"vendor", &KernelIdentity::vendor},
    {"package", &KernelIdentity::package},
    {"package_version", &KernelIdentity::package_version},
    {"image_sha256", &KernelIdentity::image_sha256},
    {"modules_sha256", &KernelIdentity::modules_sha256},
    {"config_sha256", &KernelIdentity::config_sha256},
}};

Status WriteRecord(const fs::path& tree, const KernelIdentity& identity) {
  toml::table record;
  for (const auto& [key, member] : kRecorded) record.insert(key, identity.*member);
  std::ostringstream out;
  out << record << "\n";
  return WriteFileAtomically(tree / kRecord, out.str());
}

Result<KernelIdentity> ReadRecord(const fs::path& tree) {
  constexpr size_t kMaxRecordBytes = size_t{64} << 10;
  KASSAY_TRY(const std::string text, ReadFile(tree / kRecord, kMaxRecordBytes));
  KASSAY_TRY(const toml::table record, ParseToml(text, (tree / kRecord).string()));
  KernelIdentity identity;
  for (const auto& [key, member] : kRecorded) identity.*member = record[key].value_or("");
  return identity;
}

bool HoldsImage(const fs::path& root) { return FilesOfRoot(root).has_value(); }

}  // namespace

Result<Kernel> OpenPackageTree(const fs::path& tree) {
  KASSAY_TRY(const KernelIdentity recorded, ReadRecord(tree));
  KASSAY_TRY(const KernelFiles files, FilesOfRoot(tree));
  KASSAY_TRY(Kernel kernel, MakeKernel(files, recorded));
  if (kernel.identity.image_sha256 != recorded.image_sha256 ||
      kernel.identity.config_sha256 != recorded.config_sha256) {
    return Fail(tree.string() + " is no longer what was unpacked");
  }
  return kernel;
}

Result<Kernel> MakePackageTree(const std::vector<fs::path>& packages, const fs::path& tree,
                               KernelIdentity identity) {
  KASSAY_CHECK(MakeFolderAtomically(tree, [&](const fs::path& folder) -> Status {
    for (const fs::path& package : packages) {
      const bool had_image = HoldsImage(folder);
      KASSAY_TRY(const PackageInfo info, UnpackPackage(package, folder));
      if (had_image || !HoldsImage(folder)) continue;
      if (identity.vendor.empty()) identity.vendor = info.vendor;
      if (identity.package.empty()) identity.package = info.name;
      if (identity.package_version.empty()) identity.package_version = info.version;
    }
    const auto files = FilesOfRoot(folder);
    if (!files) return Fail(files.error().Within(packages.front().string()));
    KASSAY_TRY(const Kernel kernel, MakeKernel(*files, std::move(identity)));
    return WriteRecord(folder, kernel.identity);
  }));
  return OpenPackageTree(tree);
}

Status MakeHeadersTree(const std::vector<fs::path>& packages, const fs::path& tree) {
  return MakeFolderAtomically(tree, [&](const fs::path& folder) -> Status {
    for (const fs::path& package : packages) {
      KASSAY_TRY(const PackageInfo info, UnpackPackage(package, folder, PackagePart::kHeaders));
    }
    return {};
  });
}

}  // namespace kassay
