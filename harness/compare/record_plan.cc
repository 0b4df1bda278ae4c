#include "harness/compare/record_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/compare/baseline_files.h"
#include "harness/suite/selection.h"

namespace kassay {
namespace fs = std::filesystem;
std::string WhyStale(const Baseline& recorded, const Suite& suite, const std::string& sha256) {
  const std::string& name = suite.catalogue.suite;
  std::map<std::string, const BaselineCase*> gone;
  for (const BaselineCase& each : recorded.cases) gone[each.id] = &each;
  size_t added = 0;
  size_t changed = 0;
  for (const ListedCase& listed : suite.list.cases) {
    const auto known = gone.find(name + "." + listed.name);
    if (known == gone.end()) {
      ++added;
      continue;
    }
    std::vector<std::string> requirements = listed.requirements;
    std::ranges::sort(requirements);
    const BaselineCase& was = *known->second;
    if (was.requirements != requirements || was.profile != ProfileOf(suite, listed, "")) ++changed;
    gone.erase(known);
  }
  if (added + changed + gone.size() > 0)
    return fmt::format("cases: {} new, {} changed, {} gone", added, changed, gone.size());
  const auto digest = recorded.environment.suites_sha256.find(name);
  const bool same = digest != recorded.environment.suites_sha256.end() && digest->second == sha256;
  return same ? "" : "its executable or catalogue changed";
}

Result<std::vector<RecordStep>> PlanRecording(const RecordPlanOptions& options,
                                              const Installation& installation) {
  KASSAY_TRY(const std::vector<Suite> suites, LoadSuites(installation, options.suites));
  KASSAY_TRY(const auto digests, Sha256OfSuites(installation, options.suites));
  std::vector<RecordStep> steps;
  std::error_code ignored;
  for (const std::string& kernel : options.kernels) {
    const auto recorded = FindBaseline(options.folder, {.spec = kernel});
    for (const Suite& suite : suites) {
      const std::string& name = suite.catalogue.suite;
      const fs::path file = recorded.value_or(fs::path()) / (name + ".json");
      std::string why = "not recorded";
      if (recorded && fs::exists(file, ignored)) {
        const auto baseline = LoadBaseline(file);
        why = baseline ? WhyStale(*baseline, suite, digests.at(name)) : baseline.error().message;
      }
      if (why.empty() && options.force) why = "up to date, recorded by force";
      if (!why.empty()) steps.push_back({kernel, name, std::move(why)});
    }
  }
  return steps;
}

std::vector<std::string> CommandsFor(const std::vector<RecordStep>& steps) {
  std::map<std::string, std::string> suites_of;
  for (const RecordStep& step : steps) suites_of[step.kernel] += " --suite " + step.suite;
  std::map<std::string, std::string> kernels_of;
  for (const auto& [kernel, suites] : suites_of) kernels_of[suites] += " --kernel " + kernel;
  std::vector<std::string> commands;
  commands.reserve(kernels_of.size());
  for (const auto& [suites, kernels] : kernels_of)
    commands.push_back(fmt::format("kassay baseline record --all --force{}{}", kernels, suites));
  return commands;
}

}  // namespace kassay
