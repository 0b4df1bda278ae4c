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

struct ManifestFile {
  std::string path;  // inside the bundle, with '/'
  std::uint64_t bytes = 0;
  std::string sha256;
  friend bool operator==(const ManifestFile&, const ManifestFile&) = default;
};

struct Manifest {
  std::vector<ManifestFile> files;  // sorted by path
  friend bool operator==(const Manifest&, const Manifest&) = default;
};

// The files as they are; without the manifest, the attestation and the public key, which the
// signature covers. Anything but plain files and folders is an error, and so is an empty folder.
[[nodiscard]] Result<Manifest> ManifestOf(const std::filesystem::path& bundle);

[[nodiscard]] std::string ToJson(const Manifest& manifest);
[[nodiscard]] Result<Manifest> ManifestFromJson(std::string_view json);

// Says the first difference: "results.json was changed", "x is missing", "y does not belong here".
[[nodiscard]] Status CheckAgainst(const Manifest& manifest, const std::filesystem::path& bundle);

}  // namespace kassay
