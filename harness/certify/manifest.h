// Every file of a bundle with its SHA-256, and nothing beside them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

inline constexpr const char* kManifestName = "manifest.json";
inline constexpr const char* kAttestationName = "attestation.dsse.json";
inline constexpr const char* kPublicKeyName = "signer.pub.pem";
// Bounds of a bundle.
inline constexpr size_t kMaxBundleFiles = 10'000;
inline constexpr std::uint64_t kMaxBundleBytes = std::uint64_t{4} << 30;

struct BundleFile {
  std::string path;  // inside the bundle, with '/'
  std::uint64_t bytes = 0;
  std::string sha256;
  friend bool operator==(const BundleFile&, const BundleFile&) = default;
};

struct BundleManifest {
  std::vector<BundleFile> files;  // sorted by path
  friend bool operator==(const BundleManifest&, const BundleManifest&) = default;
};

// The files as they are; without the manifest, the attestation and the public key, which the
// signature covers. Anything but plain files and folders is an error, and so is an empty folder.
[[nodiscard]] Result<BundleManifest> BundleManifestOf(const std::filesystem::path& bundle);

[[nodiscard]] std::string ToJson(const BundleManifest& manifest);
[[nodiscard]] Result<BundleManifest> BundleManifestFromJson(std::string_view json);

// Says the first difference: "results.json was changed", "x is missing", "y does not belong here".
[[nodiscard]] Status CheckAgainst(const BundleManifest& manifest,
                                  const std::filesystem::path& bundle);

}  // namespace kassay
