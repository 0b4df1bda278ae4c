#include "harness/verdict/feature_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

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

// "CONFIG_X=m" where an option of the feature is a module that did not come with the kernel.
std::string ModuleNotGiven(const Feature& feature, const KernelFacts& kernel) {
  if (kernel.has_modules) return {};
  for (const std::string& term : feature.kconfig) {
    const std::string symbol = term.substr(0, term.find('='));
    if (kernel.config->Value(symbol) == "m") return symbol + "=m";
  }
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

// What the cases that cite a requirement came to.
struct Told {
  bool passed = false;       // one of them did
  bool wants_trust = false;  // one is unmet for want of a trusted key
  bool left = false;         // one did not pass that should have
};

Told ToldOf(const std::string& requirement, const std::vector<const CaseResult*>& cases) {
  Told told;
  for (const CaseResult* result : cases) {
    if (std::ranges::find(result->requirements, requirement) == result->requirements.end())
      continue;
    const bool trust = !result->cause.empty();
    told.passed = told.passed || result->verdict == Verdict::kPass;
    told.wants_trust = told.wants_trust || trust;
    told.left = told.left || (result->verdict != Verdict::kPass && !trust &&
                              result->verdict != Verdict::kAbsent);
  }
  return told;
}

// Which essential requirements of the feature did not pass; empty if all did.
std::string WhyUntested(const FeatureResult& feature, const Catalogue& suite,
                        const KernelFacts& kernel, const std::vector<const CaseResult*>& cases) {
  std::vector<std::string> missing;
  for (const Requirement& requirement : suite.requirements) {
    if (!requirement.essential || requirement.feature != feature.feature ||
        !WhyNotInForce(requirement, suite, kernel).empty())
      continue;
    const Told told = ToldOf(requirement.id, cases);
    if (!told.passed || told.left) missing.push_back(requirement.id);
  }
  return missing.empty() ? ""
                         : fmt::format("essential and not passed: {}", fmt::join(missing, ", "));
}

// How many requirements no case could tell for want of a trusted key, and how many cases are unmet
// for other causes.
std::pair<size_t, size_t> LeftUnmet(const std::vector<const CaseResult*>& cases) {
  std::set<std::string> wanting;
  size_t unmet = 0;
  for (const CaseResult* result : cases) {
    if (result->verdict == Verdict::kUnmet && result->cause.empty()) ++unmet;
    for (const std::string& id : result->requirements) {
      const Told told = ToldOf(id, cases);
      if (told.wants_trust && !told.passed) wanting.insert(id);
    }
  }
  return {wanting.size(), unmet};
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
    out.why_left = {fmt::format("{}: {}", feature.id, reason)};
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
  } else if (const std::string module = ModuleNotGiven(feature, kernel); probe && !module.empty()) {
    leave(FeatureStatus::kUntested, module + ", and no modules were given");
    out.why_left.verdict = Verdict::kUnmet;
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
    out.why_left = {fmt::format("{}: {}", suite.suite, lacks)};
  }
  return out;
}

void ConcludeFeature(FeatureResult& feature, const Catalogue& suite, const KernelFacts& kernel,
                     const std::vector<const CaseResult*>& cases) {
  if (feature.status != FeatureStatus::kUntested && feature.status != FeatureStatus::kBackported)
    return;
  const auto count = [&](Verdict verdict) {
    return std::ranges::count(cases, verdict, &CaseResult::verdict);
  };
  const auto bad = std::ranges::count_if(cases, IsNonconformant, &CaseResult::verdict);
  std::vector<std::string> said;
  if (!feature.reason.empty()) said.push_back(feature.reason);
  const auto is = [&](FeatureStatus status, std::string why) {
    feature.status = status;
    said.push_back(std::move(why));
  };
  if (bad > 0) {
    is(FeatureStatus::kNonconformant, fmt::format("{} of {} cases do not hold", bad, cases.size()));
  } else if (cases.empty()) {
    is(FeatureStatus::kUntested, "no case of it was part of this run");
  } else if (count(Verdict::kError) > 0) {
    is(FeatureStatus::kUntested,
       fmt::format("{} of {} cases could not be run", count(Verdict::kError), cases.size()));
  } else if (count(Verdict::kPass) == 0) {
    is(FeatureStatus::kUntested, fmt::format("none of {} cases passed", cases.size()));
  } else if (const std::string why = WhyUntested(feature, suite, kernel, cases); !why.empty()) {
    is(FeatureStatus::kUntested, why);
  } else if (feature.status == FeatureStatus::kUntested) {
    feature.status = FeatureStatus::kConformant;
  }
  const auto [wanting, unmet] = LeftUnmet(cases);
  if (wanting > 0)
    said.push_back(fmt::format("{} {} untested for want of a trusted key", wanting,
                               wanting == 1 ? "requirement" : "requirements"));
  if (unmet > 0) said.push_back(fmt::format("{} of {} cases unmet", unmet, cases.size()));
  feature.reason = fmt::format("{}", fmt::join(said, "; "));
}

WhyLeft WhyCaseDoesNotRun(const ListedCase& listed, const Catalogue& catalogue,
                          const Standings& standings, const KernelFacts& kernel) {
  std::string out_of_force;
  bool in_force = false;
  for (const std::string& id : listed.requirements) {
    const Requirement* requirement = catalogue.FindRequirement(id);
    if (requirement == nullptr) return {};
    if (!listed.detection) {
      const auto standing = standings.find(requirement->feature);
      if (standing != standings.end() && !standing->second.cases_run)
        return standing->second.why_left;
    }
    const std::string why = WhyNotInForce(*requirement, catalogue, kernel);
    in_force = in_force || why.empty();
    if (out_of_force.empty()) out_of_force = why;
  }
  if (!in_force) return {out_of_force};
  return {WhyOptionsStop(listed, catalogue, *kernel.config)};
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
