// The kernel store: turns what a user names into a kernel under test. Nothing outside this room
// knows packages.
//
// A kernel spec is one of
//   debian:7.0.13                a pinned kernel of vm/kernels.toml, checked by size and SHA-256
//   reference:7.0                the reference kernel that `kassay kernel build 7.0` made
//   FILE.deb[,FILE.deb...]       Debian packages: image or binary, modules, base
//   FILE.rpm[,FILE.rpm...]       RPM packages: core, modules
//   image:FILE[,modules=DIR][,config=FILE]   a bzImage or vmlinux
//   FILE                         the same, with StoreOptions::modules_dir and config_file
//   DIR                          a kernel build tree, or the root of unpacked packages
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/kernel/kernel.h"

namespace kassay {

// One file of a pinned kernel, as a mirror has it.
struct PinnedFile {
  std::string path;  // below the mirror's root: "pool/main/l/linux/linux-base-..._amd64.deb"
  std::uint64_t size = 0;
  std::string sha256;

  [[nodiscard]] std::string Name() const { return path.substr(path.rfind('/') + 1); }
};

struct PinnedKernel {
  std::string vendor;   // "debian"
  std::string name;     // "7.0.13"
  std::string release;  // "7.0.13+deb13-cloud-amd64"
  std::string package;  // the package that holds the image
  std::string package_version;
  std::vector<PinnedFile> files;    // what a kernel under test is made of
  std::vector<PinnedFile> headers;  // for building modules against it; may be empty
  std::vector<PinnedFile> source;   // the package with its source; may be empty

  [[nodiscard]] std::string Spec() const { return vendor + ":" + name; }
};

// The pinned kernels of a TOML text; `origin` stands in messages for the file's name.
[[nodiscard]] Result<std::vector<PinnedKernel>> ParsePins(std::string_view toml,
                                                          const std::string& origin);

struct FetchProgress {
  std::string file;         // what is being downloaded
  std::uint64_t done = 0;   // bytes, those of an earlier attempt included
  std::uint64_t total = 0;  // bytes
};

struct StoreOptions {
  std::filesystem::path cache_dir;  // packages, unpacked kernels, builds
  std::filesystem::path pins_file;  // vm/kernels.toml
  // For the reference kernels: the fragments, the fixtures whose certificates are trusted, and what
  // the suites ask the minimal one for; asked for when it is needed.
  std::filesystem::path kconfig_dir;
  std::filesystem::path fixtures_dir;
  std::function<Result<std::string>()> suites_fragment;
  std::filesystem::path from_dir;  // --from: a folder with the packages; empty for none
  std::string mirror;              // --mirror: URL of a mirror's root; empty: the one of apt
  std::filesystem::path apt_dir = "/etc/apt";
  std::filesystem::path modules_dir;                      // --modules, for a spec that is an image
  std::filesystem::path config_file;                      // --config, for a spec that is an image
  std::function<void(const FetchProgress&)> on_progress;  // may be empty
};

// A pinned kernel and how much of it is here.
struct StoredKernel {
  PinnedKernel pin;
  bool unpacked = false;             // ready: Resolve needs neither network nor packages
  std::uint64_t packages_bytes = 0;  // downloaded packages, unfinished ones included
  std::uint64_t tree_bytes = 0;      // the unpacked kernel
};

class KernelStore {
 public:
  explicit KernelStore(StoreOptions options) : options_(std::move(options)) {}

  // The kernel that `spec` names; pinned ones are fetched, verified and unpacked as needed. Two
  // processes may do so at once. A spec that names nothing known is a usage error that lists what
  // is.
  [[nodiscard]] Result<Kernel> Resolve(std::string_view spec) const;

  // The headers that modules for the kernel of `spec` are built against: the folder with
  // include/generated/autoconf.h. Fetched as needed for a pinned kernel; a build tree has them
  // itself. An empty path for a kernel that came without.
  [[nodiscard]] Result<std::filesystem::path> Headers(std::string_view spec) const;

  // Where the pinned files `files` are on this machine after fetching what is missing: every one
  // verified. For packages that are not a kernel under test (headers, source).
  [[nodiscard]] Result<std::vector<std::filesystem::path>> Fetch(
      const std::vector<PinnedFile>& files) const;

  [[nodiscard]] Result<std::vector<PinnedKernel>> Pinned() const;
  // One by "debian:7.0.13"; unknown: a usage error that lists what is known.
  [[nodiscard]] Result<PinnedKernel> Pinned(std::string_view spec) const;
  [[nodiscard]] Result<std::vector<StoredKernel>> Stored() const;
  // Removes what the store holds of a pinned kernel. Gives back the bytes freed.
  [[nodiscard]] Result<std::uint64_t> Remove(const PinnedKernel& pin) const;

 private:
  StoreOptions options_;
};

}  // namespace kassay
