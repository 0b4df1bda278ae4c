// Needs QEMU and a kernel; about a minute under emulation.
#include "harness/vm/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>

#include "harness/vm/testing/test_machine.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using End = GuestOutcome::End;
using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// One snapshot for all tests of this program.
class SnapshotTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = std::make_unique<kassay::testing::ScratchFolder>();
    auto spec = kassay::testing::TestMachine(scratch_->path());
    ASSERT_TRUE(spec) << spec.error().message;
    spec_ = std::make_unique<MachineSpec>(std::move(*spec));
    auto options = kassay::testing::TestOptions();
    ASSERT_TRUE(options) << options.error().message;
    options_ = std::move(*options);
    options_.note = [](const std::string& line) { notes_.push_back(line); };
    auto snapshot = Ensure();
    ASSERT_TRUE(snapshot) << snapshot.error().message;
    snapshot_ = std::make_unique<Snapshot>(std::move(*snapshot));
  }
  static void TearDownTestSuite() {
    snapshot_.reset();
    spec_.reset();
    scratch_.reset();
  }
  void SetUp() override { ASSERT_NE(snapshot_, nullptr); }

  static Result<Snapshot> Ensure() {
    return Snapshot::Ensure(scratch_->path() / "snapshots", *spec_, options_);
  }

  static GuestOutcome RunIn(Guest& guest, std::vector<std::string> words,
                            milliseconds limit = milliseconds(30000)) {
    words.insert(words.begin(), kassay::testing::kProbe);
    auto outcome = guest.Run({words, limit, "SnapshotTest"}, nullptr);
    EXPECT_TRUE(outcome) << outcome.error().message;
    return outcome ? *outcome : GuestOutcome{};
  }
  static GuestOutcome RunOnce(std::vector<std::string> words,
                              milliseconds limit = milliseconds(30000)) {
    auto guest = snapshot_->Restore();
    EXPECT_TRUE(guest) << guest.error().message;
    return guest ? RunIn(**guest, std::move(words), limit) : GuestOutcome{};
  }

  static inline std::unique_ptr<kassay::testing::ScratchFolder> scratch_;
  static inline std::unique_ptr<MachineSpec> spec_;
  static inline std::unique_ptr<Snapshot> snapshot_;
  static inline VmOptions options_;
  static inline std::vector<std::string> notes_;
};

TEST_F(SnapshotTest, RestoredMachineRunsAProgramToItsExitCode) {
  EXPECT_EQ(RunOnce({"nothing"}).end, End::kExited);
  const GuestOutcome outcome = RunOnce({"exit", "42"});
  EXPECT_EQ(outcome.end, End::kExited);
  EXPECT_EQ(outcome.status, 42);
}

TEST_F(SnapshotTest, RestoredMachineHasTheHostsTime) {
  const std::time_t before = std::time(nullptr);
  const GuestOutcome outcome = RunOnce({"clock"});
  ASSERT_EQ(outcome.end, End::kExited);
  const std::time_t inside = std::atoll(outcome.output.c_str());  // NOLINT(cert-err34-c)
  EXPECT_GE(inside, before) << "the snapshot's time";
  EXPECT_LE(inside, std::time(nullptr));
}

// Were it the emulator's to keep, it could stand still or run ahead after a restore.
TEST_F(SnapshotTest, RestoredMachinesClocksRun) {
  const GuestOutcome outcome = RunOnce({"pace"});
  ASSERT_EQ(outcome.end, End::kExited);
  std::istringstream words(outcome.output);
  std::string source;
  long real_ms = 0;
  long monotonic_ms = 0;
  words >> source >> real_ms >> monotonic_ms;
  ASSERT_TRUE(words) << outcome.output;
  EXPECT_GE(monotonic_ms, 500);
  EXPECT_LE(monotonic_ms, 5000);
  EXPECT_NEAR(static_cast<double>(real_ms), static_cast<double>(monotonic_ms), 20);
  if (snapshot_->facts().accelerator == Name(Accelerator::kKvm)) {
    EXPECT_EQ(source, "kvm-clock");
  }
}

TEST_F(SnapshotTest, TwoRestoredMachinesHaveDifferentRandomBytes) {
  const std::string first = RunOnce({"random"}).output;
  const std::string second = RunOnce({"random"}).output;
  EXPECT_EQ(first.size(), 33U);
  EXPECT_EQ(second.size(), 33U);
  EXPECT_NE(first, second);
}

TEST_F(SnapshotTest, RecordsArriveWhileTheProgramRunsAndInTheOutcome) {
  auto guest = snapshot_->Restore();
  ASSERT_TRUE(guest) << guest.error().message;
  std::vector<std::string> seen;
  const auto outcome =
      (*guest)->Run({{kassay::testing::kProbe, "record"}, milliseconds(30000), "x"},
                    [&](const std::string& line) { seen.push_back(line); });
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_THAT(seen, ::testing::ElementsAre("{\"type\":\"evidence\"}"));
  EXPECT_EQ(outcome->records, seen);
}

