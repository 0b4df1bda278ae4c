#include "harness/certify/manifest.h"

#include <algorithm>
#include <map>

#include "harness/base/sha256.h"
#include "harness/base/text/json_reader.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

bool IsSigned(const std::string& path) {
  return path == kManifestName || path == kAttestationName || path == kPublicKeyName;
}

BundleFile ReadManifestFile(const Json& json, const std::string& place, std::string& problem) {
  BundleFile file;
  JsonReader reader(json, place, problem);
  reader.Get("path", file.path);
  reader.Get("bytes", file.bytes);
  reader.Get("sha256", file.sha256);
  return file;
}

}  // namespace

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
  std::sort(manifest.files.begin(), manifest.files.end(),
            [](const BundleFile& a, const BundleFile& b) { return a.path < b.path; });
  return manifest;
}

std::string ToJson(const BundleManifest& manifest) {
  Json files = Json::array();
  for (const BundleFile& file : manifest.files) {
    files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  return DumpJson({{"format", 1}, {"files", files}}, 1) + "\n";
}

Result<BundleManifest> BundleManifestFromJson(std::string_view text) {
  KASSAY_TRY(const Json json, ParseJson(text));
  BundleManifest manifest;
  std::string problem;
  int format = 0;
  JsonReader reader(json, "", problem);
  reader.Get("format", format);
  if (format != 1) reader.Complain("format", "is not 1");
  reader.GetList("files", manifest.files, ReadManifestFile);
  if (manifest.files.size() > kMaxBundleFiles) reader.Complain("files", "is too long");
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
