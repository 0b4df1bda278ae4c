#include "harness/compare/baseline.h"

#include <algorithm>
#include <cctype>
#include <tuple>

#include "harness/base/file.h"
#include "harness/base/sha256.h"

namespace kassay {
namespace {

constexpr size_t kMaxEvidenceValue = 96;  // bytes that a baseline keeps as they are
constexpr size_t kMaxReason = 240;

// Cuts at a UTF-8 boundary: what follows is never a continuation byte.
std::string Shortened(const std::string& text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::vector<Evidence> ShortEvidence(const std::vector<Evidence>& all) {
  std::vector<Evidence> out;
  for (const Evidence& evidence : all) {
    const bool keep = evidence.value.size() <= kMaxEvidenceValue;
    out.push_back({Shortened(evidence.key, kMaxEvidenceValue),
                   keep ? evidence.value : "sha256:" + Sha256Hex(evidence.value).substr(0, 16)});
  }
  return out;
}

BaselineCase Comparable(const CaseResult& result) {
  BaselineCase out;
  out.id = result.Id();
  out.profile = result.profile;
  out.requirements = result.requirements;
  std::sort(out.requirements.begin(), out.requirements.end());
  out.verdict = result.verdict;
  out.reason = Shortened(result.reason, kMaxReason);
  if (result.erratum) {
    out.erratum = result.erratum->id;
    out.erratum_fixed = result.erratum->fixed;
  }
  out.waiver = result.waiver;
  out.evidence = ShortEvidence(result.evidence);
  out.attempts = std::max(result.attempts, 1);  // what was settled without running counts as once
  out.passes = result.attempts > 1 ? result.passes : (result.verdict == Verdict::kPass ? 1 : 0);
  return out;
}

// What a path must not hold, as a dash.
std::string FileNameSafe(std::string text) {
  for (char& c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) == 0 && std::string_view("._+~-").find(c) == std::string_view::npos) {
      c = '-';
    }
  }
  return text;
}

// What two recordings must share to stand in one baseline; empty if they do.
std::string Disagreement(const Baseline& a, const Baseline& b) {
  const Environment& x = a.environment;
  const Environment& y = b.environment;
  if (a.kernel.image_sha256 != b.kernel.image_sha256) return "the kernel image";
  if (x.kassay_version != y.kassay_version) return "kassay's version";
  if (x.qemu_version != y.qemu_version) return "QEMU's version";
  if (x.accelerator != y.accelerator) return "the accelerator";
  if (x.boot != y.boot) return "the way to boot";
  if (x.isolation != y.isolation) return "the isolation";
  for (const auto& [profile, command_line] : x.command_lines) {
    const auto other = y.command_lines.find(profile);
    if (other != y.command_lines.end() && other->second != command_line)
      return "the command line of profile " + profile;
  }
  return {};
}

void Sort(std::vector<BaselineFeature>& features) {
  std::sort(features.begin(), features.end(),
            [](const BaselineFeature& a, const BaselineFeature& b) {
              return std::tie(a.suite, a.feature) < std::tie(b.suite, b.feature);
            });
}

void Sort(std::vector<BaselineCase>& cases) {
  std::stable_sort(cases.begin(), cases.end(),
                   [](const BaselineCase& a, const BaselineCase& b) { return a.id < b.id; });
}

}  // namespace

Result<Baseline> Complemented(Baseline fresh, const Baseline& recorded) {
  const auto is_old = [&fresh](const std::string& suite) {
    return std::find(fresh.suites.begin(), fresh.suites.end(), suite) == fresh.suites.end();
  };
  if (std::none_of(recorded.suites.begin(), recorded.suites.end(), is_old)) return fresh;
  if (const std::string what = Disagreement(fresh, recorded); !what.empty()) {
    return Fail(what + " is not that of the recorded baseline: record all suites anew",
                ExitCode::kUsage);
  }
  std::vector<std::string> suites = fresh.suites;
  std::copy_if(recorded.suites.begin(), recorded.suites.end(), std::back_inserter(suites), is_old);
  std::copy_if(recorded.features.begin(), recorded.features.end(),
               std::back_inserter(fresh.features),
               [&](const BaselineFeature& feature) { return is_old(feature.suite); });
  std::copy_if(recorded.cases.begin(), recorded.cases.end(), std::back_inserter(fresh.cases),
               [&](const BaselineCase& each) { return is_old(each.Suite()); });
  std::sort(suites.begin(), suites.end());
  fresh.suites = std::move(suites);
  Sort(fresh.features);
  Sort(fresh.cases);
  Environment& environment = fresh.environment;
  environment.command_lines.insert(recorded.environment.command_lines.begin(),
                                   recorded.environment.command_lines.end());
  environment.suite_sha256 =
      Sha256Hex(environment.suite_sha256 + recorded.environment.suite_sha256);
  return fresh;
}

