#include "harness/compare/baseline_files.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <optional>

#include "harness/base/file.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

constexpr const char* kMark = "\"kassay_baseline\"";  // within a baseline's first bytes
constexpr size_t kMarkWithin = 200;

// What a path must not hold, as a dash.
std::string FileNameSafe(std::string text) {
  const auto is_odd = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) == 0 &&
           std::string_view("._+~-").find(c) == std::string_view::npos;
  };
  std::ranges::replace_if(text, is_odd, '-');
  return text;
}

// Sorted; empty for what is no folder.
std::vector<fs::path> EntriesOf(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) entries.push_back(entry.path());
  std::ranges::sort(entries);
  return entries;
}

std::vector<fs::path> BaselinesIn(const fs::path& folder) {
  std::vector<fs::path> files = EntriesOf(folder);
  std::erase_if(files, [](const fs::path& file) {
    std::string begin(file.extension() == ".json" ? kMarkWithin : 0, '\0');
    std::ifstream(file).read(begin.data(), static_cast<std::streamsize>(begin.size()));
    return begin.find(kMark) == std::string::npos;
  });
  return files;
}

Result<Baseline> LoadFile(const fs::path& file) {
  auto text = ReadFile(file);
  if (!text) return Fail(Error{text.error().message, ErrorKind::kUsage});
  // Anything that does not say it is a baseline must be a run's result.
  if (text->substr(0, kMarkWithin).find(kMark) != std::string::npos) {
    auto baseline = BaselineFromJson(*text);
    if (!baseline) return Fail(baseline.error().Within(file.string()));
    return baseline;
  }
  auto run = RunResultFromJson(*text);
  if (!run) return Fail(run.error().Within(file.string()));
  return BaselineOf(*run);
}

bool IsOfSuite(const Baseline& baseline, const std::string& suite) {
  return baseline.suites == std::vector<std::string>{suite} &&
         std::ranges::all_of(baseline.cases,
                             [&](const BaselineCase& each) { return each.Suite() == suite; });
}

Result<Baseline> LoadSuites(const fs::path& folder) {
  std::vector<Baseline> parts;
  for (const fs::path& file : BaselinesIn(folder)) {
    KASSAY_TRY(parts.emplace_back(), LoadFile(file));
    if (!IsOfSuite(parts.back(), file.stem()))
      return Fail(file.string() + " is not what was recorded of the suite that its name says",
                  ErrorKind::kUsage);
    if (BaselineName(parts.back().kernel) != BaselineName(parts.front().kernel))
      return Fail(file.string() + " is of another kernel than the files beside it",
                  ErrorKind::kUsage);
  }
  if (parts.empty())
    return Fail(folder.string() + " holds no results.json and no baseline", ErrorKind::kUsage);
  return Joined(std::move(parts));
}

tl::unexpected<Error> NoBaseline(const fs::path& folder, const std::string& name) {
  return Fail("no baseline for " + name + " in " + folder.string() +
                  "; make one: kassay baseline record --kernel " + name,
              ErrorKind::kUsage);
}

// By one of the names of a recorded kernel.
Result<fs::path> FindByName(const fs::path& folder, const std::string& name) {
  std::optional<Error> damaged;
  for (const fs::path& entry : RecordedKernels(folder)) {
    for (const fs::path& file : BaselinesIn(entry)) {
      const auto suite = LoadFile(file);
      if (!suite) {
        damaged = suite.error();
        continue;
      }
      const KernelIdentity& have = suite->kernel;
      if (name == have.spec || name == have.release || name == have.package_version ||
          name == entry.filename()) {
        return entry;
      }
      break;  // the others are of the same kernel
    }
  }
  if (damaged) return Fail(*damaged);
  return NoBaseline(folder, name);
}

}  // namespace

std::string BaselineName(const KernelIdentity& kernel) {
  // Another compiler makes another image of the reference kernel, which is the same kernel to us.
  if (kernel.vendor == "reference") return FileNameSafe("reference-" + kernel.release);
  const bool is_package = !kernel.package_version.empty();
  const std::string vendor =
      kernel.vendor.empty() ? (is_package ? "unknown" : "tree") : kernel.vendor;
  return FileNameSafe(vendor + "-" + kernel.release + "-" +
                      (is_package ? kernel.package_version : kernel.image_sha256.substr(0, 12)));
}

bool IsRecorded(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    return fs::exists(path / "results.json", ignored) || !BaselinesIn(path).empty();
  return path.extension() == ".json" && fs::is_regular_file(path, ignored);
}

Result<Baseline> LoadBaseline(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return LoadFile(path);
  const fs::path run = path / "results.json";
  return fs::exists(run, ignored) ? LoadFile(run) : LoadSuites(path);
}

std::vector<fs::path> RecordedKernels(const fs::path& folder) {
  std::vector<fs::path> kernels = EntriesOf(folder);
  std::erase_if(kernels, [](const fs::path& entry) { return BaselinesIn(entry).empty(); });
  return kernels;
}

Result<fs::path> FindBaseline(const fs::path& folder, const KernelIdentity& kernel) {
  const std::string name = kernel.spec.empty() ? kernel.release : kernel.spec;
  if (kernel.image_sha256.empty()) return FindByName(folder, name);
  std::error_code ignored;
  const fs::path exact = folder / BaselineName(kernel);
  if (!fs::is_directory(exact, ignored)) return NoBaseline(folder, name);
  if (kernel.vendor == "reference") return exact;
  KASSAY_TRY(const Baseline recorded, LoadBaseline(exact));
  if (recorded.kernel.image_sha256 == kernel.image_sha256) return exact;
  return Fail("the baseline " + exact.string() +
                  " is of another image of that name and version; to compare with it all the "
                  "same: --baseline " +
                  exact.string(),
              ErrorKind::kUsage);
}

Result<fs::path> RecordBaseline(const Baseline& fresh, const fs::path& folder,
                                const std::set<std::string>& recorded_next) {
  const fs::path of_kernel = folder / BaselineName(fresh.kernel);
  std::set<std::string> replaced = recorded_next;
  replaced.insert(fresh.suites.begin(), fresh.suites.end());
  for (const fs::path& file : BaselinesIn(of_kernel)) {
    if (replaced.contains(file.stem())) continue;
    KASSAY_TRY(const Baseline recorded, LoadFile(file));
    KASSAY_CHECK(CheckBeside(fresh, recorded));
  }
  for (const Baseline& part : BySuite(fresh)) {
    KASSAY_CHECK(WriteFileAtomically(of_kernel / (part.suites.front() + ".json"), ToJson(part)));
  }
  return of_kernel;
}

}  // namespace kassay
