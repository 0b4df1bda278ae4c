#include "harness/base/installation.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace kassay {
namespace fs = std::filesystem;
namespace {

fs::path FromEnvironment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read at start, never set
  return value != nullptr ? fs::path(value) : fs::path();
}

fs::path PartDir(const char* own, const char* part) {
  if (const fs::path path = FromEnvironment(own); !path.empty()) return path;
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  return program.parent_path().parent_path() / part / "kassay";
}

fs::path UserDir(const char* own, const char* xdg, const char* below_home) {
  if (const fs::path path = FromEnvironment(own); !path.empty()) return path;
  if (const fs::path path = FromEnvironment(xdg); !path.empty()) return path / "kassay";
  if (const fs::path home = FromEnvironment("HOME"); !home.empty())
    return home / below_home / "kassay";
  // A service has no $HOME. Users must not share a folder, so it is not one for all.
  const passwd* user = ::getpwuid(::geteuid());  // NOLINT(concurrency-mt-unsafe): read at start
  const fs::path home = user != nullptr ? user->pw_dir : "";
  if (home.is_absolute() && ::access(home.c_str(), W_OK) == 0) return home / below_home / "kassay";
  return fs::temp_directory_path() / ("kassay-" + std::to_string(::geteuid())) / own;
}

}  // namespace

Installation Installation::OfThisProgram() {
  return {PartDir("KASSAY_DATA_DIR", "share"),
          PartDir("KASSAY_LIBEXEC_DIR", "libexec"),
          UserDir("KASSAY_CACHE_DIR", "XDG_CACHE_HOME", ".cache"),
          UserDir("KASSAY_STATE_DIR", "XDG_STATE_HOME", ".local/state"),
          {}};
}

}  // namespace kassay
