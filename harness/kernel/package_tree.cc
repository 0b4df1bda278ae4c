#include "harness/kernel/package_tree.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <toml++/toml.h>
#include <sstream>

#include "harness/base/file.h"
#include "harness/base/unique_fd.h"
#include "harness/kernel/locate.h"
#include "harness/kernel/package.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

// What is remembered of an unpacked kernel, so that opening it again need not hash its modules.
constexpr const char* kRecord = "kassay-kernel.toml";

// Removed with everything in it unless it was renamed away.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {}
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

 private:
  fs::path path_;
};

Status WriteRecord(const fs::path& tree, const KernelIdentity& identity) {
  toml::table record;
  record.insert("vendor", identity.vendor);
  record.insert("package", identity.package);
  record.insert("package_version", identity.package_version);
  record.insert("image_sha256", identity.image_sha256);
  record.insert("modules_sha256", identity.modules_sha256);
  record.insert("config_sha256", identity.config_sha256);
  std::ostringstream out;
  out << record << "\n";
  return WriteFileAtomically(tree / kRecord, out.str());
}

Result<KernelIdentity> ReadRecord(const fs::path& tree) {
  constexpr size_t kMaxRecordBytes = size_t{64} << 10;
  KASSAY_TRY(const std::string text, ReadFile(tree / kRecord, kMaxRecordBytes));
  try {
    const toml::table record = toml::parse(text);
    KernelIdentity identity;
    identity.vendor = record["vendor"].value_or("");
    identity.package = record["package"].value_or("");
    identity.package_version = record["package_version"].value_or("");
    identity.image_sha256 = record["image_sha256"].value_or("");
    identity.modules_sha256 = record["modules_sha256"].value_or("");
    identity.config_sha256 = record["config_sha256"].value_or("");
    return identity;
  } catch (const toml::parse_error& error) {
    return Fail((tree / kRecord).string() + ": " + std::string(error.description()));
  }
}

// The files are on disk before the folder gets its name: after a power cut there is no half of one.
Status FlushToDisk(const fs::path& folder) {
  const UniqueFd handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle.IsOpen() || ::syncfs(handle.Get()) != 0) return FailErrno("flush " + folder.string());
  return {};
}

Status ReplaceFolder(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::remove_all(to, error);
  if (!error) fs::rename(from, to, error);
  if (error) return Fail("cannot write " + to.string() + ": " + error.message());
  return {};
}

Result<fs::path> EmptyFolderBeside(const fs::path& tree) {
  const fs::path temporary = tree.string() + ".part";
  std::error_code error;
  fs::remove_all(temporary, error);  // of an earlier attempt that was killed
  fs::create_directories(temporary, error);
  if (error) return Fail("cannot make " + temporary.string() + ": " + error.message());
  return temporary;
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
  KASSAY_TRY(const fs::path temporary, EmptyFolderBeside(tree));
  const TemporaryFolder cleanup(temporary);
  for (const fs::path& package : packages) {
    const bool had_image = HoldsImage(temporary);
    KASSAY_TRY(const PackageInfo info, UnpackPackage(package, temporary));
    if (!had_image && HoldsImage(temporary)) {
      if (identity.vendor.empty()) identity.vendor = info.vendor;
      if (identity.package.empty()) identity.package = info.name;
      if (identity.package_version.empty()) identity.package_version = info.version;
    }
  }
  auto files = FilesOfRoot(temporary);
  if (!files) return Fail(files.error().Within(packages.front().string()));
  KASSAY_TRY(const Kernel kernel, MakeKernel(*files, std::move(identity)));
  KASSAY_CHECK(WriteRecord(temporary, kernel.identity));
  KASSAY_CHECK(FlushToDisk(temporary));
  KASSAY_CHECK(ReplaceFolder(temporary, tree));
  return OpenPackageTree(tree);
}

Status MakeHeadersTree(const std::vector<fs::path>& packages, const fs::path& tree) {
  if (std::error_code ignored; fs::exists(tree, ignored)) return {};
  KASSAY_TRY(const fs::path temporary, EmptyFolderBeside(tree));
  const TemporaryFolder cleanup(temporary);
  for (const fs::path& package : packages) {
    KASSAY_TRY(const PackageInfo info, UnpackPackage(package, temporary, PackagePart::kHeaders));
  }
  KASSAY_CHECK(FlushToDisk(temporary));
  return ReplaceFolder(temporary, tree);
}

}  // namespace kassay