Baseline BaselineOf(const RunResult& run) {
  Baseline baseline;
  baseline.kernel = run.kernel;
  // "reference:7.0/minimal" is a name, and no path.
  if (run.kernel.vendor != "reference" && run.kernel.spec.find('/') != std::string::npos)
    baseline.kernel.spec.clear();
  baseline.environment = run.environment;
  baseline.suites = run.suites;
  std::sort(baseline.suites.begin(), baseline.suites.end());
  baseline.filter = run.filter;
  baseline.interrupted = run.interrupted;
  for (const FeatureResult& feature : run.features) {
    baseline.features.push_back(
        {feature.feature, feature.suite, feature.status, Shortened(feature.reason, kMaxReason)});
  }
  Sort(baseline.features);
  for (const CaseResult& result : run.cases) baseline.cases.push_back(Comparable(result));
  Sort(baseline.cases);
  // A case that is listed twice counts as it ended last.
  const auto last_of_each =
      std::unique(baseline.cases.rbegin(), baseline.cases.rend(),
                  [](const BaselineCase& a, const BaselineCase& b) { return a.id == b.id; });
  baseline.cases.erase(baseline.cases.begin(), last_of_each.base());
  return baseline;
}

Status CheckRecordable(const RunResult& run) {
  const auto refuse = [](const std::string& why) {
    return Fail("no baseline from this run: " + why, ExitCode::kUsage);
  };
  if (run.interrupted || run.finished_at.empty()) return refuse("it did not finish; run it again");
  if (!run.filter.empty()) return refuse("it ran only --case '" + run.filter + "'");
  if (run.cases.empty()) return refuse("it has no cases");
  const auto error = std::find_if(run.cases.begin(), run.cases.end(), [](const CaseResult& result) {
    return result.verdict == Verdict::kError;
  });
  if (error != run.cases.end()) {
    return refuse(error->Id() + " is an error of the harness (" + error->reason + ")");
  }
  return {};
}

std::string BaselineFileName(const KernelIdentity& kernel) {
  if (!kernel.package_version.empty()) {
    const std::string vendor = kernel.vendor.empty() ? "unknown" : kernel.vendor;
    return FileNameSafe(vendor + "-" + kernel.package_version) + ".json";
  }
  // Another compiler makes another image of the reference kernel, which is the same kernel to us.
  if (kernel.vendor == "reference") return FileNameSafe("reference-" + kernel.release) + ".json";
  const std::string vendor = kernel.vendor.empty() ? "tree" : kernel.vendor;
  return FileNameSafe(vendor + "-" + kernel.release + "-" + kernel.image_sha256.substr(0, 12)) +
         ".json";
}

Result<Baseline> LoadBaseline(const std::filesystem::path& file) {
  auto text = ReadFile(file);
  if (!text) return Fail(Error{text.error().message, ExitCode::kUsage});
  // A baseline says so within its first bytes; anything else must be a run's result.
  const bool is_baseline = text->substr(0, 200).find("\"kassay_baseline\"") != std::string::npos;
  if (is_baseline) {
    auto baseline = BaselineFromJson(*text);
    if (!baseline) return Fail(baseline.error().Within(file.string()));
    return baseline;
  }
  auto run = RunResultFromJson(*text);
  if (!run) return Fail(run.error().Within(file.string()));
  return BaselineOf(*run);
}

Result<std::filesystem::path> FindBaseline(const std::filesystem::path& folder,
                                           const KernelIdentity& kernel) {
  std::error_code error;
  if (!kernel.package_version.empty() || !kernel.image_sha256.empty()) {
    const auto exact = folder / BaselineFileName(kernel);
    if (std::filesystem::exists(exact, error)) return exact;
  } else {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
      const auto baseline = LoadBaseline(file);
      if (!baseline) return Fail(baseline.error());
      const KernelIdentity& have = baseline->kernel;
      if (kernel.spec == have.spec || kernel.spec == have.release ||
          kernel.spec == have.package_version || file.stem() == kernel.spec) {
        return file;
      }
    }
  }
  const std::string name = kernel.spec.empty() ? kernel.release : kernel.spec;
  return Fail("no baseline for " + name + " in " + folder.string() +
                  "; make one: kassay baseline record --kernel " + name,
              ExitCode::kUsage);
}

}  // namespace kassay
