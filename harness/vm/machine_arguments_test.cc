#include "harness/vm/machine_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kassay {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

TEST(KernelCommandLine, HasShortcutsOnlyInDirectMode) {
  Profile profile;
  profile.command_line = {"lsm=landlock", "mitigations=auto"};
  const std::string direct = KernelCommandLine(kX86_64, profile, BootMode::kDirect);
  EXPECT_THAT(direct, HasSubstr("mitigations=off"));
  EXPECT_TRUE(direct.ends_with(" lsm=landlock mitigations=auto")) << direct;
  const std::string shipped = KernelCommandLine(kX86_64, profile, BootMode::kBzImage);
  EXPECT_EQ(shipped, "console=ttyS0 earlyprintk=ttyS0 panic=-1 lsm=landlock mitigations=auto");
}

TEST(MachineArguments, AreOfTheArchitecture) {
  Architecture other = kX86_64;
  other.console = "ttyAMA0";
  other.clock_words = "tick=slow";
  other.qemu_machine = "virt";
  const Profile profile;
  const std::string line = KernelCommandLine(other, profile, BootMode::kDirect);
  EXPECT_TRUE(line.starts_with("console=ttyAMA0 earlyprintk=ttyAMA0 ")) << line;
  EXPECT_THAT(line, HasSubstr(" tick=slow "));
  EXPECT_THAT(line, Not(HasSubstr("tsc=")));
  MachineArguments machine;
  machine.architecture = &other;
  machine.profile = &profile;
  EXPECT_THAT(QemuArguments(machine), Contains("virt"));
}

TEST(QemuArguments, RestoresTheMachineThatWasSaved) {
  Profile profile;
  profile.disk_mib = 16;
  MachineArguments saved;
  saved.profile = &profile;
  saved.fds = {10, 11, 12, 13, 14, 15, 16};
  MachineArguments restored = saved;
  restored.fds.kernel = restored.fds.initramfs = -1;
  restored.restored = true;
  auto before = QemuArguments(saved);
  auto after = QemuArguments(restored);
  EXPECT_THAT(before, Contains(HasSubstr("mem-path=/proc/self/fd/13,share=on")));
  EXPECT_THAT(after, Contains(HasSubstr("mem-path=/proc/self/fd/13,share=off")));
  EXPECT_THAT(after, Not(Contains("-kernel")));
  EXPECT_THAT(after, Contains("-incoming"));
  const auto devices = [](const std::vector<std::string>& arguments) {
    std::vector<std::string> found;
    for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
      if (arguments[i] == "-device" || arguments[i] == "-machine" || arguments[i] == "-cpu" ||
          arguments[i] == "-smp" || arguments[i] == "-m")
        found.push_back(arguments[i + 1]);
    }
    return found;
  };
  EXPECT_EQ(devices(before), devices(after));
  EXPECT_THAT(devices(before), Contains(HasSubstr("virtio-blk-pci")));
}

TEST(QemuArguments, HaveTheCpuModelAsOneWord) {
  const auto cpu_of = [](const std::string& model) {
    const Profile profile;
    MachineArguments machine;
    machine.profile = &profile;
    if (!model.empty()) machine.cpu = model;
    const auto arguments = QemuArguments(machine);
    const auto cpu = std::find(arguments.begin(), arguments.end(), "-cpu");
    return cpu == arguments.end() ? "" : *(cpu + 1);
  };
  EXPECT_EQ(cpu_of(""), "max");
  EXPECT_EQ(cpu_of("qemu64,+svm"), "qemu64,+svm");
}

TEST(QemuArguments, StartThroughUefi) {
  const Profile profile;
  MachineArguments saved;
  saved.profile = &profile;
  saved.fds.firmware_code = 20;
  saved.fds.firmware_variables = 21;
  saved.fds.boot_disk = 22;
  MachineArguments restored = saved;
  restored.restored = true;
  restored.fds.state = 23;
  const auto before = QemuArguments(saved);
  EXPECT_THAT(before, Contains(AllOf(HasSubstr("q35"), HasSubstr("smm=on"),
                                     HasSubstr("pflash0=code,pflash1=variables"))));
  EXPECT_THAT(before, Contains("driver=cfi.pflash01,property=secure,value=on"));
  EXPECT_THAT(before, Contains(AllOf(HasSubstr("node-name=code"), HasSubstr("/proc/self/fd/20"),
                                     HasSubstr("read-only=on"))));
  EXPECT_THAT(before, Contains(AllOf(HasSubstr("node-name=variables"),
                                     HasSubstr("/proc/self/fd/21"), Not(HasSubstr("read-only")))));
  EXPECT_THAT(before, Not(Contains("-kernel")));
  EXPECT_THAT(before, Not(Contains("-incoming")));
  auto after = QemuArguments(restored);
  ASSERT_GE(after.size(), 2U);
  EXPECT_EQ(after[after.size() - 2], "-incoming");
  after.resize(after.size() - 2);
  EXPECT_EQ(before, after) << "the same machine";
  EXPECT_THAT(restored.fds.Open(), UnorderedElementsAre(20, 21, 22, 23));
}

TEST(QemuArguments, GiveNoNetworkAndNoWayOut) {
  const Profile profile;
  MachineArguments machine;
  machine.profile = &profile;
  const auto arguments = QemuArguments(machine);
  const auto nic = std::find(arguments.begin(), arguments.end(), "-nic");
  ASSERT_NE(nic, arguments.end());
  EXPECT_EQ(*(nic + 1), "none");
  EXPECT_THAT(arguments, Contains("-nodefaults"));
  EXPECT_THAT(arguments, Contains("-no-user-config"));
  EXPECT_THAT(arguments,
              Contains("on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"));
}

TEST(Names, AreReadBack) {
  for (const Accelerator each : {Accelerator::kAuto, Accelerator::kKvm, Accelerator::kTcg})
    EXPECT_EQ(*ParseAccelerator(Name(each)), each);
  for (const BootMode each : {BootMode::kDirect, BootMode::kBzImage})
    EXPECT_EQ(*ParseBootMode(Name(each)), each);
  EXPECT_EQ(ParseAccelerator("xen").error().kind, ErrorKind::kUsage);
  EXPECT_EQ(ParseBootMode("").error().kind, ErrorKind::kUsage);
}

}  // namespace
}  // namespace kassay
