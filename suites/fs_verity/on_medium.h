// What every case of this suite starts from: a file system of its own on a medium of its own.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "suites/fs_verity/file_attributes.h"
#include "suites/fs_verity/medium.h"
#include "suites/fs_verity/merkle_tree.h"
#include "suites/fs_verity/verity_file.h"
#include "suites/support/case.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::verity {

// EXPECT_OK(medium.Damage(...)): a Status without an error.
#define EXPECT_OK(expression)                                                              \
  do {                                                                                     \
    const auto& kassay_outcome = (expression);                                             \
    EXPECT_TRUE(kassay_outcome) << (kassay_outcome ? "" : kassay_outcome.error().message); \
  } while (false)
#define ASSERT_OK(expression)                                                              \
  do {                                                                                     \
    const auto& kassay_outcome = (expression);                                             \
    ASSERT_TRUE(kassay_outcome) << (kassay_outcome ? "" : kassay_outcome.error().message); \
  } while (false)

// The usual file: ten blocks of 4 KiB, the last one not full.
inline constexpr std::size_t kUsualSize = 40000;

class OnMedium : public ::testing::Test {
 protected:
  // Leaves the case if the file system cannot be had.
  void MountMedium(Kind kind, const std::string& options = "") {
    if (!KernelHas(kind)) KASSAY_ABSENT(std::string("/proc/filesystems has no ") + TypeOf(kind));
    auto medium = Medium::Mount(kind, options);
    if (!medium) KASSAY_UNMET(medium.error().message);
    medium_ = std::move(*medium);
  }
  [[nodiscard]] Medium& medium() { return *medium_; }
  [[nodiscard]] std::string Path(const std::string& name) const { return medium_->Path(name); }

  // A plain file.
  std::string Plain(const std::string& name, std::string_view content) {
    MakeFile(Path(name), content);
    return Path(name);
  }
  // An enabled one.
  std::string Verity(const std::string& name, std::string_view content,
                     const Setting& setting = {}) {
    MakeFile(Path(name), content);
    EXPECT_EQ(Enable(Path(name), setting), 0) << name;
    return Path(name);
  }

 private:
  std::unique_ptr<Medium> medium_;
};

class OnExt4 : public OnMedium {
 protected:
  void SetUp() override { MountMedium(Kind::kExt4); }
};

// The same case once on each file system that has fs-verity.
class OnEach : public OnMedium, public ::testing::WithParamInterface<Kind> {
 protected:
  void SetUp() override { MountMedium(GetParam()); }
};

inline std::string KindName(const ::testing::TestParamInfo<Kind>& kind) {
  return NameOf(kind.param);
}
#define ON_EACH_FILE_SYSTEM(fixture) \
  INSTANTIATE_TEST_SUITE_P(, fixture, ::testing::Values(Kind::kExt4, Kind::kBtrfs), KindName)

}  // namespace kassay::verity
