#include "harness/kernel/config_text.h"

#include <gmock/gmock.h>

#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

using ::testing::HasSubstr;
using testing::ScratchFolder;
using testing::Write;
using testing::Xz;

const std::string kText =
    "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 7.0.13 Kernel Configuration\n#\n"
    "CONFIG_A=y\n";

TEST(ConfigText, IsReadPlainAndCompressed) {
  const ScratchFolder folder;
  Write(folder / "config", kText);
  Write(folder / "config.xz", Xz(kText));
  Write(folder / "config.gz", testing::Gzip(kText));
  Write(folder / "empty", "");
  for (const char* name : {"config", "config.xz", "config.gz"})
    EXPECT_EQ(ReadConfigText(folder / name).value(), kText) << name;
  EXPECT_EQ(ReadConfigText(folder / "empty").value(), "");
  Write(folder / "cut.gz", testing::Gzip(kText).substr(0, 40));
  EXPECT_THAT(ReadConfigText(folder / "cut.gz").error().message, HasSubstr("cut.gz"));
  Write(folder / "bomb.xz", Xz(std::string(size_t{17} << 20, 'x')));
  EXPECT_THAT(ReadConfigText(folder / "bomb.xz").error().message, HasSubstr("16 MiB"));
}

TEST(ConfigText, IsFoundWithinAKernel) {
  const std::string gzip = testing::Gzip(kText);
  EXPECT_EQ(ConfigWithin("ELF..IKCFG_ST" + gzip + "IKCFG_ED.."), kText);
  // What only looks for the words does not hold them.
  EXPECT_EQ(ConfigWithin("IKCFG_ST and IKCFG_ED; IKCFG_ST" + gzip + "IKCFG_ED"), kText);
  EXPECT_EQ(ConfigWithin("ELF..IKCFG_ST" + gzip), "");
  EXPECT_EQ(ConfigWithin("ELF..IKCFG_ST\x1f\x8b\x08garbageIKCFG_ED"), "");
  EXPECT_EQ(ConfigWithin(""), "");
}

TEST(ConfigText, OfAnotherVersionIsWrongUsage) {
  const auto version = [](std::string_view release, std::string_view text) {
    return VersionWithConfig(release, text).value_or(KernelVersion{});
  };
  EXPECT_EQ(version("7.0.13-test", kText), (KernelVersion{7, 0, 13}));
  const auto other = VersionWithConfig("7.0.12", kText);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(other.error().message, HasSubstr("configuration of 7.0.13, the image is 7.0.12"));
  // Of a development release, and of a text that does not say.
  const std::string development =
      "#\n#\n# Linux/x86 7.1.0-rc3 Kernel Configuration\n#\nCONFIG_A=y\n";
  EXPECT_EQ(version("7.1.0-rc3", development), (KernelVersion{7, 1, 0}));
  EXPECT_EQ(version("7.1.2", "CONFIG_A=y\n"), (KernelVersion{7, 1, 2}));
  EXPECT_EQ(version("7.1.2", ""), (KernelVersion{7, 1, 2}));
}

TEST(ConfigText, KnowsTheVersionBehindAReleaseThatEndsInAnAbi) {
  const auto known = VersionWithConfig("7.0.0-57-amd64", kText);
  ASSERT_TRUE(known) << known.error().message;
  EXPECT_EQ(*known, (KernelVersion{7, 0, 13}));
  // Another series, a release of its own, a name behind a version.
  for (const char* release : {"6.1.0-57-amd64", "7.0.12-57-amd64", "7.0.0", "7.0.0-rc3", "7.0.0-"})
    EXPECT_FALSE(VersionWithConfig(release, kText)) << release;
}

}  // namespace
}  // namespace kassay