TEST_F(SnapshotTest, PanicIsTheKernelsDeathWithItsConsole) {
  const GuestOutcome outcome = RunOnce({"panic"});
  EXPECT_EQ(outcome.end, End::kKernelDied);
  EXPECT_THAT(outcome.detail, HasSubstr("Kernel panic - not syncing: sysrq triggered crash"));
  EXPECT_THAT(outcome.console, HasSubstr("sysrq triggered crash"));
}

TEST_F(SnapshotTest, ResetAndPowerOffAreTheKernelsDeathToo) {
  const GuestOutcome reset = RunOnce({"reset"});
  EXPECT_EQ(reset.end, End::kKernelDied);
  EXPECT_THAT(reset.detail, HasSubstr("reset"));
  const GuestOutcome off = RunOnce({"off"});
  EXPECT_EQ(off.end, End::kKernelDied);
  EXPECT_THAT(off.detail, HasSubstr("powered off"));
}

TEST_F(SnapshotTest, HangIsSilence) {
  const GuestOutcome outcome = RunOnce({"hang"}, milliseconds(1000));
  EXPECT_EQ(outcome.end, End::kSilent);
  EXPECT_THAT(outcome.detail, HasSubstr("CPU 1 at "));
}

TEST_F(SnapshotTest, ProgramOverItsLimitIsKilledAndTheKernelGoesOn) {
  auto guest = snapshot_->Restore();
  ASSERT_TRUE(guest) << guest.error().message;
  EXPECT_EQ(RunIn(**guest, {"sleep"}, milliseconds(500)).end, End::kTimedOut);
  const GuestOutcome after = RunIn(**guest, {"exit", "3"});
  EXPECT_EQ(after.end, End::kExited);
  EXPECT_EQ(after.status, 3);
}

TEST_F(SnapshotTest, WhatAProgramLeavesBehindIsKilled) {
  const GuestOutcome outcome = RunOnce({"stray"});
  EXPECT_EQ(outcome.end, End::kExited);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.detail, "");
  EXPECT_EQ(outcome.output, "left one behind\n");
}

TEST_F(SnapshotTest, SignalIsTold) {
  const GuestOutcome outcome = RunOnce({"abort"});
  EXPECT_EQ(outcome.end, End::kSignalled);
  EXPECT_EQ(outcome.status, SIGABRT);
}

TEST_F(SnapshotTest, ProgramThatIsNotThereEndsAsInAShell) {
  auto guest = snapshot_->Restore();
  ASSERT_TRUE(guest) << guest.error().message;
  const auto outcome = (*guest)->Run({{"/no/such/program"}, milliseconds(5000), "x"}, nullptr);
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->end, End::kExited);
  EXPECT_EQ(outcome->status, 127);
  EXPECT_THAT(outcome->detail, HasSubstr("No such file"));
}

TEST_F(SnapshotTest, TooMuchOutputKeepsItsEnd) {
  const GuestOutcome outcome = RunOnce({"flood"});
  EXPECT_EQ(outcome.end, End::kExited);
  EXPECT_LT(outcome.output.size(), std::size_t{300} << 10);
  EXPECT_TRUE(outcome.output.ends_with("last words\n"));
}

TEST_F(SnapshotTest, KernelLogHoldsTheKernelsLinesAlone) {
  const GuestOutcome outcome = RunOnce({"log"});
  EXPECT_THAT(outcome.kernel_log, Contains(HasSubstr("sysrq: HELP")));
  EXPECT_THAT(outcome.kernel_log, Not(Contains(HasSubstr("from user space"))));
  EXPECT_EQ(outcome.taint_before, outcome.taint_after);
  EXPECT_THAT(outcome.console, HasSubstr("kassay: SnapshotTest begins"));
}

TEST_F(SnapshotTest, SameInputsTakeTheSameSnapshot) {
  notes_.clear();
  const auto again = Ensure();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->key(), snapshot_->key());
  EXPECT_EQ(again->facts().boot_time, snapshot_->facts().boot_time);
  EXPECT_THAT(notes_, Not(Contains(HasSubstr("made again"))));
}

TEST_F(SnapshotTest, SnapshotInUseSurvivesTheRemovalOfItsFolder) {
  const fs::path folder = scratch_->path() / "snapshots" / snapshot_->key();
  const fs::path aside = scratch_->path() / "aside";
  fs::rename(folder, aside);
  const GuestOutcome outcome = RunOnce({"exit", "42"});
  fs::rename(aside, folder);
  EXPECT_EQ(outcome.end, End::kExited);
  EXPECT_EQ(outcome.status, 42);
}

// Last: it takes the shared snapshot away.
TEST_F(SnapshotTest, ZDamagedSnapshotIsNoticedAndMadeAgain) {
  const std::string key = snapshot_->key();
  snapshot_.reset();
  const fs::path state = scratch_->path() / "snapshots" / key / "state";
  std::fstream(state, std::ios::in | std::ios::out | std::ios::binary).seekp(100000).put('\x5a');
  notes_.clear();
  auto again = Ensure();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_THAT(notes_, Contains(HasSubstr("made again: its device state was changed")));
  snapshot_ = std::make_unique<Snapshot>(std::move(*again));
  EXPECT_EQ(RunOnce({"nothing"}).end, End::kExited);
}

}  // namespace
}  // namespace kassay
