#include "harness/verdict/feature_status.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/verdict/judge.h"

namespace kassay {
namespace {

std::string Text(const KernelVersion& version) {
  return version.patch == 0 ? fmt::format("{}.{}", version.major, version.minor)
                            : fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

// Why this kernel's version is not one that the requirement speaks about.
std::string WhyNotInForce(const Requirement& requirement, const Catalogue& catalogue,
                          const KernelFacts& kernel) {
  const Feature* feature = catalogue.FindFeature(requirement.feature);
  // A `since` that only repeats the feature's own says nothing new, and would stop a backport.
  const bool younger = requirement.since && kernel.version < *requirement.since &&
                       (feature == nullptr || *requirement.since > feature->since_version);
  if (younger)
    return fmt::format("{}: promised since {}", requirement.id, Text(*requirement.since));
  if (requirement.until && kernel.version >= *requirement.until)
    return fmt::format("{}: promised only before {}", requirement.id, Text(*requirement.until));
  return {};
}

// Which option stops a case.
std::string WhyOptionsStop(const ListedCase& listed, const Catalogue& catalogue,
                           const KernelConfig& config) {
  if (config.Empty()) return {};
  const auto why = [&](const std::string& who, const std::vector<std::string>& terms) {
    const std::string off = WhyKconfigFails(terms, config);
    return off.empty() ? "" : fmt::format("{}: {}", who, off);
  };
  std::string stopped = why(catalogue.suite, catalogue.kconfig);
  for (const std::string& id : listed.requirements) {
    const Requirement* requirement = catalogue.FindRequirement(id);
    const Feature* feature = catalogue.FindFeature(requirement->feature);
    if (stopped.empty() && feature != nullptr && !listed.detection)
      stopped = why(feature->id, feature->needs);
    if (stopped.empty()) stopped = why(id, requirement->kconfig);
  }
  return stopped;
}

// All options that the cases of these requirements rely on, each once, the most particular first.
std::vector<std::string> OptionsReliedOn(const std::vector<std::string>& requirements,
                                         const Catalogue& catalogue) {
  std::vector<std::string> options;
  const auto add = [&](const std::vector<std::string>& terms) {
    for (const std::string& term : terms) {
      if (std::ranges::find(options, term) == options.end()) options.push_back(term);
    }
  };
  std::vector<const Feature*> features;
  for (const std::string& id : requirements) {
    const Requirement* requirement = catalogue.FindRequirement(id);
    if (requirement == nullptr) continue;
    add(requirement->kconfig);
    features.push_back(catalogue.FindFeature(requirement->feature));
  }
  for (const Feature* feature : features) {
    if (feature == nullptr) continue;
    add(feature->kconfig);
    add(feature->needs);
  }
  add(catalogue.kconfig);
  return options;
}

}  // namespace

FeatureStanding StandingOf(const Feature& feature, const Catalogue& suite,
                           const KernelFacts& kernel, const std::optional<ProbeRecord>& probe) {
  FeatureStanding out;
  FeatureResult& result = out.result;
  result.feature = feature.id;
  result.suite = suite.suite;
  result.title = feature.title;
  result.since = feature.since;
  result.probe = "no answer";
  if (probe) result.probe = (probe->present ? "present: " : "missing: ") + probe->detail;
  const auto leave = [&](FeatureStatus status, const std::string& reason) {
    result.status = status;
    result.reason = reason;
    out.cases_run = false;
    out.why_not = fmt::format("{}: {}", feature.id, reason);
  };
  const bool old = kernel.version < feature.since_version;
  const bool config_known = !kernel.config->Empty();
  const std::string off = config_known ? WhyKconfigFails(feature.kconfig, *kernel.config) : "";
  if (probe && probe->present) {
    if (!off.empty())
      out.notes.push_back(
          fmt::format("{}: {}, but the probe finds it present; its cases ran", feature.id, off));
    if (old) {
      result.status = FeatureStatus::kBackported;
      result.reason = "backported: upstream since " + Text(feature.since_version);
    }
  } else if (old) {
    leave(FeatureStatus::kAbsent, "older kernel");
  } else if (!off.empty()) {
    leave(FeatureStatus::kDisabled, off);
  } else if (probe && (config_known || feature.kconfig.empty())) {
    leave(FeatureStatus::kMissing,
          "missing: version and config say that it is there, the probe says no");
  } else if (probe) {
    out.notes.push_back(fmt::format(
        "{}: the probe does not find it, and without a config nothing tells why", feature.id));
    leave(FeatureStatus::kAbsent, "not in this kernel (no config to tell why)");
  }
  const std::string lacks = config_known ? WhyKconfigFails(suite.kconfig, *kernel.config) : "";
  if (out.cases_run && !lacks.empty()) {
    // The feature is there, and nothing can be said about it.
    leave(FeatureStatus::kUntested, lacks + ", and the suite's cases rely on it");
    out.why_not = fmt::format("{}: {}", suite.suite, lacks);
  }
  return out;
}

void ConcludeFeature(FeatureResult& feature, const std::vector<const CaseResult*>& cases) {
  if (feature.status != FeatureStatus::kUntested && feature.status != FeatureStatus::kBackported)
    return;
  const auto bad = std::ranges::count_if(cases, IsNonconformant, &CaseResult::verdict);
  const auto passed = std::ranges::count(cases, Verdict::kPass, &CaseResult::verdict);
  const auto errors = std::ranges::count(cases, Verdict::kError, &CaseResult::verdict);
  const auto unmet = std::ranges::count(cases, Verdict::kUnmet, &CaseResult::verdict);
  const std::string before = feature.reason.empty() ? "" : feature.reason + "; ";
  if (bad > 0) {
    feature.status = FeatureStatus::kNonconformant;
    feature.reason = before + fmt::format("{} of {} cases do not hold", bad, cases.size());
  } else if (errors > 0) {
    feature.status = FeatureStatus::kUntested;
    feature.reason = before + fmt::format("{} of {} cases could not be run", errors, cases.size());
  } else if (passed == 0) {
    feature.status = FeatureStatus::kUntested;
    feature.reason =
        before + (cases.empty() ? "no case of it was part of this run"
                                : fmt::format("none of {} cases passed", cases.size()));
  } else {
    if (feature.status == FeatureStatus::kUntested) feature.status = FeatureStatus::kConformant;
    if (unmet > 0)
      feature.reason = before + fmt::format("{} of {} cases unmet", unmet, cases.size());
  }
}

std::string WhyCaseDoesNotRun(const ListedCase& listed, const Catalogue& catalogue,
                              const Standings& standings, const KernelFacts& kernel) {
  std::string out_of_force;
  bool in_force = false;
  for (const std::string& id : listed.requirements) {
    const Requirement* requirement = catalogue.FindRequirement(id);
    if (requirement == nullptr) return {};
    if (!listed.detection) {
      const auto standing = standings.find(requirement->feature);
      if (standing != standings.end() && !standing->second.cases_run)
        return standing->second.why_not;
    }
    const std::string why = WhyNotInForce(*requirement, catalogue, kernel);
    in_force = in_force || why.empty();
    if (out_of_force.empty()) out_of_force = why;
  }
  if (!in_force) return out_of_force;
  return WhyOptionsStop(listed, catalogue, *kernel.config);
}

void Explain(CaseResult& result, const Catalogue& catalogue, const KernelFacts& kernel) {
  MatchErratum(result, catalogue, kernel.version);
  if (!IsNonconformant(result.verdict) || result.erratum || !kernel.config->Empty()) return;
  const std::vector<std::string> options = OptionsReliedOn(result.requirements, catalogue);
  if (options.empty()) return;
  result.reason += fmt::format(" (no configuration of this kernel is known; not checked: {})",
                               fmt::join(options, ", "));
}

}  // namespace kassay
