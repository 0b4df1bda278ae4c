#include "harness/run/run.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "harness/run/notes.h"
#include "harness/run/run_under_way.h"
#include "harness/suite/selection.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

void TakeInto(SuiteImages& images, const Suite& suite, const std::string& profile_override) {
  const std::string& name = suite.catalogue.suite;
  if (suite.list.prepares) images.preparing.insert(name);
  for (const std::string& profile : ProfilesOf({suite}, profile_override))
    images.suites[profile].insert(name);
}

// MemAvailable of proc_meminfo(5) in MiB; nothing if it cannot be read.
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

}  // namespace

SuiteImages ImagesOf(const RunOptions& options) {
  const Installation& installation = options.installation;
  SuiteImages images;
  if (!options.profile.empty()) {
    // Nobody else's run takes its machines from this image, so it holds what this one asks for.
    // What cannot be selected says so when the run begins.
    const auto selection = Select(installation, options.suites, options.filters);
    if (!selection) return images;
    for (const Suite& suite : selection->suites) TakeInto(images, suite, options.profile);
    return images;
  }
  // All installed suites that use a profile, so that a run of one case and a run of everything
  // share one snapshot.
  const auto names = InstalledSuites(installation);
  if (!names) return images;
  for (const std::string& name : *names) {
    if (const auto suite = LoadSuite(installation, name)) TakeInto(images, *suite, "");
  }
  return images;
}

Result<RunResult> RunKernel(Lab& lab, const Kernel& kernel, const RunOptions& options,
                            RunObserver& observer) {
  Notes notes(observer);
  RunOptions complete = options;
  if (complete.jobs < 1) complete.jobs = DefaultJobs();
  return RunUnderWay(lab, kernel, complete, observer, notes).Go();
}

Result<RunPlanRecord> PlanOfRun(const fs::path& run_dir) {
  KASSAY_TRY(const JournalContent content, ReadJournal(run_dir));
  return content.plan;
}

int DefaultJobs(int memory_mib) {
  const long cpus = std::max(1L, static_cast<long>(std::thread::hardware_concurrency()));
  const long by_memory = AvailableMemoryMib().value_or(cpus * memory_mib) / memory_mib;
  return static_cast<int>(std::clamp(by_memory, 1L, cpus));
}

fs::path NewRunFolder(const fs::path& parent, const std::string& kernel_spec) {
  std::string name;
  for (const char c : kernel_spec)
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' ? c : '-';
  // A path as a spec gives a long name; its end tells most.
  if (name.size() > 60) name = name.substr(name.size() - 60);
  name.erase(0, std::min(name.find_first_not_of("-."), name.size()));
  name += fmt::format("-{:%Y%m%d-%H%M%S}", fmt::localtime(std::time(nullptr)));
  fs::path folder = parent / name;
  std::error_code ignored;
  for (int i = 2; fs::exists(folder, ignored); ++i) folder = parent / fmt::format("{}-{}", name, i);
  return folder;
}

}  // namespace kassay
