#include "harness/kernel/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "harness/kernel/package.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kForms =
    "a kernel is named by debian:VERSION, reference:VERSION[/minimal], FILE.deb[,FILE.deb...], "
    "FILE.rpm[,...], FILE.pkg.tar.zst[,...], FILE.tar, "
    "image:FILE[,modules=DIR][,config=FILE], a bzImage or vmlinux, or a kernel build tree";

std::vector<std::string> SplitAtCommas(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

// The same, but not within the name of something that is there: "a,b.deb,c.deb", "modules=/x,y".
std::vector<std::string> SplitFiles(std::string_view text) {
  std::error_code ignored;
  std::vector<std::string> files;
  std::vector<std::string> open;  // parts that together are no file yet
  for (const std::string& part : SplitAtCommas(text)) {
    open.push_back(part);
    const std::string joined = fmt::format("{}", fmt::join(open, ","));
    const bool has_key = joined.starts_with("modules=") || joined.starts_with("config=");
    if (!fs::exists(joined.substr(has_key ? joined.find('=') + 1 : 0), ignored)) continue;
    files.push_back(joined);
    open.clear();
  }
  files.insert(files.end(), open.begin(), open.end());
  return files;
}

// "vendor:name" or "vendor:name/variant" with a lower-case vendor; anything else with a colon may
// still be a path.
bool IsPinnedForm(const std::string& spec) {
  return std::regex_match(spec, std::regex("[a-z]+:[^/]+(/[^/]+)?"));
}

bool IsPackageName(std::string_view name) {
  return name.ends_with(".deb") || name.ends_with(".rpm") || name.ends_with(".tar") ||
         name.find(".tar.") != std::string_view::npos;
}

Result<KernelSpec> ParseImage(std::string_view text) {
  const auto usage = [](const std::string& what) {
    return Fail(what + ": expected image:FILE[,modules=DIR][,config=FILE]", ErrorKind::kUsage);
  };
  KernelFiles spec;
  const auto parts = SplitFiles(text);
  spec.image = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    const size_t equals = parts[i].find('=');
    const std::string key = parts[i].substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : parts[i].substr(equals + 1);
    if (value.empty() || (key != "modules" && key != "config")) {
      return usage(fmt::format("'{}' is no part of an image spec", parts[i]));
    }
    (key == "modules" ? spec.modules_dir : spec.config_file) = value;
  }
  std::error_code ignored;
  if (!fs::is_regular_file(spec.image, ignored)) {
    return usage(fmt::format("there is no image '{}'", spec.image.string()));
  }
  return spec;
}

Result<KernelSpec> ParsePackages(std::string_view text) {
  PackagesSpec spec;
  std::error_code ignored;
  for (const std::string& part : SplitFiles(text)) {
    if (!fs::is_regular_file(part, ignored)) {
      return Fail(fmt::format("there is no package '{}'", part), ErrorKind::kUsage);
    }
    spec.files.emplace_back(part);
  }
  return spec;
}

}  // namespace

Result<KernelSpec> ParseKernelSpec(std::string_view spec) {
  std::error_code ignored;
  if (spec.empty() || spec.find('\0') != std::string_view::npos) {
    return Fail(fmt::format("an empty kernel spec: {}", kForms), ErrorKind::kUsage);
  }
  if (spec.starts_with("image:")) return ParseImage(spec.substr(6));
  const fs::path path(spec);
  if (fs::is_directory(path, ignored)) return FolderSpec{path};
  if (fs::is_regular_file(path, ignored)) {
    if (IsPackage(path) || IsPackageName(spec)) return PackagesSpec{{path}};
    return KernelFiles{path, {}, {}};
  }
  if (IsPinnedForm(path.string())) return PinnedSpec{std::string(spec)};
  const auto parts = SplitFiles(spec);
  if (std::all_of(parts.begin(), parts.end(), IsPackageName)) return ParsePackages(spec);
  return Fail(fmt::format("unknown kernel '{}': {}", spec, kForms), ErrorKind::kUsage);
}

std::string AbsoluteSpec(std::string_view spec) {
  const auto parsed = ParseKernelSpec(spec);
  if (!parsed || std::holds_alternative<PinnedSpec>(*parsed)) return std::string(spec);
  std::error_code ignored;
  std::string prefix;
  if (spec.starts_with("image:")) {
    prefix = "image:";
    spec.remove_prefix(prefix.size());
  }
  if (fs::exists(spec, ignored)) return prefix + fs::absolute(spec, ignored).string();
  std::vector<std::string> parts = SplitFiles(spec);
  for (std::string& part : parts) {
    const bool has_key = part.starts_with("modules=") || part.starts_with("config=");
    const size_t at = has_key ? part.find('=') + 1 : 0;
    part = part.substr(0, at) + fs::absolute(part.substr(at), ignored).string();
  }
  return prefix + fmt::format("{}", fmt::join(parts, ","));
}

}  // namespace kassay
