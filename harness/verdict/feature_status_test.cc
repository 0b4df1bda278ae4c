#include "harness/verdict/feature_status.h"

#include <gmock/gmock.h>

namespace kassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr KernelVersion kOld{6, 19, 14};
constexpr KernelVersion kNew{7, 0, 13};

Feature TheFeature() {
  Feature feature;
  feature.id = "bpf_filter";
  feature.title = "BPF filters";
  feature.since = "7.0";
  feature.since_version = {7, 0, 0};
  feature.kconfig = {"CONFIG_IO_URING_BPF"};
  return feature;
}

Catalogue TheSuite(std::vector<std::string> kconfig = {}) {
  Catalogue suite;
  suite.suite = "io_uring";
  suite.kconfig = std::move(kconfig);
  return suite;
}

KernelConfig Config(const std::string& text) { return KernelConfig::Parse(text).value(); }
const char* const kOn = "CONFIG_IO_URING_BPF=y\n";
const char* const kOff = "# CONFIG_IO_URING_BPF is not set\n";

FeatureStanding Stands(KernelVersion version, const std::string& config_text,
                       std::optional<bool> present) {
  const KernelConfig config = Config(config_text);
  std::optional<ProbeRecord> probe;
  if (present) probe = ProbeRecord{"bpf_filter", *present, "EFAULT"};
  return StandingOf(TheFeature(), TheSuite(), {version, &config}, probe);
}

TEST(FeatureStanding, IsThereWhenAllAgree) {
  const FeatureStanding standing = Stands(kNew, kOn, true);
  EXPECT_TRUE(standing.cases_run);
  EXPECT_EQ(standing.result.status, FeatureStatus::kUntested);
  EXPECT_EQ(standing.result.probe, "present: EFAULT");
  EXPECT_THAT(standing.notes, IsEmpty());
}

TEST(FeatureStanding, MissingWhenOnlyTheProbeSaysNo) {
  const FeatureStanding standing = Stands(kNew, kOn, false);
  EXPECT_FALSE(standing.cases_run);
  EXPECT_EQ(standing.result.status, FeatureStatus::kMissing);
}

TEST(FeatureStanding, AModuleThatWasNotGivenIsNotMissing) {
  const KernelConfig module = Config("CONFIG_IO_URING_BPF=m\n");
  const ProbeRecord missing{"bpf_filter", false, ""};
  const FeatureStanding without =
      StandingOf(TheFeature(), TheSuite(), {kNew, &module, /*has_modules=*/false}, missing);
  EXPECT_EQ(without.result.status, FeatureStatus::kUntested);
  EXPECT_EQ(without.result.reason, "CONFIG_IO_URING_BPF=m, and no modules were given");
  EXPECT_EQ(without.why_left.verdict, Verdict::kUnmet);
  EXPECT_EQ(StandingOf(TheFeature(), TheSuite(), {kNew, &module}, missing).result.status,
            FeatureStatus::kMissing);
  const KernelConfig built_in = Config(kOn);
  EXPECT_EQ(StandingOf(TheFeature(), TheSuite(), {kNew, &built_in, false}, missing).result.status,
            FeatureStatus::kMissing);
}

TEST(FeatureStanding, DisabledByTheConfig) {
  const FeatureStanding standing = Stands(kNew, kOff, false);
  EXPECT_FALSE(standing.cases_run);
  EXPECT_EQ(standing.result.status, FeatureStatus::kDisabled);
  EXPECT_EQ(standing.result.reason, "CONFIG_IO_URING_BPF is not set");
  EXPECT_EQ(standing.why_left.reason, "bpf_filter: CONFIG_IO_URING_BPF is not set");
}

TEST(FeatureStanding, AProbeAgainstTheConfigIsANoteAndRuns) {
  const FeatureStanding standing = Stands(kNew, kOff, true);
  EXPECT_TRUE(standing.cases_run);
  EXPECT_THAT(standing.notes, ElementsAre(HasSubstr("the probe finds it present")));
}

TEST(FeatureStanding, OlderKernelsAreAbsentOrBackported) {
  EXPECT_EQ(Stands(kOld, kOn, false).result.status, FeatureStatus::kAbsent);
  EXPECT_EQ(Stands(kOld, kOff, false).result.reason, "older kernel");
  EXPECT_EQ(Stands(kOld, kOn, true).result.status, FeatureStatus::kBackported);
  EXPECT_TRUE(Stands(kOld, kOn, true).cases_run);
}

