// What is believed of KVM, and when it is asked again. A script stands in for QEMU, a file for the
// device.
#include "harness/vm/kvm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "harness/base/file.h"
#include "harness/vm/testing/images.h"
#include "harness/vm/testing/stand_in_qemu.h"
#include "harness/vm/testing/test_machine.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class KvmTest : public ::testing::Test {
 protected:
  void SetUp() override {
    spec_.kernel.image = scratch_.path() / "bzImage";
    spec_.kernel.identity.spec = "test:1.0";
    spec_.kernel.identity.image_sha256 = "1";
    spec_.profile.name = "test";
    spec_.initramfs.path = scratch_.path() / "initramfs";
    ASSERT_TRUE(WriteFileAtomically(spec_.kernel.image, testing::SmallBzImage("")));
    ASSERT_TRUE(WriteFileAtomically(spec_.initramfs.path, "initramfs"));
    options_.cache_dir = scratch_.path();
    options_.boot = "bzimage";
    options_.accelerator = Accelerator::kAuto;
    options_.boot_limit = std::chrono::seconds(20);
    options_.kvm_device = scratch_.path() / "kvm";
    ASSERT_TRUE(WriteFileAtomically(options_.kvm_device, ""));
    Mode(0666);
    // Boots end badly; KVM alone opens if the file `opens` is there.
    options_.qemu = scratch_.path() / "qemu";
    testing::WriteStandInQemu(options_.qemu,
                              "case \"$*\" in\n*'-machine none'*)\n"
                              "  echo asked >> " +
                                  Log() + "\n  [ -e " + Opens().string() +
                                  " ] && exit 0\n  echo 'failed to initialize kvm' >&2; exit 1;;\n"
                                  "esac\necho booted >> " +
                                  Log() +
                                  "\necho 'error: failed to set MSR 0x48d to 0x5d00000016' >&2; "
                                  "kill -ABRT $$");
    fs::permissions(scratch_.path(), fs::perms::all);
    ASSERT_TRUE(WriteFileAtomically(Log(), ""));
    fs::permissions(Log(), fs::perms::all);
  }

  [[nodiscard]] std::string Log() const { return (scratch_.path() / "log").string(); }
  [[nodiscard]] fs::path Opens() const { return scratch_.path() / "opens"; }
  // What QEMU was started for since the last call.
  std::string Starts() {
    const std::string log = *ReadFile(Log());
    fs::resize_file(Log(), 0);
    return log;
  }
  void Mode(unsigned mode) const {
    fs::permissions(options_.kvm_device, static_cast<fs::perms>(mode));
  }
  // Why KVM does not work, as a plan says it; empty if it does.
  std::string WhySlow() {
    const auto plan = PlanBoot(spec_, options_);
    if (!plan) return "error: " + plan.error().message;
    EXPECT_EQ(plan->accelerator == Accelerator::kKvm, plan->why_slow.empty());
    return plan->why_slow;
  }
  // As if a kernel had come up under it.
  void RememberThatItWorks() {
    WhySlow();
    const fs::path file = scratch_.path() / "kvm.json";
    auto json = nlohmann::json::parse(*ReadFile(file));
    json["works"]["max"] = true;
    json.erase("fails");
    ASSERT_TRUE(WriteFileAtomically(file, json.dump()));
    Starts();
  }

  testing::ScratchFolder scratch_;
  MachineSpec spec_;
  VmOptions options_;
};

TEST_F(KvmTest, ThatOpensButDoesNotWorkIsReplacedByEmulationAndRemembered) {
  const std::string why = WhySlow();
  EXPECT_THAT(why, AllOf(HasSubstr("KVM does not work here"), HasSubstr("MSR 0x48d")));
  EXPECT_EQ(why.find('\n'), std::string::npos);
  EXPECT_EQ(Starts(), "booted\n");
  EXPECT_EQ(WhySlow(), why);
  EXPECT_EQ(Starts(), "");
  // Of another kernel nothing is known.
  spec_.kernel.identity.image_sha256 = "2";
  EXPECT_EQ(WhySlow(), why);
  EXPECT_EQ(Starts(), "booted\n");
  options_.accelerator = Accelerator::kKvm;
  EXPECT_THAT(WhySlow(), AllOf(HasSubstr("error: "), HasSubstr("use --accel tcg")));
}

