#include "harness/base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "harness/base/unique_fd.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;

class FileTest : public ::testing::Test {
 protected:
  FileTest() {
    std::string name = ::testing::TempDir() + "/file-XXXXXX";
    dir_ = ::mkdtemp(name.data());
  }
  ~FileTest() override { fs::remove_all(dir_); }
  fs::path dir_;
};

TEST_F(FileTest, WhatIsWrittenIsReadAndNothingIsLeftBeside) {
  const fs::path file = dir_ / "new" / "file";
  ASSERT_TRUE(WriteFileAtomically(file, "old"));
  ASSERT_TRUE(WriteFileAtomically(file, "new"));
  EXPECT_EQ(ReadFile(file).value(), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_ / "new"), fs::directory_iterator()), 1);
}

TEST_F(FileTest, AFolderIsNoFile) {
  EXPECT_FALSE(WriteFileAtomically(dir_, "x"));
  EXPECT_TRUE(fs::is_directory(dir_));
}

// `-o /dev/null` as root would make an ordinary file of it.
TEST_F(FileTest, APipeIsWrittenToAndStays) {
  const fs::path pipe = dir_ / "pipe";
  const fs::path link = dir_ / "link";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  fs::create_symlink(pipe, link);
  const UniqueFd reading(::open(pipe.c_str(), O_RDWR | O_CLOEXEC));
  for (const fs::path& name : {pipe, link}) {
    ASSERT_TRUE(WriteFileAtomically(name, "text"));
    char text[8] = {};
    EXPECT_EQ(::read(reading.Get(), text, sizeof text), 4);
    EXPECT_STREQ(text, "text");
  }
  EXPECT_TRUE(fs::is_fifo(pipe));
  EXPECT_TRUE(fs::is_symlink(link));
}

// CTest runs tests at the same time; a name below TempDir() is this test's own.
TEST(TempDir, IsThisProcessesOwn) {
  EXPECT_NE(::testing::TempDir().find("kassay-unit-"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_directory(::testing::TempDir()));
}

}  // namespace
}  // namespace kassay
