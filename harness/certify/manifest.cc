#include "harness/certify/manifest.h"

#include <algorithm>
#include <map>

#include "harness/base/sha256.h"
#include "harness/base/text/json_fields.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

bool IsSigned(const std::string& path) {
  return path == kManifestName || path == kAttestationName || path == kPublicKeyName;
}

}  // namespace

static void Describe(JsonFields& fields, BundleFile& file) {
  fields("path", file.path);
  fields("bytes", file.bytes);
  fields("sha256", file.sha256);
}

static void Describe(JsonFields& fields, BundleManifest& manifest) {
  int format = 1;
  fields("format", format);
  if (format != 1) fields.Complain("format", "is not 1");
  fields("files", manifest.files);
  if (fields.IsReading() && manifest.files.size() > kMaxBundleFiles)
    fields.Complain("files", "is too long");
}

Result<BundleManifest> BundleManifestOf(const fs::path& bundle) {
  const auto refuse = [](const std::string& why) { return Fail(why, ErrorKind::kRefuted); };
  std::error_code error;
  fs::recursive_directory_iterator entries(bundle, error);
  if (error) return Fail(bundle.string() + ": " + error.message(), ErrorKind::kUsage);
  BundleManifest manifest;
  std::uint64_t total = 0;
  for (; entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    if (error) return Fail(bundle.string() + ": " + error.message());
    const fs::directory_entry& entry = *entries;
    const std::string path = entry.path().lexically_relative(bundle).generic_string();
    const fs::file_status status = entry.symlink_status(error);
    if (fs::is_directory(status)) {
      if (fs::is_empty(entry.path(), error)) return refuse(path + " is an empty folder");
      continue;
    }
    if (!fs::is_regular_file(status)) return refuse(path + " is not a plain file");
    const std::uint64_t bytes = entry.file_size(error);
    total += bytes;
    if (manifest.files.size() >= kMaxBundleFiles || total > kMaxBundleBytes) {
      return refuse("the bundle is too large");
    }
    if (IsSigned(path)) continue;
    KASSAY_TRY(const std::string sha256, Sha256HexOfFile(entry.path()));
    manifest.files.push_back({path, bytes, sha256});
  }
  std::ranges::sort(manifest.files, {}, &BundleFile::path);
  return manifest;
}

std::string ToJson(const BundleManifest& manifest) { return DumpJson(JsonOf(manifest), 1) + "\n"; }

Result<BundleManifest> BundleManifestFromJson(std::string_view text) {
  KASSAY_TRY(const Json json, ParseJson(text));
  std::string problem;
  auto manifest = ReadJson<BundleManifest>(json, "", problem);
  if (!problem.empty()) return Fail("not a manifest: " + problem, ErrorKind::kUsage);
  return manifest;
}

Status CheckAgainst(const BundleManifest& manifest, const fs::path& bundle) {
  const auto refuse = [](const std::string& why) { return Fail(why, ErrorKind::kRefuted); };
  KASSAY_TRY(const BundleManifest found, BundleManifestOf(bundle));
  std::map<std::string, const BundleFile*> there;
  for (const BundleFile& file : found.files) there[file.path] = &file;
  for (const BundleFile& file : manifest.files) {
    const auto match = there.find(file.path);
    if (match == there.end()) return refuse(file.path + " is missing");
    if (!(*match->second == file)) return refuse(file.path + " was changed");
    there.erase(match);
  }
  if (!there.empty()) return refuse(there.begin()->first + " does not belong to the bundle");
  return {};
}

}  // namespace kassay
