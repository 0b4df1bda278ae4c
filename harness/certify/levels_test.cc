// Every level of the project can be certified: its requirements are known, and what its cases'
// profiles change of the vendor's boot is accepted.
#include <gmock/gmock.h>

#include <filesystem>

#include "harness/certify/content.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> Levels() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(KASSAY_BUILT_DATA_DIR) / "levels"))
    names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

class ProjectLevel : public ::testing::TestWithParam<std::string> {};

TEST_P(ProjectLevel, AcceptsWhatItsCasesNeed) {
  const Installation installation{KASSAY_BUILT_DATA_DIR, KASSAY_BUILT_LIBEXEC_DIR, {}, {}, {}};
  const auto names = InstalledSuites(installation);
  ASSERT_TRUE(names) << names.error().message;
  const auto suites = LoadSuites(installation, *names);
  ASSERT_TRUE(suites) << suites.error().message;
  const auto level = LoadLevel(installation.LevelsDir(), GetParam());
  ASSERT_TRUE(level) << level.error().message;
  std::vector<Catalogue> catalogues;
  for (const Suite& suite : *suites) catalogues.push_back(suite.catalogue);
  std::map<std::string, Profile> profiles;
  for (const std::string& name : ProfilesOf(*suites, level->profile)) {
    if (name == kHostProfile) continue;
    const auto profile = LoadProfile(installation.ProfilesDir(), name);
    ASSERT_TRUE(profile) << profile.error().message;
    profiles[name] = *profile;
  }
  for (const KernelVersion& version : {KernelVersion{7, 0, 13}, KernelVersion{7, 3, 4}}) {
    const auto resolved = ResolveLevel(*level, catalogues, version);
    ASSERT_TRUE(resolved) << resolved.error().message;
    EXPECT_FALSE(resolved->must_pass.empty());
    const Status accepted = CheckAccepted(*resolved, *suites, profiles, level->profile);
    EXPECT_TRUE(accepted) << accepted.error().message;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, ProjectLevel, ::testing::ValuesIn(Levels()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace kassay
