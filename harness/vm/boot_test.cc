// What is said when QEMU itself does not do its part. A script stands in for QEMU.
#include "harness/vm/boot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "harness/base/file.h"
#include "harness/base/interrupt.h"
#include "harness/vm/testing/images.h"
#include "harness/vm/testing/stand_in_qemu.h"
#include "harness/vm/testing/test_machine.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::SmallBzImage;
using testing::SmallElf;

class BootTest : public ::testing::Test {
 protected:
  void SetUp() override {
    spec_.kernel.image = scratch_.path() / "bzImage";
    spec_.kernel.identity.spec = "test:1.0";
    spec_.kernel.identity.image_sha256 = "1";
    spec_.profile.name = "test";
    spec_.initramfs.path = scratch_.path() / "initramfs";
    ASSERT_TRUE(WriteFileAtomically(spec_.kernel.image, SmallBzImage("")));
    ASSERT_TRUE(WriteFileAtomically(spec_.initramfs.path, "initramfs"));
    options_.cache_dir = scratch_.path();
    options_.boot = "bzimage";
    options_.accelerator = Accelerator::kTcg;
    options_.boot_limit = std::chrono::seconds(20);
  }

  void StandIn(const std::string& body) {
    options_.qemu = scratch_.path() / ("qemu" + std::to_string(++scripts_));
    testing::WriteStandInQemu(options_.qemu, body);
  }

  std::string BootError() {
    const auto booted = BootFresh(spec_, options_);
    // Whatever happened, no process is left.
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    return booted ? "booted" : booted.error().message;
  }

  kassay::testing::ScratchFolder scratch_;
  MachineSpec spec_;
  VmOptions options_;

 private:
  int scripts_ = 0;
};

TEST_F(BootTest, QemuThatEndsIsToldInItsOwnWords) {
  StandIn("echo 'qemu: no room' >&2; exit 1");
  EXPECT_THAT(BootError(), AllOf(HasSubstr("test:1.0 does not boot (bzimage, tcg)"),
                                 HasSubstr("exit code 1"), HasSubstr("qemu: no room")));
}

TEST_F(BootTest, QemuThatDiesIsTold) {
  StandIn("kill -ABRT $$");
  EXPECT_THAT(BootError(), HasSubstr("was killed by SIGABRT"));
}

// What the script does on a descriptor that QEMU's arguments name by its chardev.
std::string On(const std::string& chardev, const std::string& printed) {
  return "fd=$(printf '%s ' \"$@\" | sed 's#.*id=" + chardev +
         ",[a-z]*=[a-z/]*\\([0-9]*\\).*#\\1#')\nexport fd\nbash -c \"printf '" + printed +
         "' >&\\$fd\"\n";
}

TEST_F(BootTest, FailuresHaveKinds) {
  using Kind = BootFailure::Kind;
  const struct {
    std::string body;
    Kind kind;
    std::string console;
  } kFailures[] = {
      {"exit 1", Kind::kEmulatorDied, ""},
      {"exit 0", Kind::kMachineReset, ""},
      {On("console", "Kernel panic - not syncing: x\\n") + "exit 0", Kind::kKernelDied,
       "Kernel panic - not syncing: x\n"},
      {"exec sleep 1000", Kind::kNoOutput, ""},
      {On("console", "hello\\n") + "exec sleep 1000", Kind::kNoAgent, "hello\n"},
      {On("qmp", R"({\"event\": \"STOP\"}\n)") + "exec sleep 1000", Kind::kEmulatorDied, ""},
      {On("agent", "\\0\\0\\0\\0c") + "exec sleep 1000", Kind::kBadAgent, ""},
  };
  for (const auto& [body, kind, console] : kFailures) {
    StandIn(body);
    BootPlan plan;
    plan.spec = &spec_;
    plan.qemu = {options_.qemu, "9.9"};
    plan.boot = BootMode::kBzImage;
    plan.limit = std::chrono::seconds(kind == Kind::kNoOutput || kind == Kind::kNoAgent ? 1 : 20);
    const auto booted = AttemptBoot(plan);
    ASSERT_FALSE(booted);
    EXPECT_EQ(booted.error().kind, kind) << booted.error().error.message;
    EXPECT_EQ(booted.error().console, console);
    const bool is_the_kernels = kind != Kind::kEmulatorDied && kind != Kind::kBadAgent;
    const auto explained = BootOrExplain(plan, options_);
    ASSERT_FALSE(explained);
    EXPECT_EQ(explained.error().kind, is_the_kernels ? ErrorKind::kNoBoot : ErrorKind::kUnable)
        << explained.error().message;
  }
  BootPlan plan;
  plan.spec = &spec_;
  spec_.initramfs.path = "/no/such/initramfs";
  EXPECT_EQ(AttemptBoot(plan).error().kind, Kind::kHarness);
  EXPECT_EQ(BootFailure(Interruption()).kind, Kind::kInterrupted);
}

