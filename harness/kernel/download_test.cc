#include "harness/kernel/download.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include "harness/base/file.h"
#include "harness/base/interrupt.h"
#include "harness/base/sha256.h"
#include "harness/kernel/testing/loopback_mirror.h"
#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::LoopbackMirror;
using testing::ScratchFolder;
using testing::Write;

constexpr const char* kPath = "pool/main/l/linux/a.deb";

std::string Content() {
  std::string content;
  for (int i = 0; i < 50000; ++i) content += std::to_string(i);
  return content;
}

class DownloadTest : public ::testing::Test {
 protected:
  std::string ErrorOfGet() {
    const auto done = Download(mirror_.Url(), pin_, target_, {});
    EXPECT_TRUE(done || done.error().another_mirror_may_do);
    return done ? "" : done.error().error.message;
  }
  fs::path Part() const { return target_.string() + ".part"; }

  const std::string content_ = Content();
  const PinnedFile pin_{kPath, content_.size(), Sha256Hex(content_)};
  ScratchFolder folder_;
  const fs::path target_ = folder_ / "a.deb";
  LoopbackMirror mirror_;
};

TEST_F(DownloadTest, GivesTheVerifiedFile) {
  mirror_.Serve(kPath, content_);
  ASSERT_EQ(ErrorOfGet(), "");
  EXPECT_EQ(*ReadFile(target_), content_);
  EXPECT_FALSE(fs::exists(Part()));
}

TEST_F(DownloadTest, GoesOnWhereItBrokeOff) {
  mirror_.Serve(kPath, content_);
  mirror_.BreakOffAfter(1000);
  EXPECT_THAT(ErrorOfGet(), HasSubstr("broke off at 1000 of"));
  EXPECT_FALSE(fs::exists(target_));
  EXPECT_EQ(fs::file_size(Part()), 1000U);
  mirror_.BreakOffAfter(0);
  ASSERT_EQ(ErrorOfGet(), "");
  EXPECT_EQ(*ReadFile(target_), content_);
  EXPECT_THAT(mirror_.Requests(), ElementsAre(kPath, std::string(kPath) + " from 1000"));
}

TEST_F(DownloadTest, StartsOverWhereTheMirrorDoesNoRanges) {
  mirror_.Serve(kPath, content_);
  Write(Part(), content_.substr(0, 1000));
  mirror_.IgnoreRanges();
  ASSERT_EQ(ErrorOfGet(), "");
  EXPECT_EQ(*ReadFile(target_), content_);
}

TEST_F(DownloadTest, ADamagedPartIsFetchedAnew) {
  mirror_.Serve(kPath, content_);
  Write(Part(), std::string(1000, '?'));
  ASSERT_EQ(ErrorOfGet(), "");
  EXPECT_EQ(*ReadFile(target_), content_);
}

TEST_F(DownloadTest, ATooLongPartIsFetchedAnew) {
  mirror_.Serve(kPath, content_);
  Write(Part(), content_ + "more");
  ASSERT_EQ(ErrorOfGet(), "");
  EXPECT_EQ(*ReadFile(target_), content_);
}

TEST_F(DownloadTest, AFinishedPartNeedsNoMirror) {
  Write(Part(), content_);
  ASSERT_EQ(ErrorOfGet(), "");
  EXPECT_THAT(mirror_.Requests(), IsEmpty());
}

TEST_F(DownloadTest, AWrongChecksumLeavesNothing) {
  std::string other = content_;
  other[0] ^= 1;
  mirror_.Serve(kPath, other);
  EXPECT_THAT(ErrorOfGet(), HasSubstr("wrong checksum"));
  EXPECT_FALSE(fs::exists(target_));
  EXPECT_FALSE(fs::exists(Part()));
}

TEST_F(DownloadTest, ALargerFileIsNotTakenIn) {
  mirror_.Serve(kPath, content_ + std::string(1 << 20, 'x'));
  EXPECT_THAT(ErrorOfGet(), HasSubstr("is larger than"));
  EXPECT_FALSE(fs::exists(target_));
  EXPECT_LE(fs::exists(Part()) ? fs::file_size(Part()) : 0, content_.size());
}

TEST_F(DownloadTest, AShorterFileIsNotTakenIn) {
  mirror_.Serve(kPath, content_.substr(0, 500));
  EXPECT_THAT(ErrorOfGet(), HasSubstr("500 bytes"));
  EXPECT_FALSE(fs::exists(target_));
}

TEST_F(DownloadTest, AFileThatIsNotThereSaysSo) {
  EXPECT_THAT(ErrorOfGet(), HasSubstr("answers 404"));
  EXPECT_FALSE(fs::exists(target_));
}

TEST_F(DownloadTest, AMirrorThatIsNotThereSaysSo) {
  const auto done = Download("http://127.0.0.1:1", pin_, target_, {});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().error.message, HasSubstr("127.0.0.1:1"));
  EXPECT_EQ(done.error().error.kind, ErrorKind::kUnable);
  EXPECT_TRUE(done.error().another_mirror_may_do);
}

TEST_F(DownloadTest, AFullDiskIsNotTheMirrorsFault) {
  mirror_.Serve(kPath, content_);
  // A limit on this process's files stands for the disk: write(2) fails in the same place.
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit small{1000, old.rlim_max};
  ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto done = Download(mirror_.Url(), pin_, target_, {});
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  ASSERT_FALSE(done);
  EXPECT_FALSE(done.error().another_mirror_may_do);
  EXPECT_THAT(done.error().error.message, HasSubstr("free some space"));
  EXPECT_FALSE(fs::exists(target_));
}

TEST_F(DownloadTest, CtrlCStopsItAndKeepsThePart) {
  mirror_.Serve(kPath, content_);
  Write(Part(), content_.substr(0, 1000));
  RequestInterrupt();
  const auto done = Download(mirror_.Url(), pin_, target_, {});
  ClearInterruptForTesting();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().error.kind, ErrorKind::kInterrupted);
  EXPECT_FALSE(done.error().another_mirror_may_do);
  EXPECT_FALSE(fs::exists(target_));
  EXPECT_GE(fs::file_size(Part()), 1000U);
}

TEST_F(DownloadTest, AFolderIsAMirrorToo) {
  Write(folder_ / "mirror" / kPath, content_);
  ASSERT_TRUE(Download("file://" + (folder_ / "mirror").string(), pin_, target_, {}));
  EXPECT_EQ(*ReadFile(target_), content_);
}

TEST_F(DownloadTest, OtherAddressesAreRefused) {
  EXPECT_FALSE(Download("ftp://127.0.0.1", pin_, target_, {}));
  EXPECT_FALSE(Download("", pin_, target_, {}));
}

TEST_F(DownloadTest, TellsItsProgress) {
  mirror_.Serve(kPath, content_);
  Write(Part(), content_.substr(0, 1000));
  std::vector<std::uint64_t> seen;
  ASSERT_TRUE(Download(mirror_.Url(), pin_, target_, [&](const FetchProgress& progress) {
    EXPECT_EQ(progress.total, content_.size());
    seen.push_back(progress.done);
  }));
  ASSERT_FALSE(seen.empty());
  EXPECT_GT(seen.front(), 1000U);
  EXPECT_EQ(seen.back(), content_.size());
}

}  // namespace
}  // namespace kassay
