#include "harness/profile/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/file.h"

namespace kassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ErrorOf(std::string_view toml) {
  const auto profile = ParseProfile(toml, "p", "p.toml");
  return profile ? "" : profile.error().message;
}

TEST(Profile, ReadsEveryKey) {
  const auto profile = ParseProfile(R"(
description = "d"
memory_mib = 768
cpus = 1
cpu = "EPYC-v3,+svm,-avx2"
command_line = ["audit=1", "lsm=landlock"]
modules = ["overlay"]
image_modules = ["dm-verity"]
files = ["keys/a.pem"]
disk_mib = 64
boot = "bzimage"
)",
                                    "p", "p.toml");
  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_EQ(profile->name, "p");
  EXPECT_EQ(profile->description, "d");
  EXPECT_EQ(profile->memory_mib, 768);
  EXPECT_EQ(profile->cpus, 1);
  EXPECT_EQ(profile->cpu, "EPYC-v3,+svm,-avx2");
  EXPECT_THAT(profile->command_line, ElementsAre("audit=1", "lsm=landlock"));
  EXPECT_THAT(profile->modules, ElementsAre("overlay"));
  EXPECT_THAT(profile->image_modules, ElementsAre("dm-verity"));
  EXPECT_THAT(profile->files, ElementsAre("keys/a.pem"));
  EXPECT_EQ(profile->disk_mib, 64);
  EXPECT_EQ(profile->boot, "bzimage");
  const ProfileChanges changes{
      {"audit=1", "lsm=landlock"}, {"overlay", "dm-verity"}, {"keys/a.pem"}, {}};
  EXPECT_EQ(ChangesOf(*profile), changes);
}

TEST(Profile, FirmwareBringsTheVendorsBootAndItsKeys) {
  const auto profile = ParseProfile(R"(
firmware = "uefi-secure-boot"
enroll = ["certificates/a.der"]
)",
                                    "p", "p.toml");
  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_EQ(profile->firmware, "uefi-secure-boot");
  EXPECT_EQ(profile->boot, "bzimage");
  EXPECT_THAT(ChangesOf(*profile).enroll, ElementsAre("certificates/a.der"));
  EXPECT_THAT(ErrorOf("firmware = \"bios\""), HasSubstr("none of \"uefi\", \"uefi-secure-boot\""));
  EXPECT_THAT(ErrorOf("firmware = \"uefi\""), HasSubstr("needs a certificate to enroll"));
  EXPECT_THAT(ErrorOf("enroll = [\"a\"]"), HasSubstr("needs a firmware to be enrolled in"));
  EXPECT_THAT(ErrorOf("firmware = \"uefi\"\nenroll = [\"../a\"]"),
              HasSubstr("'enroll' leads out of fixtures/"));
  EXPECT_THAT(ErrorOf("firmware = \"uefi\"\nenroll = [\"a\"]\nboot = \"direct\""),
              HasSubstr("p.toml:3: 'boot' is \"direct\", which goes past the firmware"));
}

TEST(Profile, AnEmptyFileIsTheDefaults) {
  const auto profile = ParseProfile("", "p", "p.toml");
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->memory_mib, 512);
  EXPECT_EQ(profile->cpu, "max");
  EXPECT_EQ(profile->boot, "direct");
}

TEST(Profile, AnUnknownKeyIsNamedWithFileAndLine) {
  EXPECT_THAT(ErrorOf("cpus = 2\nmemory = 3\n"), HasSubstr("p.toml:2: unknown key 'memory'"));
}

TEST(Profile, AWrongTypeIsNamedWithFileAndLine) {
  EXPECT_THAT(ErrorOf("\n\ncpus = \"2\"\n"), HasSubstr("p.toml:3: 'cpus' is not a number"));
  EXPECT_THAT(ErrorOf("modules = \"a\""),
              HasSubstr("p.toml:1: 'modules' is not a list of strings"));
  EXPECT_THAT(ErrorOf("modules = [1]"), HasSubstr("'modules' is not a list of strings"));
}

TEST(Profile, RangesAreKept) {
  EXPECT_EQ(ErrorOf("memory_mib = 128"), "");
  EXPECT_THAT(ErrorOf("memory_mib = 127"), HasSubstr("128"));
  EXPECT_THAT(ErrorOf("cpus = 0"), HasSubstr("from 1 to 64"));
  EXPECT_THAT(ErrorOf("boot = \"grub\""), HasSubstr("none of \"direct\", \"bzimage\""));
}

TEST(Profile, ACpuModelIsOneWord) {
  for (const char* good : {"max", "host", "qemu64", "486", "max,+svm", "EPYC,vendor=AuthenticAMD"})
    EXPECT_EQ(WhyNotCpuModel(good), "") << good;
  for (const char* bad :
       {"", " ", "max ", "max\t", "max\n-drive", "-cpu", ",max", "?", "help", "m\xc3\xa4x"})
    EXPECT_NE(WhyNotCpuModel(bad), "") << bad;
  EXPECT_NE(WhyNotCpuModel(std::string(513, 'a')), "");
  EXPECT_THAT(ErrorOf("cpus = 1\ncpu = \"\""), HasSubstr("p.toml:2: 'cpu' is empty"));
  EXPECT_THAT(ErrorOf("cpu = \"max, +svm\""), HasSubstr("p.toml:1: 'cpu' holds more than"));
  EXPECT_THAT(ErrorOf("cpu = 486"), HasSubstr("'cpu' is not a string"));
}

TEST(Profile, FixturesStayBelowTheirFolder) {
  EXPECT_THAT(ErrorOf("files = [\"../secret\"]"), HasSubstr("leads out of fixtures/"));
  EXPECT_THAT(ErrorOf("files = [\"/etc/passwd\"]"), HasSubstr("leads out of fixtures/"));
}

TEST(Profile, BadTomlIsNamedWithFileAndLine) {
  EXPECT_THAT(ErrorOf("cpus = 1\ncpus ="), HasSubstr("p.toml:2: "));
}

TEST(Profile, AnUnknownNameListsTheKnownOnes) {
  const std::filesystem::path dir = std::filesystem::path(::testing::TempDir()) / "profiles";
  ASSERT_TRUE(WriteFileAtomically(dir / "stock.toml", "cpus = 2\n"));
  EXPECT_TRUE(LoadProfile(dir, "stock"));
  const auto unknown = LoadProfile(dir, "stok");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(unknown.error().message, HasSubstr("stock"));
  EXPECT_FALSE(LoadProfile(dir, "../profiles/stock"));
}

}  // namespace
}  // namespace kassay
