#include "suites/dm_verity/module.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "harness/base/unique_fd.h"
#include "harness/protocol/guest_layout.h"

namespace kassay::verity {
namespace {

constexpr const char* kName = "dm_verity";

// Name and path, dependencies first.
std::vector<std::pair<std::string, std::string>> Available() {
  std::vector<std::pair<std::string, std::string>> modules;
  std::ifstream list(kGuestModulesAvailable);
  std::string name;
  std::string path;
  while (list >> name >> path) modules.emplace_back(name, path);
  return modules;
}

bool IsVerity(std::string name) {
  for (char& c : name) c = c == '-' ? '_' : c;
  return name == kName;
}

}  // namespace

bool IsModule() {
  for (const auto& [name, path] : Available()) {
    if (IsVerity(name)) return true;
  }
  return false;
}

std::string CommandLineParameters() {
  std::ifstream file("/proc/cmdline");
  std::string parameters;
  const std::string prefix = std::string(kName) + ".";
  for (std::string word; file >> word;) {
    if (word.starts_with(prefix)) parameters += word.substr(prefix.size()) + " ";
  }
  return parameters;
}

long LoadModule(const std::string& parameters) {
  long result = -ENOENT;
  for (const auto& [name, path] : Available()) {
    const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const bool failed =
        syscall(SYS_finit_module, file.Get(), IsVerity(name) ? parameters.c_str() : "", 0) != 0 &&
        errno != EEXIST;
    if (failed) return -errno;
    if (IsVerity(name)) result = 0;
  }
  return result;
}

long UnloadModule() { return syscall(SYS_delete_module, kName, O_NONBLOCK) != 0 ? -errno : 0; }

std::string Parameter(const std::string& name) {
  std::ifstream file(std::string("/sys/module/") + kName + "/parameters/" + name);
  std::string value;
  file >> value;
  return value;
}

}  // namespace kassay::verity
