#include "harness/run/run.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <thread>

namespace kassay {
namespace fs = std::filesystem;
namespace {

constexpr long kMachineMib = 768;  // what a machine may take of memory

}  // namespace

SuiteImages ImagesOf(const RunOptions& options) {
  std::vector<Suite> suites;
  if (!options.profile.empty()) {
    // Nobody else's run takes its machines from this image, so it holds what this one asks for.
    // What cannot be selected says so when the run begins.
    if (auto selection = Select(options.installation, options.suites, options.filters))
      suites = std::move(selection->suites);
  } else if (const auto names = InstalledSuites(options.installation)) {
    // All installed suites that use a profile, so that a run of one case and a run of everything
    // share one snapshot.
    for (const std::string& name : *names) {
      if (auto suite = LoadSuite(options.installation, name)) suites.push_back(*std::move(suite));
    }
  }
  SuiteImages images;
  for (const Suite& suite : suites) {
    if (suite.list.prepares) images.preparing.insert(suite.catalogue.suite);
    for (const std::string& profile : ProfilesOf({suite}, options.profile))
      images.suites[profile].insert(suite.catalogue.suite);
  }
  return images;
}

std::optional<long> AvailableMemoryMib() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  long kib = 0;
  std::string unit;
  while (file >> key >> kib >> unit) {
    if (key == "MemAvailable:") return kib / 1024;
  }
  return std::nullopt;
}

int DefaultJobs() {
  const long cpus = std::max(1L, static_cast<long>(std::thread::hardware_concurrency()));
  const long by_memory = AvailableMemoryMib().value_or(cpus * kMachineMib) / kMachineMib;
  return static_cast<int>(std::clamp(by_memory, 1L, cpus));
}

fs::path NewRunFolder(const fs::path& parent, const std::string& kernel_spec) {
  std::string name = kernel_spec;
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '.'; }, '-');
  // A path as a spec gives a long name; its end tells most.
  if (name.size() > 60) name = name.substr(name.size() - 60);
  name.erase(0, std::min(name.find_first_not_of("-."), name.size()));
  name += fmt::format("-{:%Y%m%d-%H%M%S}", fmt::localtime(std::time(nullptr)));
  std::error_code error;
  fs::create_directories(parent, error);
  fs::path folder = parent / name;
  // Who makes it has it: another run may begin in the same second. What cannot be made at all is
  // told by who writes into it.
  for (int i = 2; !error && !fs::create_directory(folder, error) && !error; ++i)
    folder = parent / fmt::format("{}-{}", name, i);
  return folder;
}

}  // namespace kassay