TEST_F(BootTest, TheEmulatorsSlipIsBootedAgainTwiceAtMost) {
  const fs::path count = scratch_.path() / "count";
  std::vector<std::string> notes;
  options_.note = [&](const std::string& line) { notes.push_back(line); };
  const auto dies_of = [&](const std::string& report) {
    StandIn("echo started >> " + count.string() + "\n" +
            On("console", report + "\\nKernel panic - not syncing: Fatal exception\\n") + "exit 0");
    fs::permissions(scratch_.path(), fs::perms::all);
    return BootError();
  };
  EXPECT_THAT(dies_of("Oops: int3: 0000 [#1] SMP"),
              AllOf(HasSubstr("test:1.0 does not boot"),
                    HasSubstr("Oops: int3: 0000 [#1] SMP; Kernel panic - not syncing")));
  EXPECT_EQ(*ReadFile(count), "started\nstarted\nstarted\n");
  EXPECT_THAT(notes, ::testing::SizeIs(2));
  EXPECT_THAT(notes, ::testing::Each(HasSubstr("stray int3")));
  fs::remove(count);
  EXPECT_THAT(dies_of("IO-APIC + timer doesn'\\''t work!"), HasSubstr("does not boot"));
  EXPECT_EQ(*ReadFile(count), "started\nstarted\nstarted\n");
  // What another kernel dies of is its own affair.
  fs::remove(count);
  EXPECT_THAT(dies_of("Oops: 0002 [#1] SMP"), HasSubstr("does not boot"));
  EXPECT_EQ(*ReadFile(count), "started\n");
}

TEST_F(BootTest, BootThatNeverComesUpEndsAtItsLimit) {
  StandIn("exec sleep 1000");
  options_.boot_limit = std::chrono::seconds(1);
  EXPECT_THAT(BootError(), AllOf(HasSubstr("did not come up within 1 s"),
                                 HasSubstr("its console stayed empty")));
}

TEST_F(BootTest, CtrlCEndsABootAtOnce) {
  StandIn("exec sleep 1000");
  std::thread user([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    RequestInterrupt();
  });
  const auto booted = BootFresh(spec_, options_);
  user.join();
  ClearInterruptForTesting();
  ASSERT_FALSE(booted);
  EXPECT_EQ(booted.error().kind, ErrorKind::kInterrupted);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_F(BootTest, NoQemuSaysHowToGetOne) {
  options_.qemu = "/no/such/qemu";
  EXPECT_THAT(BootError(), HasSubstr("/no/such/qemu: No such file"));
  options_.qemu.clear();
  const std::string path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  ::setenv("PATH", "/no/such/folder", 1);        // NOLINT(concurrency-mt-unsafe)
  EXPECT_THAT(BootError(), HasSubstr("apt-get install qemu-system-x86"));
  ::setenv("PATH", path.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
}

TEST_F(BootTest, WhatIsNoQemuIsRefused) {
  options_.qemu = "/bin/true";
  EXPECT_THAT(BootError(), HasSubstr("/bin/true is no QEMU"));
}

TEST_F(BootTest, KernelThatIsNoneIsRefusedBeforeQemuStarts) {
  StandIn("exit 1");
  ASSERT_TRUE(WriteFileAtomically(spec_.kernel.image, "kernel"));
  for (const char* boot : {"direct", "bzimage"}) {
    options_.boot = boot;
    EXPECT_THAT(BootError(),
                AllOf(HasSubstr("neither a bzImage nor a vmlinux"), Not(HasSubstr("--boot"))));
  }
  spec_.kernel.image = "/no/such/kernel";
  EXPECT_THAT(BootError(), HasSubstr("/no/such/kernel: No such file"));
}

// QEMU would boot it over PVH, and the records would call that the firmware's way.
TEST_F(BootTest, VmlinuxThroughTheFirmwareIsWrongUsageBeforeQemuStarts) {
  const fs::path started = scratch_.path() / "started";
  StandIn("touch " + started.string() + "; exit 1");
  fs::permissions(scratch_.path(), fs::perms::all);
  ASSERT_TRUE(WriteFileAtomically(spec_.kernel.image, SmallElf()));
  for (const Accelerator each : {Accelerator::kAuto, Accelerator::kTcg}) {
    options_.accelerator = each;
    for (const Status& status :
         {Status(BootFresh(spec_, options_).map([](auto&&) {})),
          Status(PlanBoot(spec_, options_).map([](auto&&) {})), RunShell(spec_, options_)}) {
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().kind, ErrorKind::kUsage);
      EXPECT_THAT(status.error().message,
                  AllOf(HasSubstr("is a vmlinux"), HasSubstr("--boot direct")));
    }
  }
  EXPECT_FALSE(KernelFor(spec_, BootMode::kBzImage));
  EXPECT_TRUE(KernelFor(spec_, BootMode::kDirect));
  EXPECT_FALSE(fs::exists(started));
}

TEST_F(BootTest, TheOptionsCpuModelGoesBeforeTheProfiles) {
  StandIn("exit 1");
  const auto cpu = [&] {
    const auto plan = PlanBoot(spec_, options_);
    return plan ? ArgumentsOf(*plan).cpu : plan.error().message;
  };
  EXPECT_EQ(cpu(), "max");
  spec_.profile.cpu = "max,+svm";
  EXPECT_EQ(cpu(), "max,+svm");
  options_.cpu = "qemu64";
  EXPECT_EQ(cpu(), "qemu64");
}

TEST_F(BootTest, KernelThatCannotBootDirectlyIsNotHeldAgainstKvm) {
  StandIn("exit 1");
  options_.boot = "direct";
  options_.accelerator = Accelerator::kAuto;
  options_.kvm_device = "/dev/null";  // opens
  ASSERT_TRUE(WriteFileAtomically(spec_.kernel.image, SmallElf(17)));
  const auto choice = PlanBoot(spec_, options_);
  ASSERT_FALSE(choice);
  EXPECT_THAT(choice.error().message, HasSubstr("no PVH entry"));
}

}  // namespace
}  // namespace kassay