TEST(FeatureStanding, WithoutAConfigTheProbeDecides) {
  EXPECT_TRUE(Stands(kNew, "", true).cases_run);
  const FeatureStanding no = Stands(kNew, "", false);
  EXPECT_EQ(no.result.status, FeatureStatus::kAbsent);
  EXPECT_THAT(no.notes, ElementsAre(HasSubstr("without a config")));
  const KernelConfig none;
  Feature always = TheFeature();
  always.kconfig.clear();
  EXPECT_EQ(StandingOf(always, TheSuite(), {kNew, &none}, ProbeRecord{"bpf_filter", false, ""})
                .result.status,
            FeatureStatus::kMissing);
}

TEST(FeatureStanding, ASilentProbeLeavesItToVersionAndConfig) {
  EXPECT_TRUE(Stands(kNew, kOn, std::nullopt).cases_run);
  EXPECT_EQ(Stands(kNew, kOff, std::nullopt).result.status, FeatureStatus::kDisabled);
  EXPECT_EQ(Stands(kOld, kOn, std::nullopt).result.status, FeatureStatus::kAbsent);
  EXPECT_EQ(Stands(kNew, kOn, std::nullopt).result.probe, "no answer");
}

TEST(FeatureStanding, IsUntestedWhereTheSuiteLacksAnOption) {
  const KernelConfig config = Config(kOn);
  const ProbeRecord present{"bpf_filter", true, ""};
  const FeatureStanding standing =
      StandingOf(TheFeature(), TheSuite({"CONFIG_NET"}), {kNew, &config}, present);
  EXPECT_FALSE(standing.cases_run);
  EXPECT_EQ(standing.why_left.reason, "io_uring: CONFIG_NET is not set");
  EXPECT_EQ(standing.result.status, FeatureStatus::kUntested);
  EXPECT_EQ(standing.result.reason, "CONFIG_NET is not set, and the suite's cases rely on it");
  // What the feature itself lacks says more.
  const KernelConfig off = Config(kOff);
  const ProbeRecord missing{"bpf_filter", false, ""};
  EXPECT_EQ(StandingOf(TheFeature(), TheSuite({"CONFIG_NET"}), {kNew, &off}, missing).result.status,
            FeatureStatus::kDisabled);
  // An unknown configuration stops nothing.
  const KernelConfig none;
  EXPECT_TRUE(StandingOf(TheFeature(), TheSuite({"CONFIG_NET"}), {kNew, &none}, present).cases_run);
}

CaseResult Told(Verdict verdict, std::vector<std::string> requirements = {},
                const std::string& cause = "") {
  CaseResult result;
  result.verdict = verdict;
  result.requirements = std::move(requirements);
  result.cause = cause;
  return result;
}

FeatureResult Concluded(const Catalogue& suite, const std::vector<CaseResult>& cases,
                        KernelVersion version = kNew,
                        FeatureStatus status = FeatureStatus::kUntested) {
  std::vector<const CaseResult*> pointers;
  for (const CaseResult& result : cases) pointers.push_back(&result);
  const KernelConfig config;
  FeatureResult feature;
  feature.feature = "bpf_filter";
  feature.status = status;
  ConcludeFeature(feature, suite, {version, &config}, pointers);
  return feature;
}

FeatureResult Concluded(FeatureStatus status, const std::vector<Verdict>& verdicts) {
  std::vector<CaseResult> cases;
  for (const Verdict verdict : verdicts) cases.push_back(Told(verdict));
  return Concluded(TheSuite(), cases, kNew, status);
}

TEST(Conclusion, FollowsTheCases) {
  constexpr auto kOpen = FeatureStatus::kUntested;
  EXPECT_EQ(Concluded(kOpen, {Verdict::kPass, Verdict::kPass}).status, FeatureStatus::kConformant);
  for (const Verdict bad : {Verdict::kFail, Verdict::kCrash, Verdict::kTimeout}) {
    EXPECT_EQ(Concluded(kOpen, {Verdict::kPass, bad}).status, FeatureStatus::kNonconformant);
  }
  EXPECT_EQ(Concluded(kOpen, {Verdict::kPass, Verdict::kError}).status, FeatureStatus::kUntested);
  EXPECT_EQ(Concluded(kOpen, {Verdict::kPass, Verdict::kUnmet}).reason, "1 of 2 cases unmet");
  EXPECT_EQ(Concluded(kOpen, {Verdict::kUnmet}).status, FeatureStatus::kUntested);
  EXPECT_EQ(Concluded(kOpen, {}).status, FeatureStatus::kUntested);
  EXPECT_EQ(Concluded(FeatureStatus::kBackported, {Verdict::kPass}).status,
            FeatureStatus::kBackported);
  EXPECT_EQ(Concluded(FeatureStatus::kBackported, {Verdict::kFail}).status,
            FeatureStatus::kNonconformant);
  EXPECT_EQ(Concluded(FeatureStatus::kAbsent, {Verdict::kFail}).status, FeatureStatus::kAbsent);
}

