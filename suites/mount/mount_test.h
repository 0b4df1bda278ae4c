// The fixture of the mount cases: a private copy of the guest's mount namespace ("the host" of a
// case) and in it a tmpfs with room for the case. Both vanish with the case.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>

#include "suites/mount/mount_namespace.h"
#include "suites/mount/mount_status.h"
#include "suites/mount/syscalls.h"
#include "suites/mount/uapi.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/held_child.h"
#include "suites/support/syscall_matchers.h"
#include "suites/support/user_namespace.h"

namespace kassay::mount {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Ge;
using ::testing::Gt;
using ::testing::Ne;
using ::testing::Not;

// What a child's steps returned, in their order.
template <size_t N>
using Steps = std::array<long, N>;

// A call that returned no error.
inline auto Succeeded() { return Ge(0); }

class MountTest : public ::testing::Test {
 protected:
  // A call that fails must not leave a descriptor behind; a case closes what it opened.
  ~MountTest() override {
    EXPECT_EQ(OpenDescriptors(), descriptors_) << "descriptors before and after the case";
  }
  void SetUp() override {
    mounts_.emplace();
    ASSERT_EQ(mounts_->Status(), 0) << "a private mount namespace";
    scratch_.emplace("/tmp/kassay-mount");
    ASSERT_EQ(scratch_->Status(), 0) << "a tmpfs for the case";
  }
  void TearDown() override {
    scratch_.reset();
    mounts_.reset();
  }

  // A path on the case's tmpfs.
  [[nodiscard]] std::string Path(const std::string& name) const {
    return scratch_->Path() + "/" + name;
  }
  // A new folder there.
  [[nodiscard]] std::string Dir(const std::string& name) const {
    EXPECT_EQ(Mkdir(Path(name)), 0) << name;
    return Path(name);
  }
  // A new folder with a tmpfs mounted on it, private, holding one file that is named like its last
  // part.
  [[nodiscard]] std::string Tmpfs(const std::string& name, unsigned long flags = 0) const {
    std::string path = Dir(name);
    EXPECT_EQ(Mount("kassay", path, "tmpfs", 0, "mode=0777"), 0) << name;
    EXPECT_EQ(CreateFile(path + "/" + name.substr(name.rfind('/') + 1)), 0) << name;
    if (flags != 0) {
      EXPECT_EQ(Mount("", path, "", MS_REMOUNT | MS_BIND | flags), 0) << name;
    }
    return path;
  }
  // A tmpfs on which a folder "hidden" with a file "secret" is covered by a second tmpfs with a
  // file "hidden".
  [[nodiscard]] std::string TmpfsWithCover(const std::string& name) const {
    std::string path = Tmpfs(name);
    EXPECT_EQ(Mkdir(path + "/hidden"), 0);
    EXPECT_EQ(CreateFile(path + "/hidden/secret"), 0);
    EXPECT_EQ(Mount("kassay", path + "/hidden", "tmpfs", 0, "mode=0777"), 0);
    EXPECT_EQ(CreateFile(path + "/hidden/cover"), 0);
    return path;
  }

 private:
  static long OpenDescriptors() {
    std::error_code none;
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd", none), {});
  }
  const long descriptors_ = OpenDescriptors();
  std::optional<PrivateMounts> mounts_;
  std::optional<ScratchTmpfs> scratch_;
};

}  // namespace kassay::mount
