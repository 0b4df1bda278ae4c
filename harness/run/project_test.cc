// The project's own suites keep its promises: every case cites known requirements, every
// requirement has a case or a reason, every feature has its probe.
#include <gmock/gmock.h>

#include <sstream>

#include "harness/run/testing/suite_check.h"

namespace kassay {
namespace {

const Installation& Built() {
  static const Installation installation{
      KASSAY_BUILT_DATA_DIR, KASSAY_BUILT_LIBEXEC_DIR, {}, {}, {}};
  return installation;
}

// The suites of the tree, from CMake: one that does not build is missing, not passed over.
std::vector<std::string> SuitesOfTheTree() {
  std::istringstream words(KASSAY_BUILT_SUITES);
  std::vector<std::string> names;
  for (std::string name; words >> name;) names.push_back(name);
  return names;
}

class ProjectSuite : public ::testing::TestWithParam<std::string> {};

TEST_P(ProjectSuite, KeepsItsPromises) {
  const auto suite = LoadSuite(Built(), GetParam());
  ASSERT_TRUE(suite) << suite.error().message;
  for (const std::string& breach : BreachesOf(*suite, Built().ProfilesDir()))
    ADD_FAILURE() << breach;
}

INSTANTIATE_TEST_SUITE_P(Of, ProjectSuite, ::testing::ValuesIn(SuitesOfTheTree()),
                         [](const auto& test) { return test.param; });

TEST(Project, IdsBelongToOneSuite) {
  std::vector<Suite> suites;
  for (const std::string& name : SuitesOfTheTree()) {
    auto suite = LoadSuite(Built(), name);
    ASSERT_TRUE(suite) << suite.error().message;
    suites.push_back(*std::move(suite));
  }
  EXPECT_THAT(SharedIds(suites), ::testing::IsEmpty());
}

}  // namespace
}  // namespace kassay