// R-1 is essential, R-2 not.
Catalogue WithAnEssential() {
  Catalogue suite = TheSuite();
  suite.features.push_back(TheFeature());
  for (const char* id : {"R-1", "R-2"}) {
    Requirement requirement;
    requirement.id = id;
    requirement.feature = "bpf_filter";
    requirement.essential = id == std::string("R-1");
    suite.requirements.push_back(requirement);
  }
  return suite;
}

TEST(Conclusion, IsNotConformantWithoutWhatIsEssential) {
  const Catalogue suite = WithAnEssential();
  const CaseResult other = Told(Verdict::kPass, {"R-2"});
  EXPECT_EQ(Concluded(suite, {other, Told(Verdict::kPass, {"R-1"})}).status,
            FeatureStatus::kConformant);
  for (const Verdict verdict : {Verdict::kAbsent, Verdict::kUnmet}) {
    const FeatureResult left = Concluded(suite, {other, Told(verdict, {"R-1"})});
    EXPECT_EQ(left.status, FeatureStatus::kUntested);
    EXPECT_THAT(left.reason, HasSubstr("essential and not passed: R-1"));
  }
  EXPECT_EQ(Concluded(suite, {other}).status, FeatureStatus::kUntested);
  // One case that cites it passed, another could not tell.
  EXPECT_EQ(
      Concluded(suite, {Told(Verdict::kPass, {"R-1"}), Told(Verdict::kUnmet, {"R-1"})}).status,
      FeatureStatus::kUntested);
  // What is not essential may be left.
  EXPECT_EQ(
      Concluded(suite, {Told(Verdict::kPass, {"R-1"}), Told(Verdict::kUnmet, {"R-2"})}).status,
      FeatureStatus::kConformant);
}

TEST(Conclusion, AsksNothingEssentialThatIsNotInForce) {
  Catalogue suite = WithAnEssential();
  suite.requirements[0].since = KernelVersion{7, 1, 0};
  const CaseResult other = Told(Verdict::kPass, {"R-2"});
  EXPECT_EQ(Concluded(suite, {other}, {7, 0, 13}).status, FeatureStatus::kConformant);
  EXPECT_EQ(Concluded(suite, {other}, {7, 1, 0}).status, FeatureStatus::kUntested);
}

TEST(Conclusion, CountsWhatWantsATrustedKey) {
  const Catalogue suite = WithAnEssential();
  const CaseResult wanting = Told(Verdict::kUnmet, {"R-2"}, "trust");
  const FeatureResult one = Concluded(suite, {Told(Verdict::kPass, {"R-1"}), wanting, wanting});
  EXPECT_EQ(one.status, FeatureStatus::kConformant);
  EXPECT_EQ(one.reason, "1 requirement untested for want of a trusted key");
  // Told by another case, or essential.
  EXPECT_EQ(Concluded(suite, {Told(Verdict::kPass, {"R-1", "R-2"}), wanting}).reason, "");
  EXPECT_EQ(
      Concluded(suite, {Told(Verdict::kUnmet, {"R-1"}, "trust"), Told(Verdict::kPass)}).status,
      FeatureStatus::kUntested);
}

class CaseGate : public ::testing::Test {
 protected:
  CaseGate() {
    catalogue_ = TheSuite();
    catalogue_.features = {TheFeature()};
    for (const char* id : {"R-1", "R-2"}) {
      Requirement requirement;
      requirement.id = id;
      requirement.feature = "bpf_filter";
      catalogue_.requirements.push_back(requirement);
    }
    listed_.name = "Ring.Denies";
    listed_.requirements = {"R-1", "R-2"};
  }

  std::string Why(KernelVersion version, const std::string& config_text, bool present) {
    const KernelConfig config = Config(config_text);
    const KernelFacts kernel{version, &config};
    Standings standings;
    standings["bpf_filter"] = StandingOf(catalogue_.features[0], catalogue_, kernel,
                                         ProbeRecord{"bpf_filter", present, ""});
    return WhyCaseDoesNotRun(listed_, catalogue_, standings, kernel).reason;
  }

