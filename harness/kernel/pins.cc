#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>

#include "harness/kernel/store.h"

namespace kassay {
namespace {

// Reads vm/kernels.toml; every complaint names the file and the line.
class PinReader {
 public:
  explicit PinReader(const std::string& origin) : origin_(origin) {}

  Result<std::vector<PinnedKernel>> All(const toml::table& root) {
    std::vector<PinnedKernel> pins;
    for (const auto& [key, node] : root) {
      if (key.str() != "kernel" || !node.is_array_of_tables()) {
        return Wrong(node, fmt::format("unknown key '{}'; expected [[kernel]]", key.str()));
      }
      for (const auto& kernel : *node.as_array()) {
        KASSAY_TRY(PinnedKernel pin, One(*kernel.as_table()));
        const bool twice = std::any_of(pins.begin(), pins.end(), [&](const PinnedKernel& other) {
          return other.Spec() == pin.Spec();
        });
        if (twice) return Wrong(kernel, pin.Spec() + " is pinned twice");
        pins.push_back(std::move(pin));
      }
    }
    return pins;
  }

 private:
  [[nodiscard]] tl::unexpected<Error> Wrong(const toml::node& where,
                                            const std::string& what) const {
    return Fail(fmt::format("{}:{}: {}", origin_, where.source().begin.line, what),
                ExitCode::kUsage);
  }

  Result<PinnedKernel> One(const toml::table& table) {
    PinnedKernel pin;
    for (const auto& [toml_key, node] : table) {
      const std::string_view key = toml_key.str();
      Status read;
      if (key == "vendor")
        read = Text(node, pin.vendor);
      else if (key == "name")
        read = Text(node, pin.name);
      else if (key == "release")
        read = Text(node, pin.release);
      else if (key == "package")
        read = Text(node, pin.package);
      else if (key == "package_version")
        read = Text(node, pin.package_version);
      else if (key == "files")
        read = Files(node, pin.files);
      else if (key == "headers")
        read = Files(node, pin.headers);
      else if (key == "source")
        read = Files(node, pin.source);
      else
        return Wrong(node, fmt::format("unknown key '{}' of a kernel", key));
      if (!read) return Fail(std::move(read).error());
    }
    if (pin.vendor.empty() || pin.name.empty() || pin.release.empty() || pin.files.empty()) {
      return Wrong(table, "a kernel needs vendor, name, release and files");
    }
    return pin;
  }

  Status Text(const toml::node& node, std::string& out) const {
    const auto value = node.value_exact<std::string>();
    if (!value || value->empty()) return Wrong(node, "expected a string");
    out = *value;
    return {};
  }

  Status Files(const toml::node& node, std::vector<PinnedFile>& out) const {
    if (!node.is_array_of_tables()) return Wrong(node, "expected an array of {path, size, sha256}");
    for (const auto& element : *node.as_array()) {
      const toml::table& table = *element.as_table();
      PinnedFile file;
      const auto size = table["size"].value_exact<std::int64_t>();
      file.path = table["path"].value_exact<std::string>().value_or("");
      file.sha256 = table["sha256"].value_exact<std::string>().value_or("");
      if (table.size() != 3 || !size || *size <= 0 || !IsPoolPath(file.path) ||
          !IsSha256(file.sha256)) {
        return Wrong(element,
                     "expected {path = \"pool/...\", size = BYTES, sha256 = \"64 hex digits\"}");
      }
      file.size = static_cast<std::uint64_t>(*size);
      out.push_back(std::move(file));
    }
    return {};
  }

  // It becomes part of an address and, its last part, of a path in the store.
  static bool IsPoolPath(const std::string& path) {
    return path.starts_with("pool/") && !path.ends_with('/') &&
           path.find("..") == std::string::npos &&
           std::all_of(path.begin(), path.end(), [](unsigned char c) {
             return std::isalnum(c) != 0 || std::string_view("/._+~:-").find(
                                                static_cast<char>(c)) != std::string_view::npos;
           });
  }

  static bool IsSha256(const std::string& text) {
    return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
             return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
  }

  const std::string& origin_;
};

}  // namespace

Result<std::vector<PinnedKernel>> ParsePins(std::string_view toml, const std::string& origin) {
  try {
    return PinReader(origin).All(toml::parse(toml, origin));
  } catch (const toml::parse_error& error) {
    return Fail(fmt::format("{}:{}: {}", origin, error.source().begin.line, error.description()),
                ExitCode::kUsage);
  }
}

}  // namespace kassay
