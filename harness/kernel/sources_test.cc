#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/kernel/apt_sources.h"
#include "harness/kernel/store.h"
#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ScratchFolder;
using testing::Write;

TEST(AptSources, OfOneLineStyleAreRead) {
  const auto sources = ParseOneLineSources(
      "# deb http://commented.example/debian bookworm main\n"
      "deb http://a.example/debian bookworm main contrib # tail\n"
      "deb-src http://source.example/debian bookworm main\n"
      "  deb [ arch=amd64 signed-by=/k.gpg ] https://b.example/debian sid main\n"
      "deb [arch=amd64] http://c.example/debian/ sid main\n"
      "deb http://short.example\n"
      "deb [open http://x.example/debian sid main\n");
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_EQ(sources[0].uri, "http://a.example/debian");
  EXPECT_EQ(sources[0].suite, "bookworm");
  EXPECT_THAT(sources[0].components, ElementsAre("main", "contrib"));
  EXPECT_EQ(sources[1].uri, "https://b.example/debian");
  EXPECT_EQ(sources[2].uri, "http://c.example/debian/");
}

TEST(AptSources, OfDeb822StyleAreRead) {
  const auto sources = ParseDeb822Sources(
      "# comment\nTypes: deb deb-src\nURIs: http://a.example/debian\n http://b.example/debian\n"
      "Suites: bookworm\n# between\n bookworm-updates\nComponents: main\n\n"
      "types: deb\nuris: http://off.example/debian\nsuites: sid\ncomponents: main\nenabled: no\n\n"
      "Types: deb-src\nURIs: http://source.example/debian\nSuites: sid\nComponents: main\n");
  ASSERT_EQ(sources.size(), 4U);
  EXPECT_EQ(sources[0].uri, "http://a.example/debian");
  EXPECT_EQ(sources[1].suite, "bookworm-updates");
  EXPECT_EQ(sources[3].uri, "http://b.example/debian");
}

TEST(AptSources, GiveTheMirrorsOfThePool) {
  const ScratchFolder apt;
  Write(apt / "sources.list",
        "deb http://third.example/tool stable main\n"
        "deb http://sec.example/debian-security bookworm-security main\n"
        "deb cdrom:[x]/ bookworm main\n");
  Write(apt / "sources.list.d/b.sources",
        "Types: deb\nURIs: http://a.example/debian/\nSuites: x y\nComponents: main\n");
  Write(apt / "sources.list.d/c.list", "deb http://nonfree.example/debian sid contrib\n");
  Write(apt / "sources.list.d/d.list.save", "deb http://saved.example/debian sid main\n");
  EXPECT_THAT(MirrorsOfApt(apt.Path()),
              ElementsAre("http://a.example/debian", "http://third.example/tool"));
}

TEST(AptSources, MayBeNone) {
  const ScratchFolder apt;
  EXPECT_THAT(MirrorsOfApt(apt.Path()), IsEmpty());
  EXPECT_THAT(MirrorsOfApt(apt / "nothing"), IsEmpty());
}

const std::string kHash(64, 'a');

std::string Pin(const std::string& file) {
  return "[[kernel]]\nvendor = \"debian\"\nname = \"7.0\"\nrelease = \"7.0-x\"\n" + file;
}

std::string File(const std::string& path) {
  return "[[kernel.files]]\npath = \"" + path + "\"\nsize = 3\nsha256 = \"" + kHash + "\"\n";
}

std::string ErrorOf(const std::string& toml) {
  const auto pins = ParsePins(toml, "k.toml");
  return pins ? "" : pins.error().message;
}

TEST(Pins, AreRead) {
  const auto pins = ParsePins(Pin(File("pool/a/b.deb")), "k.toml");
  ASSERT_TRUE(pins) << pins.error().message;
  ASSERT_EQ(pins->size(), 1U);
  EXPECT_EQ((*pins)[0].Spec(), "debian:7.0");
  EXPECT_EQ((*pins)[0].files[0].Name(), "b.deb");
  EXPECT_EQ((*pins)[0].files[0].size, 3U);
  EXPECT_THAT((*pins)[0].source, IsEmpty());
}

TEST(Pins, ThatAreWrongAreNamedWithTheirLine) {
  EXPECT_THAT(ErrorOf("x = 1\n"), HasSubstr("k.toml:1: unknown key 'x'"));
  EXPECT_THAT(ErrorOf(Pin("colour = \"red\"\n")),
              HasSubstr("k.toml:5: kernel: unknown key 'colour'"));
  EXPECT_THAT(ErrorOf(Pin("")), HasSubstr("kernel: 'files' is missing"));
  EXPECT_THAT(ErrorOf("[[kernel]]\nname = 7\n"), HasSubstr("k.toml:2: "));
  EXPECT_THAT(ErrorOf("[["), HasSubstr("k.toml:1: "));
  EXPECT_THAT(ErrorOf(Pin(File("pool/a.deb")) + Pin(File("pool/a.deb"))),
              HasSubstr("pinned twice"));
}

TEST(Pins, OfFilesStayInThePool) {
  for (const char* path : {"../etc/passwd", "/pool/a.deb", "pool/../a.deb", "pool/a?b.deb", "pool/",
                           "pool/a b.deb", ""}) {
    EXPECT_NE(ErrorOf(Pin(File(path))), "") << path;
  }
}

TEST(Pins, NeedAWholeChecksumAndASize) {
  EXPECT_NE(ErrorOf(Pin("[[kernel.files]]\npath = \"pool/a.deb\"\nsize = 3\nsha256 = \"aa\"\n")),
            "");
  EXPECT_NE(ErrorOf(Pin("[[kernel.files]]\npath = \"pool/a.deb\"\nsize = 0\nsha256 = \"" + kHash +
                        "\"\n")),
            "");
}

}  // namespace
}  // namespace kassay
