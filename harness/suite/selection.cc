#include "harness/suite/selection.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/profile/profile.h"

namespace kassay {

namespace {

// The first positive pattern that no case of the suites matches, or empty.
std::string UnmatchedPattern(const std::vector<Suite>& suites, const NameFilter& filter) {
  for (const std::string& glob : filter.wanted()) {
    const NameFilter one(glob);
    const bool matched = std::any_of(suites.begin(), suites.end(), [&](const Suite& suite) {
      return std::any_of(suite.list.cases.begin(), suite.list.cases.end(),
                         [&](const ListedCase& listed) {
                           return one.MatchesCase(suite.catalogue.suite, listed.name);
                         });
    });
    if (!matched) return glob;
  }
  return {};
}

}  // namespace

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
  if (const std::string glob = UnmatchedPattern(suites, filter); !glob.empty()) {
    return Fail(fmt::format("no case matches '{}'; `kassay list cases` shows all", glob),
                ErrorKind::kUsage);
  }
  size_t wanted = 0;
  for (Suite& suite : suites) {
    std::erase_if(suite.list.cases, [&](const ListedCase& listed) {
      return !filter.MatchesCase(suite.catalogue.suite, listed.name);
    });
    wanted += suite.list.cases.size();
  }
  if (wanted > 0) return {};
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
