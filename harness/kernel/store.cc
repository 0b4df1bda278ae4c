#include "harness/kernel/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "harness/base/file.h"
#include "harness/base/sha256.h"
#include "harness/kernel/apt_sources.h"
#include "harness/kernel/build.h"
#include "harness/kernel/download.h"
#include "harness/kernel/folder.h"
#include "harness/kernel/locate.h"
#include "harness/kernel/package_tree.h"
#include "harness/kernel/spec.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kReferencePrefix = "reference:";
constexpr size_t kMaxPinsBytes = size_t{4} << 20;

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// Of a file, or of all files below a folder; 0 if there is none.
std::uint64_t BytesOf(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return fs::file_size(path, error);
  std::uint64_t sum = 0;
  for (fs::recursive_directory_iterator at(path, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code ignored;
    if (at->is_regular_file(ignored)) sum += at->file_size(ignored);
  }
  return sum;
}

fs::path PackageOf(const StoreOptions& options, const PinnedFile& file) {
  return options.cache_dir / "packages" / file.Name();
}

// The folder of what is unpacked from these files: its name is for people first, for certainty
// second.
fs::path TreeOf(const fs::path& trees, const std::string& title,
                const std::vector<std::string>& sha256s) {
  std::string all;
  for (const auto& sha256 : sha256s) all += sha256 + "\n";
  return trees / (title + "-" + Sha256Hex(all).substr(0, 16));
}

fs::path TreeOf(const fs::path& trees, const PinnedKernel& pin,
                const std::vector<PinnedFile>& files) {
  std::vector<std::string> sha256s;
  sha256s.reserve(files.size());
  for (const auto& file : files) sha256s.push_back(file.sha256);
  return TreeOf(trees, pin.vendor + "-" + pin.name, sha256s);
}

fs::path KernelOf(const StoreOptions& options, const PinnedKernel& pin) {
  return TreeOf(options.cache_dir / "trees", pin, pin.files);
}

fs::path HeadersOf(const StoreOptions& options, const PinnedKernel& pin) {
  return TreeOf(options.cache_dir / "headers", pin, pin.headers);
}

// Where its packages are, or will be.
std::vector<fs::path> PackagesOf(const StoreOptions& options, const PinnedKernel& pin) {
  std::vector<fs::path> packages;
  for (const auto* files : {&pin.files, &pin.headers, &pin.source}) {
    for (const PinnedFile& file : *files) packages.push_back(PackageOf(options, file));
  }
  return packages;
}

std::string Remedy(const PinnedFile& file) {
  return fmt::format(
      "give another mirror with --mirror URL, or a folder that holds {} with --from DIR",
      file.Name());
}

std::vector<std::string> Mirrors(const StoreOptions& options) {
  if (options.mirror.empty()) return MirrorsOfApt(options.apt_dir);
  std::string mirror = options.mirror;
  while (mirror.ends_with('/')) mirror.pop_back();
  return {mirror};
}

Status DownloadFromAny(const StoreOptions& options, const PinnedFile& file,
                       const fs::path& target) {
  const auto mirrors = Mirrors(options);
  if (mirrors.empty()) {
    return Fail(
        fmt::format("no package mirror is known for {}: apt's configuration in {} names none; {}",
                    file.Name(), options.apt_dir.string(), Remedy(file)));
  }
  std::string reasons;
  for (const std::string& mirror : mirrors) {
    const auto done = Download(mirror, file, target, options.on_progress);
    if (done) return {};
    if (!done.error().another_mirror_may_do) return Fail(done.error().error);
    reasons += (reasons.empty() ? "" : "; ") + done.error().error.message;
  }
  return Fail(fmt::format("cannot fetch {}: {}; {}", file.Name(), reasons, Remedy(file)));
}

// Where a verified copy is: the folder of --from, the store, or, after a download, the store.
Result<fs::path> FetchOne(const StoreOptions& options, const PinnedFile& file) {
  if (!options.from_dir.empty() && Exists(options.from_dir / file.Name())) {
    const fs::path given = options.from_dir / file.Name();
    KASSAY_CHECK(VerifyFile(given, file));
    return given;
  }
  const fs::path target = PackageOf(options, file);
  KASSAY_TRY(const UniqueFd lock, Lock(target));
  if (Exists(target)) {
    if (VerifyFile(target, file)) return target;
    std::error_code ignored;  // damaged since: fetch it again
    fs::remove(target, ignored);
  }
  KASSAY_CHECK(DownloadFromAny(options, file, target));
  return target;
}

Result<Kernel> ResolvePinned(const StoreOptions& options, const KernelStore& store,
                             const PinnedSpec& spec) {
  KASSAY_TRY(const PinnedKernel pin, store.Pinned(spec.name));
  const fs::path tree = KernelOf(options, pin);
  KASSAY_TRY(const UniqueFd lock, Lock(tree));
  if (auto kernel = OpenPackageTree(tree)) return kernel;
  KASSAY_TRY(const std::vector<fs::path> packages, store.Fetch(pin.files));
  KernelIdentity identity;
  identity.vendor = pin.vendor;
  identity.package = pin.package;
  identity.package_version = pin.package_version;
  KASSAY_TRY(Kernel kernel, MakePackageTree(packages, tree, std::move(identity)));
  if (kernel.identity.release != pin.release) {
    return Fail(fmt::format("{} is pinned with release {}, its image says {}", pin.Spec(),
                            pin.release, kernel.identity.release));
  }
  return kernel;
}

// "reference:7.0": what `kassay kernel build 7.0` left.
Result<Kernel> ResolveReference(const StoreOptions& options, std::string_view name) {
  KASSAY_TRY(const fs::path root, FindBuiltKernel(options, ReferenceBuild(name)));
  KASSAY_TRY(const KernelFiles files, FilesOfRoot(root));
  KernelIdentity identity;
  identity.vendor = "reference";
  return MakeKernel(files, std::move(identity));
}

Result<Kernel> ResolvePackages(const StoreOptions& options, const PackagesSpec& spec) {
  std::vector<std::string> sha256s;
  for (const fs::path& file : spec.files) {
    KASSAY_TRY(std::string sha256, Sha256HexOfFile(file));
    sha256s.push_back(std::move(sha256));
  }
  const fs::path tree = TreeOf(options.cache_dir / "trees", spec.files[0].stem(), sha256s);
  KASSAY_TRY(const UniqueFd lock, Lock(tree));
  if (auto kernel = OpenPackageTree(tree)) return kernel;
  return MakePackageTree(spec.files, tree, {});
}

Result<Kernel> ResolveImage(const StoreOptions& options, KernelFiles named) {
  if (named.modules_dir.empty()) named.modules_dir = options.modules_dir;
  if (named.config_file.empty()) named.config_file = options.config_file;
  KASSAY_TRY(const KernelFiles files, FilesOfImage(named));
  return MakeKernel(files, {});
}

Result<Kernel> ResolveFolder(const StoreOptions& options, const FolderSpec& spec) {
  const bool is_tree = IsBuildTree(spec.folder);
  auto files = is_tree ? FilesOfBuildTree(spec.folder) : FilesOfRoot(spec.folder);
  if (!files) return Fail(files.error().Within(spec.folder.string()));
  if (!options.modules_dir.empty() || !options.config_file.empty()) {
    KASSAY_TRY(const KernelFiles given,
               FilesOfImage({files->image, options.modules_dir, options.config_file}));
    if (!given.modules_dir.empty()) files->modules_dir = given.modules_dir;
    if (!options.config_file.empty()) files->config_file = given.config_file;
  }
  return MakeKernel(*files, {});
}

}  // namespace

