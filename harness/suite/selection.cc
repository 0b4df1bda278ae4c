#include "harness/suite/selection.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/profile/profile.h"

namespace kassay {

Result<Selection> Select(const Installation& installation,
                         const std::vector<std::string>& suite_names,
                         const std::vector<std::string>& filters) {
  std::vector<std::string> names = suite_names;
  if (names.empty()) {
    KASSAY_TRY(names, InstalledSuites(installation));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  Selection selection;
  KASSAY_TRY(selection.suites, LoadSuites(installation, names));
  KASSAY_CHECK(KeepWanted(selection.suites, filters));
  std::erase_if(selection.suites, [&](const Suite& suite) {
    return suite.list.cases.empty() && suite_names.empty();
  });
  return selection;
}

Status KeepWanted(std::vector<Suite>& suites, const std::vector<std::string>& filters) {
  const NameFilter filter = FilterOf(filters);
  std::vector<std::string> unmatched = filter.wanted();
  bool is_any_left = false;
  for (Suite& suite : suites) {
    const std::string& name = suite.catalogue.suite;
    for (const ListedCase& listed : suite.list.cases) {
      std::erase_if(unmatched, [&](const std::string& glob) {
        return NameFilter(glob).MatchesCase(name, listed.name);
      });
    }
    std::erase_if(suite.list.cases,
                  [&](const ListedCase& listed) { return !filter.MatchesCase(name, listed.name); });
    is_any_left = is_any_left || !suite.list.cases.empty();
  }
  if (!unmatched.empty()) {
    return Fail(
        fmt::format("no case matches '{}'; `kassay list cases` shows all", unmatched.front()),
        ErrorKind::kUsage);
  }
  if (is_any_left) return {};
  return Fail(filter.Empty() ? "the suite has no case" : "the patterns take every case away",
              ErrorKind::kUsage);
}

std::set<std::string> ProfilesOf(const std::vector<Suite>& suites,
                                 const std::string& profile_override) {
  std::set<std::string> profiles;
  for (const Suite& suite : suites) {
    profiles.insert(ProbeProfileOf(suite, profile_override));
    for (const ListedCase& listed : suite.list.cases)
      profiles.insert(ProfileOf(suite, listed, profile_override));
  }
  return profiles;
}

std::string ProfileOf(const Suite& suite, const ListedCase& listed,
                      const std::string& profile_override) {
  if (suite.catalogue.runs_on_host || listed.on_host) return kHostProfile;
  return listed.profile.empty() ? ProbeProfileOf(suite, profile_override) : listed.profile;
}

std::string ProbeProfileOf(const Suite& suite, const std::string& profile_override) {
  if (suite.catalogue.runs_on_host) return kHostProfile;
  return profile_override.empty() ? suite.catalogue.profile : profile_override;
}

}  // namespace kassay
