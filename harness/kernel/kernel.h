// A kernel under test: an image, its modules and its config, with an identity.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/kernel/architecture.h"
#include "harness/result/run_result.h"

namespace kassay {

// The kernel's configuration, as in .config or config-RELEASE.
class KernelConfig {
 public:
  KernelConfig() = default;
  // Lines that are neither "CONFIG_X=value", "# CONFIG_X is not set", a comment nor empty are an
  // error.
  [[nodiscard]] static Result<KernelConfig> Parse(std::string_view text);

  // "y", "m", a number, a string without its quotes; "n" where the symbol is not set or not
  // mentioned. `symbol` with its CONFIG_ prefix.
  [[nodiscard]] std::string Value(std::string_view symbol) const;
  // Set to anything but n.
  [[nodiscard]] bool IsSet(std::string_view symbol) const { return Value(symbol) != "n"; }
  // The symbol appears, be it as "is not set".
  [[nodiscard]] bool Mentions(std::string_view symbol) const;
  // No config was found anywhere; every Value() is then "n" and must not be taken for an answer.
  [[nodiscard]] bool Empty() const { return values_.empty(); }
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& values() const {
    return values_;
  }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

struct Kernel {
  KernelIdentity identity;
  const Architecture* architecture = &kX86_64;  // never null
  std::filesystem::path image;                  // bzImage (or vmlinux) as shipped
  std::filesystem::path modules_dir;  // lib/modules/RELEASE; empty for a kernel without modules
  std::filesystem::path config_file;  // empty if none was found, or if the image itself holds it
  std::string config_text;            // plain, whatever the file is; empty if none was found
  KernelConfig config;                // of that text
};

// Upstream version of a release for comparisons: "7.0.13+deb13-cloud-amd64" gives {7, 0, 13};
// missing parts are 0.
struct KernelVersion {
  int major = 0;
  int minor = 0;
  int patch = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the default's 0 for a pointer
  friend auto operator<=>(const KernelVersion&, const KernelVersion&) = default;
};
[[nodiscard]] Result<KernelVersion> ParseKernelVersion(std::string_view release);

}  // namespace kassay