Result<fs::path> KernelStore::Headers(std::string_view spec) const {
  constexpr const char* kAutoconf = "include/generated/autoconf.h";
  if (const fs::path folder(spec); Exists(folder / kAutoconf)) return fs::absolute(folder);
  const auto parsed = ParseKernelSpec(spec);
  if (!parsed || !std::holds_alternative<PinnedSpec>(*parsed)) return fs::path();
  if (spec.starts_with(kReferencePrefix)) {
    const BuildOptions reference = ReferenceBuild(spec.substr(kReferencePrefix.size()));
    KASSAY_TRY(const fs::path root, FindBuiltKernel(options_, reference));
    return BuildTreeOf(root);
  }
  KASSAY_TRY(const PinnedKernel pin, Pinned(spec));
  if (pin.headers.empty()) return fs::path();
  const fs::path tree = HeadersOf(options_, pin);
  KASSAY_TRY(const UniqueFd lock, Lock(tree));
  if (!Exists(tree)) {
    KASSAY_TRY(const std::vector<fs::path> packages, Fetch(pin.headers));
    KASSAY_CHECK(MakeHeadersTree(packages, tree));
  }
  const fs::path folder = tree / "usr" / "src" / ("linux-headers-" + pin.release);
  if (Exists(folder / kAutoconf)) return folder;
  return Fail(folder.string() + " holds no " + kAutoconf);
}

