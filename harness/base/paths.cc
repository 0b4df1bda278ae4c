#include "harness/base/paths.h"

#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <string>

namespace kassay {
namespace fs = std::filesystem;
namespace {

fs::path FromEnvironment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read at start, never set
  return value != nullptr ? fs::path(value) : fs::path();
}

fs::path Prefix() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path().parent_path();
}

fs::path UserDir(const char* own, const char* xdg, const char* below_home) {
  if (const fs::path path = FromEnvironment(own); !path.empty()) return path;
  if (const fs::path path = FromEnvironment(xdg); !path.empty()) return path / "kassay";
  if (const fs::path home = FromEnvironment("HOME"); !home.empty())
    return home / below_home / "kassay";
  return fs::temp_directory_path() / ("kassay-" + std::string(own));
}

}  // namespace

fs::path DataDir() {
  const fs::path path = FromEnvironment("KASSAY_DATA_DIR");
  return path.empty() ? Prefix() / "share" / "kassay" : path;
}

fs::path LibexecDir() {
  const fs::path path = FromEnvironment("KASSAY_LIBEXEC_DIR");
  return path.empty() ? Prefix() / "libexec" / "kassay" : path;
}

fs::path CacheDir() { return UserDir("KASSAY_CACHE_DIR", "XDG_CACHE_HOME", ".cache"); }
fs::path StateDir() { return UserDir("KASSAY_STATE_DIR", "XDG_STATE_HOME", ".local/state"); }

fs::path FindProgram(const std::string& name) {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  std::istringstream folders(path == nullptr ? "/usr/bin" : path);
  std::string folder;
  while (std::getline(folders, folder, ':')) {
    const fs::path candidate = fs::path(folder) / name;
    if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

}  // namespace kassay