  Catalogue catalogue_;
  ListedCase listed_;
};

TEST_F(CaseGate, FollowsTheFeatureUnlessItDetects) {
  EXPECT_EQ(Why(kNew, kOn, true), "");
  EXPECT_EQ(Why(kOld, kOn, false), "bpf_filter: older kernel");
  EXPECT_EQ(Why(kOld, kOn, true), "");
  listed_.detection = true;
  EXPECT_EQ(Why(kOld, kOn, false), "");
}

TEST_F(CaseGate, OneRequirementInForceIsEnough) {
  catalogue_.requirements[0].until = KernelVersion{7, 0, 0};
  EXPECT_EQ(Why(kNew, kOn, true), "");
  catalogue_.requirements[1].since = KernelVersion{7, 2, 0};
  EXPECT_EQ(Why(kNew, kOn, true), "R-1: promised only before 7.0");
  EXPECT_EQ(Why({7, 2, 0}, kOn, true), "");
  listed_.requirements = {"R-2"};
  EXPECT_EQ(Why(kNew, kOn, true), "R-2: promised since 7.2");
}

TEST_F(CaseGate, ARepeatedSinceDoesNotStopABackport) {
  for (Requirement& requirement : catalogue_.requirements)
    requirement.since = KernelVersion{7, 0, 0};
  EXPECT_EQ(Why(kOld, kOn, true), "");
}

TEST_F(CaseGate, EveryRequirementsOptionsMustBeThere) {
  catalogue_.requirements[1].kconfig = {"CONFIG_X"};
  EXPECT_EQ(Why(kNew, kOn, true), "R-2: CONFIG_X is not set");
  EXPECT_EQ(Why(kNew, "CONFIG_IO_URING_BPF=y\nCONFIG_X=m\n", true), "");
  listed_.requirements = {"R-1"};
  EXPECT_EQ(Why(kNew, kOn, true), "");
}

TEST_F(CaseGate, TheSuitesOptionsStopEveryCase) {
  catalogue_.kconfig = {"CONFIG_X"};
  EXPECT_EQ(Why(kNew, kOn, true), "io_uring: CONFIG_X is not set");
  listed_.detection = true;
  EXPECT_EQ(Why(kNew, kOn, true), "io_uring: CONFIG_X is not set");
  EXPECT_EQ(Why(kNew, "CONFIG_X=y\n", true), "");
}

TEST_F(CaseGate, WhatAFeaturesCasesNeedStopsThemButNotDetection) {
  catalogue_.features[0].needs = {"CONFIG_X"};
  EXPECT_EQ(Why(kNew, kOn, true), "bpf_filter: CONFIG_X is not set");
  EXPECT_EQ(Why(kNew, "CONFIG_IO_URING_BPF=y\nCONFIG_X=m\n", true), "");
  listed_.detection = true;
  EXPECT_EQ(Why(kNew, kOn, true), "");
}

TEST_F(CaseGate, AnUnknownConfigurationStopsNothing) {
  catalogue_.kconfig = {"CONFIG_X"};
  catalogue_.features[0].needs = {"CONFIG_Y"};
  catalogue_.requirements[0].kconfig = {"CONFIG_Z"};
  EXPECT_EQ(Why(kNew, "", true), "");
}

TEST_F(CaseGate, AFailureNamesTheOptionsThatNobodyCouldCheck) {
  catalogue_.kconfig = {"CONFIG_X"};
  catalogue_.features[0].needs = {"CONFIG_Y"};
  catalogue_.requirements[0].kconfig = {"CONFIG_Z"};
  const KernelConfig none;
  const auto explained = [&](Verdict verdict, const KernelConfig& config) {
    CaseResult result = Told(verdict);
    result.requirements = {"R-1"};
    result.reason = "why";
    Explain(result, catalogue_, {kNew, &config});
    return result.reason;
  };
  EXPECT_EQ(explained(Verdict::kFail, none),
            "why (no configuration of this kernel is known; not checked: CONFIG_Z, "
            "CONFIG_IO_URING_BPF, CONFIG_Y, CONFIG_X)");
  EXPECT_EQ(explained(Verdict::kFail, Config(kOn)), "why");
  EXPECT_EQ(explained(Verdict::kUnmet, none), "why");
}

}  // namespace
}  // namespace kassay