Result<std::vector<PinnedKernel>> KernelStore::Pinned() const {
  KASSAY_TRY(const std::string text, ReadFile(options_.pins_file, kMaxPinsBytes));
  return ParsePins(text, options_.pins_file.string());
}

Result<PinnedKernel> KernelStore::Pinned(std::string_view spec) const {
  KASSAY_TRY(const std::vector<PinnedKernel> pins, Pinned());
  std::string known;
  for (const auto& pin : pins) {
    if (pin.Spec() == spec) return pin;
    known += (known.empty() ? "" : ", ") + pin.Spec();
  }
  return Fail(fmt::format("unknown kernel '{}': known are {}", spec, known), ErrorKind::kUsage);
}

Result<Kernel> KernelStore::Resolve(std::string_view spec) const {
  auto parsed = ParseKernelSpec(spec);
  if (!parsed) {
    // A bare version is most often meant as a pinned kernel: name those.
    if (auto pinned = Pinned(spec); !pinned && ParseKernelVersion(spec))
      return Fail(pinned.error());
    return Fail(std::move(parsed).error());
  }
  Result<Kernel> kernel = Fail("");
  if (spec.starts_with(kReferencePrefix)) {
    kernel = ResolveReference(options_, spec.substr(kReferencePrefix.size()));
  } else if (const auto* pinned = std::get_if<PinnedSpec>(&*parsed)) {
    kernel = ResolvePinned(options_, *this, *pinned);
  } else if (const auto* packages = std::get_if<PackagesSpec>(&*parsed)) {
    kernel = ResolvePackages(options_, *packages);
  } else if (const auto* image = std::get_if<KernelFiles>(&*parsed)) {
    kernel = ResolveImage(options_, *image);
  } else {
    kernel = ResolveFolder(options_, std::get<FolderSpec>(*parsed));
  }
  if (kernel) kernel->identity.spec = std::string(spec);
  return kernel;
}

Result<std::vector<fs::path>> KernelStore::Fetch(const std::vector<PinnedFile>& files) const {
  std::vector<fs::path> paths;
  for (const PinnedFile& file : files) {
    KASSAY_TRY(fs::path path, FetchOne(options_, file));
    paths.push_back(std::move(path));
  }
  return paths;
}

Result<std::vector<StoredKernel>> KernelStore::Stored() const {
  KASSAY_TRY(const std::vector<PinnedKernel> pins, Pinned());
  std::vector<StoredKernel> stored;
  for (const PinnedKernel& pin : pins) {
    const fs::path tree = KernelOf(options_, pin);
    StoredKernel kernel{pin, Exists(tree), 0, BytesOf(tree)};
    for (const fs::path& package : PackagesOf(options_, pin)) {
      kernel.packages_bytes += BytesOf(package) + BytesOf(package.string() + ".part");
    }
    stored.push_back(std::move(kernel));
  }
  return stored;
}

Result<std::uint64_t> KernelStore::Remove(const PinnedKernel& pin) const {
  std::uint64_t freed = 0;
  const auto remove = [&](const fs::path& path) -> Status {
    const std::uint64_t bytes = BytesOf(path);
    std::error_code error;
    fs::remove_all(path, error);
    if (error) return Fail("cannot remove " + path.string() + ": " + error.message());
    freed += bytes;
    return {};
  };
  const fs::path tree = KernelOf(options_, pin);
  KASSAY_TRY(const UniqueFd tree_lock, Lock(tree));
  KASSAY_CHECK(remove(tree));
  if (!pin.headers.empty()) KASSAY_CHECK(remove(HeadersOf(options_, pin)));
  for (const fs::path& package : PackagesOf(options_, pin)) {
    KASSAY_TRY(const UniqueFd lock, Lock(package));
    KASSAY_CHECK(remove(package));
    KASSAY_CHECK(remove(package.string() + ".part"));
  }
  return freed;
}

}  // namespace kassay
