// Which suites a run's machines hold.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>

#include "harness/base/file.h"
#include "harness/run/run.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Images = std::map<std::string, std::set<std::string>>;

class SuiteImagesTest : public ::testing::Test {
 protected:
  SuiteImagesTest() {
    std::string name = ::testing::TempDir() + "/images-XXXXXX";
    dir_ = ::mkdtemp(name.data());
    Install("ring", "Ring.Denies", false);
    Install("disk", "Disk.Spins", true);
  }
  ~SuiteImagesTest() override { fs::remove_all(dir_); }

  // A suite of one case whose own profile is `stock`.
  void Install(const std::string& suite, const std::string& case_name, bool prepares) {
    ASSERT_TRUE(WriteFileAtomically(
        dir_ / "data/suites" / suite / "requirements.toml",
        fmt::format("[suite]\nname = \"{0}\"\ntitle = \"{0}\"\nprofile = \"stock\"\n"
                    "[[feature]]\nid = \"f\"\ntitle = \"F\"\nsince = \"7.0\"\n"
                    "[[requirement]]\nid = \"R-1\"\ntext = \"T.\"\nsource = \"x.c\"\n"
                    "feature = \"f\"\n",
                    suite)));
    const fs::path path = dir_ / "libexec/suites" / suite;
    ASSERT_TRUE(WriteFileAtomically(path, fmt::format(R"(#!/bin/sh
cat <<'END'
{{"suite":"{}","features":["f"],"prepares":{},"cases":[{{"case":"{}","requirements":["R-1"],
"detection":false,"timeout_s":5,"profile":"","expects_panic":"","allows_taint":"","file":"f","line":1}}]}}
END
)",
                                                      suite, prepares, case_name)));
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
  }

  [[nodiscard]] SuiteImages Of(const RunOptions& options) const {
    RunOptions here = options;
    here.installation.data_dir = dir_ / "data";
    here.installation.libexec_dir = dir_ / "libexec";
    return ImagesOf(here);
  }

  fs::path dir_;
};

TEST_F(SuiteImagesTest, ASuitesOwnProfileIsSharedByAllThatUseIt) {
  RunOptions options;
  options.suites = {"ring"};
  EXPECT_EQ(Of(options).suites, (Images{{"stock", {"disk", "ring"}}}));
  EXPECT_THAT(Of(options).preparing, ElementsAre("disk"));
}

TEST_F(SuiteImagesTest, TheCallersProfileHoldsWhatIsSelected) {
  RunOptions options;
  options.profile = "certify";
  EXPECT_EQ(Of(options).suites, (Images{{"certify", {"disk", "ring"}}}));
  options.suites = {"ring"};
  EXPECT_EQ(Of(options).suites, (Images{{"certify", {"ring"}}}));
  EXPECT_THAT(Of(options).preparing, IsEmpty());
  options.suites = {};
  options.filters = {"Disk.*"};
  EXPECT_EQ(Of(options).suites, (Images{{"certify", {"disk"}}}));
}

}  // namespace
}  // namespace kassay
