#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "harness/base/text/toml_reader.h"
#include "harness/kernel/store.h"

namespace kassay {
namespace {

bool IsOf(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

// It becomes part of an address and, its last part, of a path in the store.
bool IsPoolPath(const std::string& path) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._+~:-";
  return path.starts_with("pool/") && !path.ends_with('/') &&
         path.find("..") == std::string::npos && IsOf(path, kAllowed);
}

bool IsSha256(const std::string& text) {
  return text.size() == 64 && IsOf(text, "0123456789abcdef");
}

std::vector<PinnedFile> FilesAt(TomlReader& of, const char* key, const std::string& origin,
                                std::string& problem) {
  std::vector<PinnedFile> files;
  for (const toml::table* table : of.Tables(key)) {
    TomlReader reader(*table, origin, problem);
    PinnedFile file;
    file.path = reader.Text("path");
    file.size = static_cast<std::uint64_t>(
        reader.Number("size", 1, std::numeric_limits<std::int64_t>::max()));
    file.sha256 = reader.Text("sha256");
    if (!IsPoolPath(file.path)) reader.Complain("path", "is not \"pool/...\"");
    if (!IsSha256(file.sha256)) reader.Complain("sha256", "is not 64 hex digits");
    reader.Finish();
    files.push_back(std::move(file));
  }
  return files;
}

PinnedKernel ReadPin(const toml::table& table, const std::string& origin, std::string& problem) {
  TomlReader reader(table, origin, problem, "kernel");
  PinnedKernel pin;
  pin.name = reader.Text("name");
  pin.vendor = reader.Text("vendor");
  pin.release = reader.Text("release");
  pin.package = reader.Text("package", /*required=*/false);
  pin.package_version = reader.Text("package_version", /*required=*/false);
  pin.files = FilesAt(reader, "files", origin, problem);
  pin.headers = FilesAt(reader, "headers", origin, problem);
  pin.source = FilesAt(reader, "source", origin, problem);
  reader.Finish();
  if (pin.files.empty()) reader.Complain("'files' is missing");
  return pin;
}

}  // namespace

Result<std::vector<PinnedKernel>> ParsePins(std::string_view toml, const std::string& origin) {
  KASSAY_TRY(const toml::table root, ParseToml(toml, origin));
  std::vector<PinnedKernel> pins;
  std::string problem;
  TomlReader reader(root, origin, problem);
  for (const toml::table* table : reader.Tables("kernel")) {
    PinnedKernel pin = ReadPin(*table, origin, problem);
    const bool twice = std::any_of(pins.begin(), pins.end(), [&](const PinnedKernel& other) {
      return other.Spec() == pin.Spec();
    });
    if (twice) TomlReader(*table, origin, problem).Complain(pin.Spec() + " is pinned twice");
    pins.push_back(std::move(pin));
  }
  reader.Finish();
  if (!problem.empty()) return Fail(problem, ErrorKind::kUsage);
  return pins;
}

}  // namespace kassay
