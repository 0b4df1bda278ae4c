#include "harness/run/testing/suite_check.h"

#include <gmock/gmock.h>

#include "harness/base/file.h"

namespace kassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SuiteCheck : public ::testing::Test {
 protected:
  SuiteCheck() : profiles_(std::filesystem::path(::testing::TempDir()) / "profiles") {
    EXPECT_TRUE(WriteFileAtomically(profiles_ / "stock.toml", "description = \"x\"\n"));
    suite_.catalogue.suite = "ring";
    suite_.catalogue.profile = "stock";
    Feature feature;
    feature.id = "lists";
    suite_.catalogue.features = {feature};
    Requirement requirement;
    requirement.id = "R-1";
    requirement.feature = "lists";
    requirement.line = 9;
    requirement.essential = true;
    suite_.catalogue.requirements = {requirement};
    ListedCase listed;
    listed.name = "Ring.Denies";
    listed.requirements = {"R-1"};
    listed.file = "suites/ring/ring.cc";
    listed.line = 3;
    suite_.list.features = {"lists"};
    suite_.list.cases = {listed};
  }
  std::vector<std::string> Breaches() { return BreachesOf(suite_, profiles_); }

  std::filesystem::path profiles_;
  Suite suite_;
};

TEST_F(SuiteCheck, AGoodSuiteHasNoBreach) { EXPECT_THAT(Breaches(), IsEmpty()); }

TEST_F(SuiteCheck, EachFeatureHasAnEssentialRequirementWithACase) {
  suite_.catalogue.requirements[0].essential = false;
  EXPECT_THAT(Breaches(),
              ElementsAre("ring: the feature 'lists' has no essential requirement: it would be "
                          "conformant without a test"));
  suite_.catalogue.requirements[0].essential = true;
  suite_.catalogue.requirements[0].untested = "nobody can";
  suite_.list.cases.clear();
  EXPECT_THAT(Breaches(),
              ElementsAre("suites/ring/requirements.toml:9: R-1 is essential and untested"));
}

TEST_F(SuiteCheck, CasesCiteKnownRequirements) {
  suite_.list.cases[0].requirements.push_back("R-2");
  EXPECT_THAT(Breaches(),
              ElementsAre("suites/ring/ring.cc:3: Ring.Denies cites the unknown requirement R-2"));
}

TEST_F(SuiteCheck, RequirementsHaveACaseOrAReasonAndNotBoth) {
  Requirement other;
  other.id = "R-2";
  other.feature = "lists";
  other.line = 12;
  suite_.catalogue.requirements.push_back(other);
  EXPECT_THAT(Breaches(), ElementsAre("suites/ring/requirements.toml:12: R-2 has neither a case "
                                      "nor a reason (untested)"));
  suite_.catalogue.requirements[1].untested = "needs hardware";
  EXPECT_THAT(Breaches(), IsEmpty());
  suite_.list.cases[0].requirements.push_back("R-2");
  EXPECT_THAT(Breaches(), ElementsAre("suites/ring/requirements.toml:12: R-2 is said to be "
                                      "untested, but Ring.Denies cites it"));
}

TEST_F(SuiteCheck, FeaturesAndProbesAreTheSame) {
  suite_.list.features = {"filters"};
  EXPECT_THAT(Breaches(), ElementsAre("ring: a probe of 'filters', which is no [[feature]]",
                                      "ring: the feature 'lists' has no KASSAY_PROBE"));
}

TEST_F(SuiteCheck, ErrataNameCasesThatCite) {
  Erratum erratum;
  erratum.cases = {"Ring.D*"};
  suite_.catalogue.requirements[0].errata = {erratum};
  EXPECT_THAT(Breaches(), IsEmpty());
  suite_.catalogue.requirements[0].errata[0].cases = {"Rong.*"};
  EXPECT_THAT(Breaches(), ElementsAre(HasSubstr("names 'Rong.*'")));
}

TEST_F(SuiteCheck, TaintAndProfilesAreKnown) {
  suite_.list.cases[0].allows_taint = "OEz";
  suite_.list.cases[0].profile = "nowhere";
  EXPECT_THAT(Breaches(), ElementsAre(HasSubstr("unknown taint 'OEz'"), HasSubstr("nowhere")));
}

TEST_F(SuiteCheck, IdsBelongToOneSuite) {
  Suite other = suite_;
  other.catalogue.suite = "other";
  EXPECT_THAT(SharedIds({suite_}), IsEmpty());
  EXPECT_THAT(SharedIds({suite_, other}),
              ElementsAre("R-1 is used by ring and other", "lists is used by ring and other"));
}

}  // namespace
}  // namespace kassay
