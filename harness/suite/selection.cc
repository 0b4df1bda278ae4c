#include "harness/suite/selection.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/sha256.h"
#include "harness/profile/profile.h"

namespace kassay {
namespace fs = std::filesystem;

Result<std::vector<std::string>> Installation::InstalledSuites() const {
  KASSAY_TRY(std::vector<std::string> names, SuiteNames(data_dir / "suites"));
  std::erase_if(names, [&](const std::string& name) {
    std::error_code ignored;
    return !fs::exists(libexec_dir / "suites" / name, ignored);
  });
  if (names.empty()) {
    return Fail(fmt::format("no suite is built: nothing under {}; build with `cmake --build build`",
                            (libexec_dir / "suites").string()));
  }
  return names;
}

Result<Suite> Installation::Load(const std::string& name) const {
  KASSAY_TRY(const std::vector<std::string> known, InstalledSuites());
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    std::string list;
    for (const std::string& suite : known) list += (list.empty() ? "" : ", ") + suite;
    return Fail(fmt::format("there is no suite '{}'; there are: {}", name, list), ExitCode::kUsage);
  }
  Suite suite;
  KASSAY_TRY(suite.catalogue, LoadCatalogue(data_dir / "suites", name));
  KASSAY_TRY(suite.list, ListCases(libexec_dir / "suites" / name, lists_dir));
  return suite;
}

Result<std::vector<Suite>> Installation::LoadAll(const std::vector<std::string>& names) const {
  std::vector<Suite> suites;
  for (const std::string& name : names) {
    KASSAY_TRY(suites.emplace_back(), Load(name));
  }
  return suites;
}

Result<std::map<std::string, std::string>> Installation::Sha256Of(
    const std::vector<std::string>& names) const {
  std::map<std::string, std::string> sums;
  for (const std::string& name : names) {
    KASSAY_TRY(const std::string executable, Sha256HexOfFile(libexec_dir / "suites" / name));
    KASSAY_TRY(const std::string catalogue,
               Sha256HexOfFile(data_dir / "suites" / name / "requirements.toml"));
    sums[name] = Sha256Hex(fmt::format("{} {} {}\n", name, executable, catalogue));
  }
  return sums;
}

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
    KASSAY_TRY(names, installation.InstalledSuites());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  Selection selection;
  KASSAY_TRY(selection.suites, installation.LoadAll(names));
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
                ExitCode::kUsage);
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
              ExitCode::kUsage);
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
