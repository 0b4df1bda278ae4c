#include "harness/suite/catalogue.h"

#include <gmock/gmock.h>

namespace kassay {
namespace {

using ::testing::HasSubstr;

constexpr const char* kGood = R"([suite]
name = "io_uring"
title = "io_uring restrictions"
profile = "stock"
kconfig = ["CONFIG_NET"]

[[feature]]
id = "task_restrictions"
title = "Restrictions of a task"
since = "7.0"
kconfig = ["CONFIG_IO_URING"]
needs = ["CONFIG_INET"]

[[requirement]]
id = "IOU-051"
text = "execve keeps a task's restrictions."
source = "io_uring/cancel.c:io_uring_cancel_generic"
feature = "task_restrictions"
until = "7.3"

[[requirement.errata]]
affects = ">=7.0 <7.1.8 || 7.2"
fixed = "7.1.8"
text = "Lost over execve."
source = "changelog of 7.1.8"
cases = ["Exec.*"]
)";

// The good catalogue with one text put in place of another.
Result<Catalogue> With(const std::string& old_text, const std::string& new_text) {
  std::string toml = kGood;
  toml.replace(toml.find(old_text), old_text.size(), new_text);
  return ParseCatalogue(toml, "requirements.toml");
}

TEST(Catalogue, IsReadWhole) {
  const auto catalogue = ParseCatalogue(kGood, "requirements.toml");
  ASSERT_TRUE(catalogue) << catalogue.error().message;
  EXPECT_EQ(catalogue->suite, "io_uring");
  EXPECT_EQ(catalogue->profile, "stock");
  const Feature* feature = catalogue->FindFeature("task_restrictions");
  ASSERT_NE(feature, nullptr);
  EXPECT_EQ(feature->since_version, (KernelVersion{7, 0, 0}));
  EXPECT_EQ(catalogue->kconfig, std::vector<std::string>{"CONFIG_NET"});
  EXPECT_EQ(feature->kconfig, std::vector<std::string>{"CONFIG_IO_URING"});
  EXPECT_EQ(feature->needs, std::vector<std::string>{"CONFIG_INET"});
  const Requirement* requirement = catalogue->FindRequirement("IOU-051");
  ASSERT_NE(requirement, nullptr);
  EXPECT_EQ(requirement->until, (KernelVersion{7, 3, 0}));
  EXPECT_FALSE(requirement->since);
  ASSERT_EQ(requirement->errata.size(), 1U);
  EXPECT_TRUE(requirement->errata[0].affected.Matches({7, 0, 13}));
  EXPECT_FALSE(requirement->errata[0].affected.Matches({7, 1, 8}));
  EXPECT_EQ(requirement->errata[0].cases, std::vector<std::string>{"Exec.*"});
  EXPECT_EQ(catalogue->FindRequirement("IOU-052"), nullptr);
}

TEST(Catalogue, ErrorsNameFileLineAndEntry) {
  EXPECT_EQ(With("until = \"7.3\"", "untill = \"7.3\"").error().message,
            "requirements.toml:19: requirement IOU-051: unknown key 'untill'; known are errata, "
            "essential, feature, id, "
            "kconfig, since, source, text, untested, until");
  EXPECT_EQ(With("until = \"7.3\"", "until = \"seven\"").error().message,
            "requirements.toml:19: requirement IOU-051: 'until' is no version: 'seven' is not a "
            "kernel version "
            "like 7.0 or 7.0.13");
  EXPECT_THAT(With("affects = \">=7.0", "affects = \"~7.0").error().message,
              HasSubstr("requirements.toml:21: errata of IOU-051: affects: '~7.0'"));
  EXPECT_THAT(With("name = \"io_uring\"", "name = ").error().message,
              HasSubstr("requirements.toml:2: "));
}

TEST(Catalogue, WhatIsMissingOrWrongIsRefused) {
  EXPECT_THAT(With("text = \"execve keeps a task's restrictions.\"", "").error().message,
              HasSubstr("'text' is missing"));
  EXPECT_THAT(With("text = \"execve keeps a task's restrictions.\"", "text = \"\"").error().message,
              HasSubstr("'text' is empty"));
  EXPECT_THAT(With("feature = \"task", "feature = \"ring").error().message,
              HasSubstr("no [[feature]] has the id 'ring_restrictions'"));
  EXPECT_THAT(With("id = \"IOU-051\"", "id = \"IOU 051\"").error().message,
              HasSubstr("not a plain name"));
  EXPECT_THAT(With("[\"CONFIG_IO_URING\"]", "[\"IO_URING\"]").error().message,
              HasSubstr("'kconfig' has 'IO_URING', not CONFIG_X"));
  EXPECT_THAT(With("[\"CONFIG_NET\"]", "[\"NET\"]").error().message,
              HasSubstr("suite: 'kconfig' has 'NET', not CONFIG_X"));
  EXPECT_THAT(With("[\"CONFIG_INET\"]", "[\"INET\"]").error().message,
              HasSubstr("'needs' has 'INET', not CONFIG_X"));
  EXPECT_THAT(With("[\"CONFIG_IO_URING\"]", "[7]").error().message,
              HasSubstr("not a list of strings"));
  EXPECT_THAT(With("[suite]", "[suit]").error().message, HasSubstr("unknown key 'suit'"));
  EXPECT_THAT(With("[[feature]]", "[feature]").error().message, HasSubstr("[[feature]]"));
  const std::string twice =
      std::string(kGood) + "[[feature]]\nid = \"task_restrictions\"\ntitle = \"again\"\n";
  EXPECT_THAT(ParseCatalogue(twice, "r.toml").error().message, HasSubstr("used twice"));
}

TEST(Catalogue, ASuiteOnTheHostNeedsNoProfile) {
  const auto catalogue = With("profile = \"stock\"", "runs_on = \"host\"");
  ASSERT_TRUE(catalogue) << catalogue.error().message;
  EXPECT_TRUE(catalogue->runs_on_host);
  EXPECT_FALSE(With("profile = \"stock\"", ""));
  EXPECT_FALSE(With("profile = \"stock\"", "profile = \"stock\"\nruns_on = \"moon\""));
}

TEST(Catalogue, MissingFeatureSinceMeansAlways) {
  const auto catalogue = With("since = \"7.0\"", "");
  ASSERT_TRUE(catalogue) << catalogue.error().message;
  EXPECT_EQ(catalogue->features[0].since_version, KernelVersion{});
}

TEST(Kconfig, TermsSayWhyTheyFail) {
  const auto config = KernelConfig::Parse("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_HASH=\"x\"\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(WhyKconfigFails("CONFIG_A", *config), "");
  EXPECT_EQ(WhyKconfigFails("CONFIG_B", *config), "CONFIG_B is not set");
  EXPECT_EQ(WhyKconfigFails("!CONFIG_B", *config), "");
  EXPECT_EQ(WhyKconfigFails("!CONFIG_A", *config), "CONFIG_A is set");
  EXPECT_EQ(WhyKconfigFails("CONFIG_HASH=x", *config), "");
  EXPECT_EQ(WhyKconfigFails("CONFIG_A=m", *config), "CONFIG_A is y, not m");
  EXPECT_EQ(WhyKconfigFails(std::vector<std::string>{"CONFIG_A", "CONFIG_B", "CONFIG_C"}, *config),
            "CONFIG_B is not set");
}

TEST(VersionCondition, KnowsItsOperatorsAndBoundaries) {
  const auto matches = [](const char* condition, KernelVersion version) {
    const auto parsed = VersionCondition::Parse(condition);
    EXPECT_TRUE(parsed) << condition;
    return parsed && parsed->Matches(version);
  };
  EXPECT_TRUE(matches("<7.1.8", {7, 1, 7}));
  EXPECT_FALSE(matches("<7.1.8", {7, 1, 8}));
  EXPECT_TRUE(matches("<=7.1.8", {7, 1, 8}));
  EXPECT_TRUE(matches(">=7.0", {7, 0, 0}));
  EXPECT_FALSE(matches(">7.0", {7, 0, 0}));
  EXPECT_TRUE(matches("7.0.4", {7, 0, 4}));
  EXPECT_FALSE(matches("!=7.0.4", {7, 0, 4}));
  EXPECT_FALSE(matches(">=7.0 <7.1.8", {7, 2, 0}));
  EXPECT_TRUE(matches(">=7.0 <7.1.8 || >=7.2 <7.2.3", {7, 2, 2}));
  EXPECT_FALSE(matches(">=7.0 <7.1.8 || >=7.2 <7.2.3", {7, 1, 9}));
  EXPECT_FALSE(VersionCondition().Matches({7, 0, 0}));
}

TEST(VersionCondition, RefusesWhatItDoesNotUnderstand) {
  for (const char* bad : {"", "  ", "||", ">=", "<7.x", "7.0 ||", "|| 7.0", "7.0.1.2", "7.", "-7",
                          "7.0-rc1", "99999999999", "<7.1.8,"}) {
    EXPECT_FALSE(VersionCondition::Parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace kassay
