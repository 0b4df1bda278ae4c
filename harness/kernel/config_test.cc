#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/kernel/kernel.h"

namespace kassay {
namespace {

using ::testing::HasSubstr;

KernelConfig Parsed(std::string_view text) {
  auto config = KernelConfig::Parse(text);
  EXPECT_TRUE(config) << config.error().message;
  return config ? *config : KernelConfig();
}

TEST(KernelConfig, ReadsEveryKindOfValue) {
  const KernelConfig config = Parsed(
      "#\n# Automatically generated file; DO NOT EDIT.\n#\n\n"
      "CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_D=250\nCONFIG_E=0xffffffff\n"
      "CONFIG_F=-1\nCONFIG_G=\"a \\\"b\\\" \\\\c\"\nCONFIG_H=\"\"\nCONFIG_I=n\n");
  EXPECT_EQ(config.Value("CONFIG_A"), "y");
  EXPECT_EQ(config.Value("CONFIG_B"), "m");
  EXPECT_EQ(config.Value("CONFIG_C"), "n");
  EXPECT_EQ(config.Value("CONFIG_D"), "250");
  EXPECT_EQ(config.Value("CONFIG_E"), "0xffffffff");
  EXPECT_EQ(config.Value("CONFIG_F"), "-1");
  EXPECT_EQ(config.Value("CONFIG_G"), "a \"b\" \\c");
  EXPECT_EQ(config.Value("CONFIG_H"), "");
  EXPECT_FALSE(config.IsSet("CONFIG_I"));
  EXPECT_TRUE(config.IsSet("CONFIG_B"));
  EXPECT_EQ(config.values().size(), 9U);
}

TEST(KernelConfig, TellsNotSetFromNotMentioned) {
  const KernelConfig config = Parsed("# CONFIG_CRYPTO_MLDSA is not set\n");
  EXPECT_TRUE(config.Mentions("CONFIG_CRYPTO_MLDSA"));
  EXPECT_FALSE(config.IsSet("CONFIG_CRYPTO_MLDSA"));
  EXPECT_FALSE(config.Mentions("CONFIG_CRYPTO"));
  EXPECT_EQ(config.Value("CONFIG_CRYPTO"), "n");
  EXPECT_FALSE(config.Empty());
  EXPECT_TRUE(KernelConfig().Empty());
}

TEST(KernelConfig, ASymbolIsNoPrefixOfAnother) {
  const KernelConfig config = Parsed("CONFIG_BPF_SYSCALL=y\n");
  EXPECT_FALSE(config.IsSet("CONFIG_BPF"));
  EXPECT_FALSE(config.IsSet("BPF_SYSCALL"));
}

TEST(KernelConfig, TheLastWordOnASymbolCounts) {
  EXPECT_EQ(Parsed("CONFIG_A=y\n# CONFIG_A is not set\n").Value("CONFIG_A"), "n");
}

TEST(KernelConfig, NeedsNoNewlineAtTheEnd) {
  EXPECT_EQ(Parsed("CONFIG_A=y").Value("CONFIG_A"), "y");
}

TEST(KernelConfig, RefusesWhatIsNoConfigWithTheLine) {
  for (const char* bad : {"CONFIG_A", "A=y", "CONFIG_=y", "CONFIG_A-B=y", "CONFIG_A=",
                          "CONFIG_A=y z", "CONFIG_A=\"open", "CONFIG_A=\"x\"y", "CONFIG_A=\"x\\",
                          "\x7f"
                          "ELF"}) {
    const auto config = KernelConfig::Parse(std::string("CONFIG_OK=y\n") + bad + "\n");
    ASSERT_FALSE(config) << bad;
    EXPECT_THAT(config.error().message, HasSubstr("line 2")) << bad;
  }
}

TEST(KernelVersion, IsReadFromReleases) {
  const auto version = [](std::string_view release) { return *ParseKernelVersion(release); };
  EXPECT_EQ(version("7.0.13+deb13-cloud-amd64"), (KernelVersion{7, 0, 13}));
  EXPECT_EQ(version("7.0-rc3"), (KernelVersion{7, 0, 0}));
  EXPECT_EQ(version("7.0.0-rc3-00012-gabcdef"), (KernelVersion{7, 0, 0}));
  EXPECT_EQ(version("7"), (KernelVersion{7, 0, 0}));
  EXPECT_EQ(version("6.12.117.1"), (KernelVersion{6, 12, 117}));
}

TEST(KernelVersion, ComparesByNumber) {
  EXPECT_LT(*ParseKernelVersion("7.0.4"), *ParseKernelVersion("7.0.13"));
  EXPECT_LT(*ParseKernelVersion("6.19.14"), *ParseKernelVersion("7.0"));
}

TEST(KernelVersion, RefusesWhatIsNone) {
  for (const char* bad : {"", "v7.0", ".7", "7..1", "7.x", "7.0.", "-7.0", "99999999999.0"}) {
    EXPECT_FALSE(ParseKernelVersion(bad)) << bad;
  }
}

}  // namespace
}  // namespace kassay
