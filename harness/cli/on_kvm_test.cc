// kassay on KVM, in an emulated machine that has it (vm/testing/nested_machine.h): what nearly
// every user runs, and what no machine without virtualization could try otherwise. Minutes on two
// cores; one test for CTest, so that the machine is booted once.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "harness/base/installation.h"
#include "harness/cli/exit_code.h"
#include "harness/compare/baseline_files.h"
#include "harness/result/run_result.h"
#include "harness/vm/testing/nested_machine.h"

namespace kassay {
namespace {

using cli::ExitCode;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::NestedMachine;
using ::testing::Not;
using ::testing::Pair;

constexpr const char* kKernel = "debian:7.0.13";

// A part of every suite that runs in machines: quick ones, two that fail on this kernel, and one in
// which the kernel takes the machine down.
constexpr const char* kCases[] = {
    "io_uring.Filter.DeniedRequestsHaveNoEffect",
    "io_uring.Exec.KeepsTheFilterAfterARingWasUsed",
    "mount.Container.PivotsToAFreshRootInside",
    "landlock_tsync.Running.ThreadsInALoopOfTheirOwnAreReached",
    "selinux_bpf_token.Token.GrantsOnlyDelegatedTypes",
    "mldsa.CertificateSyntax.UnusedBitsInTheKeyAreRefused/mldsa65",
    "module_signature.Open.ATruncatedSignatureIsMalformed",
    "dm_verity.Corruption.TheTreesPaddingCounts",
    "dm_verity.Panic.OnADamagedTree",
    "fs_verity.EachDamage.AZeroedBlockIsDamagedToo/ext4",
    "posture.Option/Table.ConfigurationAndSystemAgree/STRICT_KERNEL_RWX",
    "typed_alloc.Allocation.RefusesACountThatTheCounterCannotHold",
};

class OnKvm : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const Installation installation = Installation::OfThisProgram();
    const auto bin = installation.libexec_dir.parent_path().parent_path() / "bin";
    auto machine = NestedMachine::Boot(
        {installation, kKernel, {bin / "kassay", bin / "snapshot_test"}, ::testing::TempDir()});
    ASSERT_TRUE(machine) << machine.error().message;
    machine_ = std::make_unique<NestedMachine>(std::move(*machine));
    // As udev makes it: for a group. Any that is known inside does.
    Run("chown root:kassay /dev/kvm && chmod 0660 /dev/kvm");
  }
  static void TearDownTestSuite() { machine_.reset(); }
  void SetUp() override { ASSERT_NE(machine_, nullptr); }

  static GuestOutcome Run(const std::string& script, seconds limit = seconds(60)) {
    auto outcome = machine_->Run(script, limit);
    EXPECT_TRUE(outcome) << outcome.error().message;
    if (!outcome) return {};
    EXPECT_EQ(outcome->end, GuestOutcome::End::kExited) << outcome->output << outcome->console;
    return *std::move(outcome);
  }

  // `kassay run`; all limits are wide, for a machine in a machine is slow.
  static std::string RunCommand(const std::string& out, const std::string& options) {
    return fmt::format("kassay run --kernel {} --cpu {} {} --limit-scale 10 --out {} {}", kKernel,
                       NestedMachine::kCpu, NestedMachine::kOptions, out, options);
  }
  static RunResult ResultOf(const std::string& out) {
    auto run = RunResultFromJson(Run("cat " + out + "/results.json").output);
    EXPECT_TRUE(run) << run.error().message;
    return run.value_or(RunResult());
  }

  static std::map<std::string, Verdict> VerdictsOf(const auto& cases) {
    std::map<std::string, Verdict> verdicts;
    for (const auto& each : cases) {
      if constexpr (requires { each.id; }) {
        verdicts[each.id] = each.verdict;
      } else {
        verdicts[each.Id()] = each.verdict;
      }
    }
    return verdicts;
  }

  // Options that select these cases of the suites of kCases, which share a snapshot.
  static std::string OnlyCases(const std::string& filter) {
    std::set<std::string> suites;
    for (const std::string_view id : kCases) suites.emplace(id.substr(0, id.find('.')));
    return fmt::format("--suite {} --case '{}'", fmt::join(suites, ","), filter);
  }
  static std::string EverySuite() {
    std::vector<std::string_view> names;
    for (const std::string_view id : kCases) names.push_back(id.substr(id.find('.') + 1));
    return OnlyCases(fmt::format("{}", fmt::join(names, ":")));
  }

  static inline std::unique_ptr<NestedMachine> machine_;
};

