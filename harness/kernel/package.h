// Packages of distributions: which one it is, and its kernel files on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "harness/base/result.h"

namespace kassay {

struct PackageInfo {
  std::string name;     // "linux-binary-7.0.13+deb13-cloud-amd64"
  std::string version;  // "7.0.13-1~bpo13+1"
  std::string vendor;   // "debian", "ubuntu", ... from maintainer or vendor; may be empty
};

// Which files of a package are unpacked.
enum class PackagePart {
  kKernel,   // boot/{vmlinuz,config}*, lib/modules, usr/lib/modules
  kHeaders,  // usr/src/linux-headers-*
};

struct UnpackLimits {
  std::uint64_t bytes = std::uint64_t{6} << 30;  // decompressed, skipped files included
  std::uint64_t entries = 200000;
};

// True if the file is a .deb (ar), an .rpm, or a tar archive in any of their compressions: what
// pacman and `make tar-pkg` make.
[[nodiscard]] bool IsPackage(const std::filesystem::path& file);

// Puts the files of a package that belong to `part` below `into`, an existing folder that
// nobody else writes to and that holds no symbolic links.
//
// The package is not trusted: an absolute path, one with "..", a hard link or a device among the
// kernel files refuses the whole package; symbolic links are never made, so that none can lead a
// later file out. On an error what was written so far stays: unpack into a temporary folder.
[[nodiscard]] Result<PackageInfo> UnpackPackage(const std::filesystem::path& package,
                                                const std::filesystem::path& into,
                                                PackagePart part = PackagePart::kKernel,
                                                const UnpackLimits& limits = {});

}  // namespace kassay
