#include "harness/kernel/suite_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/file.h"
#include "harness/kernel/build_config.h"
#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class SuiteConfig : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(scratch_.Path() / path, text));
  }
  void WriteSuite(const std::string& name, const std::string& text) {
    Write("suites/" + name + "/requirements.toml", text);
  }
  [[nodiscard]] fs::path Suites() const { return scratch_.Path() / "suites"; }
  std::string Fragment(const std::vector<std::string>& names = {}) {
    const auto options = OptionsOfSuites(Suites(), names);
    if (!options) return options.error().message;
    const auto text = AsFragment(*options);
    return text ? *text : text.error().message;
  }
  testing::ScratchFolder scratch_;
};

constexpr const char* kRings = R"(
[suite]
name = "rings"
kconfig = ["CONFIG_NET"]
[[feature]]
id = "ring"
kconfig = ["CONFIG_RING", "CONFIG_SIZE=12"]
[[requirement]]
id = "RNG-1"
kconfig = ["CONFIG_RING", "!CONFIG_SLOW", "CONFIG_HASH=sha512"]
)";

TEST_F(SuiteConfig, NamesEachOptionOnceUnderWhoNamesItFirst) {
  WriteSuite("rings", kRings);
  EXPECT_EQ(Fragment(),
            "# rings\nCONFIG_NET=y\n"
            "# rings: ring\nCONFIG_RING=y\nCONFIG_SIZE=12\n"
            "# rings: RNG-1\n# CONFIG_SLOW is not set\nCONFIG_HASH=\"sha512\"\n");
}

TEST_F(SuiteConfig, TakesOnlyTheSuitesThatAreAskedFor) {
  WriteSuite("rings", kRings);
  WriteSuite("mounts", "[suite]\nkconfig = [\"CONFIG_TMPFS\"]\n");
  EXPECT_EQ(Fragment({"mounts"}), "# mounts\nCONFIG_TMPFS=y\n");
  EXPECT_THAT(Fragment({"nothing"}), HasSubstr("no suite 'nothing'"));
  EXPECT_THAT(Fragment({"../suites/mounts"}), HasSubstr("no suite"));
}

TEST_F(SuiteConfig, TwoThatContradictEachOtherAreAnErrorThatNamesBoth) {
  WriteSuite("rings", kRings);
  WriteSuite("slow", "[suite]\nkconfig = [\"CONFIG_SLOW\"]\n");
  EXPECT_EQ(Fragment(), "slow slow asks for CONFIG_SLOW, rings RNG-1 for !CONFIG_SLOW");
}

TEST_F(SuiteConfig, ADamagedCatalogueSaysWhere) {
  WriteSuite("rings", "[suite\n");
  EXPECT_THAT(Fragment(), HasSubstr("requirements.toml:1"));
}

TEST_F(SuiteConfig, TheMinimalKernelHasWhatSuitesAndFeaturesNameAndNoMore) {
  WriteSuite("rings", kRings);
  Write("kconfig/10-base.config", "CONFIG_PCI=y\n");
  Write("kconfig/20-more.config", "CONFIG_MORE=y\n");
  Write("kconfig/minimal/10-choices.config", "# CONFIG_SIZE is not set\n");
  const auto minimal = MinimalFragments(scratch_.Path() / "kconfig", Suites());
  ASSERT_TRUE(minimal) << minimal.error().message;
  for (const char* line : {"CONFIG_PCI=y", "CONFIG_NET=y", "CONFIG_RING=y", "# CONFIG_SIZE is not"})
    EXPECT_THAT(minimal->text, HasSubstr(line));
  for (const char* line : {"CONFIG_MORE", "CONFIG_HASH", "CONFIG_SLOW", "CONFIG_SIZE=12"})
    EXPECT_THAT(minimal->text, Not(HasSubstr(line)));
}

}  // namespace
}  // namespace kassay
