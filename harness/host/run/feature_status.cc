#include "harness/host/run/feature_status.h"

#include <fmt/format.h>

#include <algorithm>

namespace kassay {
namespace {

std::string Text(const KernelVersion& version) {
  return version.patch == 0 ? fmt::format("{}.{}", version.major, version.minor)
                            : fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

class Stand {
 public:
  Stand(const Feature& feature, const std::string& suite) : feature_(feature) {
    out_.result.feature = feature.id;
    out_.result.suite = suite;
    out_.result.title = feature.title;
    out_.result.since = feature.since;
  }

  FeatureStanding On(const KernelFacts& kernel, const std::optional<ProbeRecord>& probe) && {
    const bool old = kernel.version < feature_.since_version;
    const bool config_known = !kernel.config->Empty();
    const std::string off = config_known ? WhyKconfigFails(feature_.kconfig, *kernel.config) : "";
    if (probe) {
      out_.result.probe = (probe->present ? "present: " : "missing: ") + probe->detail;
    } else {
      out_.result.probe = "no answer";
    }
    if (probe && probe->present) {
      Present(old, off);
    } else if (old) {
      Leave(FeatureStatus::kAbsent, "older kernel");
    } else if (!off.empty()) {
      Leave(FeatureStatus::kDisabled, off);
    } else if (probe) {
      Missing(config_known);
    }
    return std::move(out_);
  }

 private:
  void Present(bool old, const std::string& off) {
    if (!off.empty()) {
      out_.notes.push_back(
          fmt::format("{}: {}, but the probe finds it present; its cases ran", feature_.id, off));
    }
    if (!old) return;
    out_.result.status = FeatureStatus::kBackported;
    out_.result.reason = "backported: upstream since " + Text(feature_.since_version);
  }

  void Missing(bool config_known) {
    if (config_known || feature_.kconfig.empty()) {
      return Leave(FeatureStatus::kMissing,
                   "missing: version and config say that it is there, "
                   "the probe says no");
    }
    out_.notes.push_back(fmt::format(
        "{}: the probe does not find it, and without a config nothing tells why", feature_.id));
    Leave(FeatureStatus::kAbsent, "not in this kernel (no config to tell why)");
  }

  void Leave(FeatureStatus status, const std::string& reason) {
    out_.result.status = status;
    out_.result.reason = reason;
    out_.cases_run = false;
    out_.why_not = fmt::format("{}: {}", feature_.id, reason);
  }

  const Feature& feature_;
  FeatureStanding out_;
};

// Why a requirement is not in force by its own terms, beyond those of its feature.
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
  if (kernel.config->Empty()) return {};
  const std::string off = WhyKconfigFails(requirement.kconfig, *kernel.config);
  return off.empty() ? "" : fmt::format("{}: {}", requirement.id, off);
}

}  // namespace

FeatureStanding StandingOf(const Feature& feature, const std::string& suite,
                           const KernelFacts& kernel, const std::optional<ProbeRecord>& probe) {
  return Stand(feature, suite).On(kernel, probe);
}

void ConcludeFeature(FeatureResult& feature, const std::vector<const CaseResult*>& cases) {
  if (feature.status != FeatureStatus::kUntested && feature.status != FeatureStatus::kBackported)
    return;
  const auto count = [&](auto wanted) {
    return std::count_if(cases.begin(), cases.end(),
                         [&](const CaseResult* c) { return wanted(*c); });
  };
  const auto bad = count([](const CaseResult& c) { return IsNonconformant(c.verdict); });
  const auto passed = count([](const CaseResult& c) { return c.verdict == Verdict::kPass; });
  const auto errors = count([](const CaseResult& c) { return c.verdict == Verdict::kError; });
  const auto unmet = count([](const CaseResult& c) { return c.verdict == Verdict::kUnmet; });
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
  return in_force ? "" : out_of_force;
}

}  // namespace kassay
