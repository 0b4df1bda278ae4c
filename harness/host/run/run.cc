#include "harness/host/run/run.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "harness/host/run/lab.h"
#include "harness/host/run/notes.h"
#include "harness/host/run/run_under_way.h"
#include "harness/host/run/selection.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

// What the image of each profile holds, and which suites want to prepare something for it.
void FillImages(const Installation& installation, const RunOptions& options, VmLabOptions& lab) {
  const auto names = installation.InstalledSuites();
  if (!names) return;
  for (const std::string& name : *names) {
    // One that cannot be listed says so when it is selected.
    const auto suite = installation.Load(name);
    if (!suite) continue;
    if (suite->list.prepares) lab.preparing.insert(name);
    // All installed suites that use a profile, so that a run of one case and a run of everything
    // share one snapshot; the override is for those that are asked for.
    const bool selected =
        options.suites.empty() ||
        std::find(options.suites.begin(), options.suites.end(), name) != options.suites.end();
    const std::string profile_override = selected ? options.profile : "";
    lab.suites[ProbeProfileOf(*suite, profile_override)].insert(name);
    for (const ListedCase& listed : suite->list.cases)
      lab.suites[ProfileOf(*suite, listed, profile_override)].insert(name);
  }
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

RunOptions WithJobs(RunOptions options) {
  if (options.jobs < 1) options.jobs = DefaultJobs();
  return options;
}

}  // namespace

Result<RunResult> RunKernelIn(Lab& lab, const Kernel& kernel, const RunOptions& options,
                              RunObserver& observer) {
  Notes notes(observer);
  const RunOptions complete = WithJobs(options);
  return RunUnderWay(lab, kernel, complete, observer, notes).Go();
}

Result<RunResult> RunKernel(const Kernel& kernel, const RunOptions& options,
                            RunObserver& observer) {
  Notes notes(observer);
  const RunOptions complete = WithJobs(options);
  VmLabOptions lab_options;
  lab_options.kernel = kernel;
  lab_options.profiles_dir = options.data_dir / "vm" / "profiles";
  lab_options.libexec_dir = options.libexec_dir;
  lab_options.cache_dir = options.cache_dir;
  FillImages({options.data_dir, options.libexec_dir, options.cache_dir / "lists"}, options,
             lab_options);
  lab_options.vm = options.vm;
  lab_options.vm.note = [&](const std::string& text) { notes.Add(text); };
  lab_options.headers_dir = options.headers_dir;
  VmLab lab(std::move(lab_options));
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