// First: the later ones use its snapshots.
TEST_F(OnKvm, EverySuiteSaysWhatItSaysUnderEmulation) {
  const GuestOutcome ran =
      Run(RunCommand("first", "--accel kvm --quiet " + EverySuite()), seconds(900));
  EXPECT_EQ(ran.status, static_cast<int>(ExitCode::kNonconformant)) << ran.output;
  const RunResult run = ResultOf("first");
  EXPECT_EQ(run.environment.accelerator, "kvm");
  EXPECT_EQ(run.environment.cpu, NestedMachine::kCpu);
  EXPECT_THAT(run.asked, Contains(Pair("cpu", NestedMachine::kCpu)));
  EXPECT_THAT(run.asked, Contains(Pair("accel", "kvm")));

  const auto folder = FindBaseline(Installation::OfThisProgram().BaselinesDir(), run.kernel);
  ASSERT_TRUE(folder) << folder.error().message;
  const auto baseline = LoadBaseline(*folder);
  ASSERT_TRUE(baseline) << baseline.error().message;
  const auto recorded = VerdictsOf(baseline->cases);
  const auto found = VerdictsOf(run.cases);
  EXPECT_EQ(found.size(), std::size(kCases));
  for (const char* id : kCases) {
    ASSERT_TRUE(recorded.contains(id)) << id;
    ASSERT_TRUE(found.contains(id)) << id << "\n" << ran.output;
    EXPECT_EQ(ToString(found.at(id)), ToString(recorded.at(id))) << id << "\n" << ran.output;
  }
}

// The virtual machine's own tests: time, randomness, a panic, a reset, a hang.
TEST_F(OnKvm, MachinesBehaveAsUnderEmulation) {
  const GuestOutcome ran =
      Run(fmt::format("export KASSAY_TEST_ACCEL=kvm KASSAY_TEST_CPU={}\n"
                      "snapshot_test --gtest_brief=1 --gtest_filter='*.RestoredMachine*:*.Two*:"
                      "*.Records*:*.Panic*:*.Reset*:*.Hang*:*.ProgramOver*:*.SameInputs*'",
                      NestedMachine::kCpu),
          seconds(600));
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("[  PASSED  ] 10 tests"));
}

// A later run restores what was made, until the device goes away. Emulation inside of emulation
// would take minutes: it is enough that it begins.
TEST_F(OnKvm, ADeviceThatGoesAwayInTheMiddleIsFollowedByEmulation) {
  const std::string snapshots = "stat -c '%n %i %Y' $KASSAY_CACHE_DIR/snapshots/*/manifest.json";
  const std::string made = Run(snapshots).output;
  EXPECT_THAT(made, HasSubstr("manifest.json"));
  const std::string run = RunCommand("lost", "--accel auto " + OnlyCases("Filter.*"));
  const GuestOutcome ran = Run(run + R"sh( >lost.log 2>&1 &
until [ "$(grep -c '"type":"case"' lost/journal.jsonl)" -ge 2 ]; do
  kill -0 $! || break; sleep 0.2
done 2>/dev/null
mv /dev/kvm /dev/kvm-away
until grep -q 'emulation instead of KVM' lost.log; do kill -0 $! || break; sleep 0.2; done
kill -INT $!
wait $!
echo "exit code $?"
mv /dev/kvm-away /dev/kvm
cat lost.log
)sh",
                               seconds(600));
  EXPECT_THAT(ran.output, HasSubstr("exit code 130"));
  const RunResult lost = ResultOf("lost");
  EXPECT_TRUE(lost.interrupted);
  EXPECT_EQ(lost.environment.accelerator, "kvm");
  EXPECT_GE(lost.cases.size(), 2U);
  for (const CaseResult& result : lost.cases)
    EXPECT_EQ(ToString(result.verdict), "pass") << result.Id() << ": " << result.reason;
  EXPECT_THAT(lost.notes, Contains(AllOf(HasSubstr("emulation instead of KVM"),
                                         HasSubstr("no /dev/kvm"), Not(HasSubstr("\n")))))
      << ran.output;
  EXPECT_EQ(Run(snapshots).output, made);
}

// Last: of what is remembered of KVM, nothing holds for another device.
TEST_F(OnKvm, ADeviceForRootAloneIsNotTheKernelsFault) {
  const GuestOutcome ran = Run(
      "chmod 0600 /dev/kvm\n" + RunCommand("refused", "--accel kvm --suite io_uring"), seconds(60));
  EXPECT_EQ(ran.status, static_cast<int>(ExitCode::kCouldNotTest));
  EXPECT_THAT(ran.output, AllOf(HasSubstr("KVM does not work here"), HasSubstr("mode 0600"),
                                HasSubstr("--accel tcg")));
}

}  // namespace
}  // namespace kassay
