#include "harness/base/installation.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

namespace kassay {
namespace {

// The environment as the test found it, afterwards.
class InstallationTest : public ::testing::Test {
 protected:
  InstallationTest() {
    for (const char* name : {"KASSAY_CACHE_DIR", "XDG_CACHE_HOME", "HOME"}) {
      const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
      if (value != nullptr) before_[name] = value;
      ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe)
    }
  }
  ~InstallationTest() override {
    for (const auto& [name, value] : before_)
      ::setenv(name.c_str(), value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  }
  std::map<std::string, std::string> before_;
};

// A service has no $HOME: the user's own folder all the same, and none that users share.
TEST_F(InstallationTest, WithoutHomeTheCacheIsStillOneUsers) {
  const auto cache = Installation::OfThisProgram().cache_dir;
  EXPECT_TRUE(cache.is_absolute());
  const std::string shared = "/kassay-" + std::to_string(::geteuid()) + "/";
  const bool in_tmp = cache.string().starts_with(std::filesystem::temp_directory_path().string());
  EXPECT_EQ(cache.string().find(shared) != std::string::npos, in_tmp) << cache;
}

TEST_F(InstallationTest, TheNearerChoiceWins) {
  const auto cache = [] { return Installation::OfThisProgram().cache_dir; };
  ::setenv("HOME", "/h", 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_EQ(cache(), "/h/.cache/kassay");
  ::setenv("XDG_CACHE_HOME", "/x", 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_EQ(cache(), "/x/kassay");
  ::setenv("KASSAY_CACHE_DIR", "/k", 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_EQ(cache(), "/k");
  for (const char* name : {"KASSAY_CACHE_DIR", "XDG_CACHE_HOME", "HOME"})
    ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace
}  // namespace kassay
