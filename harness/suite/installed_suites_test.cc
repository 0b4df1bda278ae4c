#include "harness/suite/installed_suites.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "harness/base/file.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InstalledSuitesTest : public ::testing::Test {
 protected:
  InstalledSuitesTest() {
    fs::remove_all(root_);
    installation_.data_dir = root_ / "share";
    installation_.libexec_dir = root_ / "libexec";
    installation_.suites_dirs = {root_ / "vendor"};
    AddOurs("ring");
    AddVendors("disk");
  }
  void AddOurs(const std::string& name) {
    WriteCatalogue(root_ / "share/suites" / name, name);
    WriteProgram(root_ / "libexec/suites" / name, name);
  }
  void AddVendors(const std::string& name) {
    WriteCatalogue(root_ / "vendor" / name, name);
    WriteProgram(root_ / "vendor" / name / name, name);
  }
  static void WriteCatalogue(const fs::path& folder, const std::string& name) {
    ASSERT_TRUE(WriteFileAtomically(
        folder / "requirements.toml",
        "[suite]\nname = \"" + name + "\"\ntitle = \"A suite\"\nprofile = \"stock\"\n"));
  }
  static void WriteProgram(const fs::path& file, const std::string& name) {
    ASSERT_TRUE(WriteFileAtomically(
        file, "#!/bin/sh\necho '{\"suite\":\"" + name + "\",\"features\":[],\"cases\":[]}'\n"));
    ASSERT_EQ(::chmod(file.c_str(), 0755), 0);
  }
  [[nodiscard]] std::string WhyNot(const std::string& name) const {
    const auto suite = LoadSuite(installation_, name);
    return suite ? "loaded" : suite.error().message;
  }

  fs::path root_ = fs::path(::testing::TempDir()) / "installed";
  Installation installation_;
};

TEST_F(InstalledSuitesTest, AreOursAndThoseOfTheFoldersBeside) {
  const auto names = InstalledSuites(installation_);
  ASSERT_TRUE(names) << names.error().message;
  EXPECT_THAT(*names, ElementsAre("disk", "ring"));
  const auto suites = LoadSuites(installation_, {"disk", "ring"});
  ASSERT_TRUE(suites) << suites.error().message;
  EXPECT_EQ(suites->at(0).list.suite, "disk");
  EXPECT_EQ(suites->at(1).list.suite, "ring");
}

TEST_F(InstalledSuitesTest, AnUnknownNameIsAUsageErrorThatListsThem) {
  EXPECT_EQ(WhyNot("rings"), "there is no suite 'rings'; there are: disk, ring");
}

TEST_F(InstalledSuitesTest, ASuiteThatIsNotBuiltIsKnownAndNotInstalled) {
  WriteCatalogue(root_ / "vendor/paper", "paper");
  EXPECT_THAT(WhyNot("paper"), HasSubstr("is not built: there is no"));
  EXPECT_THAT(*InstalledSuites(installation_), ElementsAre("disk", "ring"));
  EXPECT_EQ(LoadCatalogues(installation_)->size(), 3U);
}

TEST_F(InstalledSuitesTest, OneNameInTwoPlacesIsAnErrorThatNamesBoth) {
  AddVendors("ring");
  EXPECT_THAT(WhyNot("disk"), HasSubstr("'ring' is in two places: "));
  EXPECT_THAT(WhyNot("disk"), HasSubstr("vendor/ring/requirements.toml"));
}

TEST_F(InstalledSuitesTest, TheirHashCoversProgramsAndCatalogues) {
  const auto before = Sha256OfSuites(installation_, {"disk"});
  ASSERT_TRUE(before);
  EXPECT_NE(before->at("disk"), Sha256OfSuites(installation_, {"ring"})->at("ring"));
  ASSERT_TRUE(WriteFileAtomically(root_ / "vendor/disk/disk", "#!/bin/sh\n"));
  const auto changed = Sha256OfSuites(installation_, {"disk"});
  EXPECT_NE(*before, *changed);
  ASSERT_TRUE(WriteFileAtomically(root_ / "vendor/disk/requirements.toml", "# other\n"));
  EXPECT_NE(*changed, *Sha256OfSuites(installation_, {"disk"}));
}

}  // namespace
}  // namespace kassay
