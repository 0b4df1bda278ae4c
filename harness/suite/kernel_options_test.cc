#include "harness/suite/kernel_options.h"

#include <gtest/gtest.h>

namespace kassay {
namespace {

Catalogue Of(const std::string& toml) {
  const auto catalogue = ParseCatalogue(toml, "requirements.toml");
  EXPECT_TRUE(catalogue) << catalogue.error().message;
  return catalogue ? *catalogue : Catalogue();
}

std::string TextOf(const Result<std::string>& text) { return text ? *text : text.error().message; }

constexpr const char* kRings = R"(
[suite]
name = "rings"
title = "Rings"
profile = "stock"
kconfig = ["CONFIG_NET"]
[[feature]]
id = "ring"
title = "Rings"
kconfig = ["CONFIG_RING", "CONFIG_SIZE=12"]
needs = ["CONFIG_ROOM"]
[[requirement]]
id = "RNG-1"
text = "Is round."
source = "ring.c"
feature = "ring"
kconfig = ["CONFIG_RING", "!CONFIG_SLOW", "CONFIG_HASH=sha512"]
)";
constexpr const char* kSlow = R"(
[suite]
name = "slow"
title = "Slowness"
profile = "stock"
kconfig = ["CONFIG_SLOW"]
)";

TEST(KernelOptions, NamesEachOptionOnceUnderWhoNamesItFirst) {
  EXPECT_EQ(TextOf(OptionsFragment({Of(kRings)})),
            "# rings\nCONFIG_NET=y\n"
            "# rings: ring\nCONFIG_RING=y\nCONFIG_SIZE=12\nCONFIG_ROOM=y\n"
            "# rings: RNG-1\n# CONFIG_SLOW is not set\nCONFIG_HASH=\"sha512\"\n");
}

TEST(KernelOptions, TwoThatContradictEachOtherAreAnErrorThatNamesBoth) {
  EXPECT_EQ(TextOf(OptionsFragment({Of(kRings), Of(kSlow)})),
            "slow slow asks for CONFIG_SLOW, rings RNG-1 for !CONFIG_SLOW");
}

TEST(KernelOptions, TheMinimalKernelGetsNothingThatOnlyARequirementNames) {
  EXPECT_EQ(TextOf(FeaturesFragment({Of(kRings), Of(kSlow)})),
            "# rings\nCONFIG_NET=y\n"
            "# rings: ring\nCONFIG_RING=y\nCONFIG_SIZE=12\nCONFIG_ROOM=y\n"
            "# slow\nCONFIG_SLOW=y\n");
}

}  // namespace
}  // namespace kassay
