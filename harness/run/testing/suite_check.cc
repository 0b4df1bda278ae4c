#include "harness/run/testing/suite_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/profile/profile.h"
#include "harness/suite/name_pattern.h"
#include "harness/verdict/complaint.h"

namespace kassay {
namespace {

class Check {
 public:
  Check(const Suite& suite, const std::filesystem::path& profiles_dir)
      : suite_(suite), profiles_dir_(profiles_dir) {
    for (const ListedCase& listed : suite.list.cases) {
      for (const std::string& id : listed.requirements) citing_[id].push_back(&listed);
    }
  }

  std::vector<std::string> Breaches() && {
    for (const ListedCase& listed : suite_.list.cases) CheckCase(listed);
    for (const Requirement& requirement : suite_.catalogue.requirements)
      CheckRequirement(requirement);
    CheckFeatures();
    CheckProfiles();
    return std::move(breaches_);
  }

 private:
  template <typename... Args>
  void Breach(fmt::format_string<Args...> format, Args&&... args) {
    breaches_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  void CheckCase(const ListedCase& listed) {
    for (const std::string& id : listed.requirements) {
      if (suite_.catalogue.FindRequirement(id) == nullptr)
        Breach("{}:{}: {} cites the unknown requirement {}", listed.file, listed.line, listed.name,
               id);
    }
    if (TaintLetters(TaintBits(listed.allows_taint)).size() != listed.allows_taint.size())
      Breach("{}:{}: {} allows the unknown taint '{}'", listed.file, listed.line, listed.name,
             listed.allows_taint);
  }

  void CheckRequirement(const Requirement& requirement) {
    const bool cited = citing_.contains(requirement.id);
    const std::string place =
        fmt::format("suites/{}/requirements.toml:{}", suite_.catalogue.suite, requirement.line);
    if (requirement.essential && !requirement.untested.empty())
      Breach("{}: {} is essential and untested", place, requirement.id);
    if (!cited && requirement.untested.empty())
      Breach("{}: {} has neither a case nor a reason (untested)", place, requirement.id);
    if (cited && !requirement.untested.empty())
      Breach("{}: {} is said to be untested, but {} cites it", place, requirement.id,
             citing_[requirement.id].front()->name);
    for (const Erratum& erratum : requirement.errata) {
      for (const std::string& glob : erratum.cases) {
        const auto& citing = citing_[requirement.id];
        const bool matched =
            std::any_of(citing.begin(), citing.end(),
                        [&](const ListedCase* listed) { return GlobMatches(glob, listed->name); });
        if (!matched)
          Breach("{}: the erratum of {} names '{}', which is no case that cites it", place,
                 requirement.id, glob);
      }
    }
  }

  void CheckFeatures() {
    const std::vector<std::string>& probed = suite_.list.features;
    for (const std::string& id : probed) {
      if (suite_.catalogue.FindFeature(id) == nullptr)
        Breach("{}: a probe of '{}', which is no [[feature]]", suite_.catalogue.suite, id);
    }
    for (const Feature& feature : suite_.catalogue.features) {
      if (std::find(probed.begin(), probed.end(), feature.id) == probed.end())
        Breach("{}: the feature '{}' has no KASSAY_PROBE", suite_.catalogue.suite, feature.id);
      const bool has_essential =
          std::ranges::any_of(suite_.catalogue.requirements, [&](const Requirement& requirement) {
            return requirement.feature == feature.id && requirement.essential;
          });
      if (!has_essential)
        Breach(
            "{}: the feature '{}' has no essential requirement: it would be conformant without "
            "a test",
            suite_.catalogue.suite, feature.id);
    }
  }

  void CheckProfiles() {
    std::set<std::string> profiles = {ProbeProfileOf(suite_, "")};
    for (const ListedCase& listed : suite_.list.cases)
      profiles.insert(ProfileOf(suite_, listed, ""));
    for (const std::string& name : profiles) {
      if (name == kHostProfile) continue;
      if (const auto profile = LoadProfile(profiles_dir_, name); !profile)
        Breach("{}: {}", suite_.catalogue.suite, profile.error().message);
    }
  }

  const Suite& suite_;
  const std::filesystem::path& profiles_dir_;
  std::map<std::string, std::vector<const ListedCase*>> citing_;
  std::vector<std::string> breaches_;
};

}  // namespace

std::vector<std::string> BreachesOf(const Suite& suite, const std::filesystem::path& profiles_dir) {
  return Check(suite, profiles_dir).Breaches();
}

std::vector<std::string> SharedIds(const std::vector<Suite>& suites) {
  std::map<std::string, std::string> owner;
  std::vector<std::string> shared;
  const auto add = [&](const std::string& id, const std::string& suite) {
    const auto [at, is_new] = owner.try_emplace(id, suite);
    if (!is_new) shared.push_back(fmt::format("{} is used by {} and {}", id, at->second, suite));
  };
  for (const Suite& suite : suites) {
    for (const Requirement& one : suite.catalogue.requirements) add(one.id, suite.catalogue.suite);
    for (const Feature& one : suite.catalogue.features) add(one.id, suite.catalogue.suite);
  }
  return shared;
}

}  // namespace kassay