TEST_F(KvmTest, ANoHoldsForItsSurroundingsAlone) {
  WhySlow();
  Starts();
  Mode(0660);
  Mode(0666);
  WhySlow();
  EXPECT_EQ(Starts(), "booted\n") << "the device was changed";
  fs::last_write_time(options_.qemu, fs::file_time_type::clock::now() - std::chrono::hours(1));
  WhySlow();
  EXPECT_EQ(Starts(), "booted\n") << "QEMU is another";
  WhySlow();
  EXPECT_EQ(Starts(), "");
  options_.kvm_anew = true;
  WhySlow();
  EXPECT_EQ(Starts(), "booted\n") << "asked as if nothing were remembered";
}

TEST_F(KvmTest, AYesIsProvenByUse) {
  RememberThatItWorks();
  ASSERT_TRUE(WriteFileAtomically(Opens(), ""));
  EXPECT_EQ(WhySlow(), "");
  EXPECT_EQ(Starts(), "asked\n");
  fs::remove(Opens());
  EXPECT_THAT(WhySlow(), HasSubstr("failed to initialize kvm"));
  EXPECT_EQ(Starts(), "asked\n");
  // It is a yes no more.
  EXPECT_THAT(WhySlow(), HasSubstr("MSR 0x48d"));
  EXPECT_EQ(Starts(), "booted\n");
}

// A kernel may come up with one model and die with another.
TEST_F(KvmTest, AYesIsOfOneCpuModel) {
  RememberThatItWorks();
  ASSERT_TRUE(WriteFileAtomically(Opens(), ""));
  options_.cpu = "qemu64";
  EXPECT_THAT(WhySlow(), HasSubstr("MSR 0x48d"));
  EXPECT_EQ(Starts(), "booted\n");
  options_.cpu = "";
  EXPECT_EQ(WhySlow(), "");
  EXPECT_EQ(Starts(), "asked\n");
}

TEST_F(KvmTest, AYesOfOtherSurroundingsCountsForNothing) {
  RememberThatItWorks();
  Mode(0660);
  Mode(0666);
  EXPECT_THAT(WhySlow(), HasSubstr("MSR 0x48d"));
  EXPECT_EQ(Starts(), "booted\n");
}

TEST_F(KvmTest, ADeviceThatQemuMayNotOpenIsToldWithItsRemedy) {
  EXPECT_FALSE(KvmTroubleWith(options_.kvm_device));
  Mode(::geteuid() == 0 ? 0600 : 0);
  const auto trouble = KvmTroubleWith(options_.kvm_device);
  ASSERT_TRUE(trouble);
  EXPECT_THAT(trouble->what, AllOf(HasSubstr("may not open it"), HasSubstr("has the mode 0")));
  EXPECT_THAT(trouble->remedy, HasSubstr("chmod 0660 " + options_.kvm_device.string()));
  EXPECT_THAT(WhySlow(), HasSubstr(trouble->what));
  EXPECT_EQ(Starts(), "") << "nobody is asked what the mode tells";
  // Mended, it is asked.
  Mode(0666);
  EXPECT_THAT(WhySlow(), HasSubstr("MSR 0x48d"));

  fs::remove(options_.kvm_device);
  EXPECT_EQ(KvmDeviceFacts(options_.kvm_device), "none");
  EXPECT_EQ(KvmTroubleWith(options_.kvm_device)->what,
            "there is no " + options_.kvm_device.string());
  EXPECT_THAT(KvmTroubleWith(options_.kvm_device)->remedy, HasSubstr("modprobe kvm_intel"));
}

}  // namespace
}  // namespace kassay
