// The run service over machines that a test makes up: no QEMU, no kernel.
#include "harness/run/run.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "harness/base/file.h"
#include "harness/base/interrupt.h"
#include "harness/target/lab.h"
#include "harness/verdict/journal.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using End = GuestOutcome::End;

constexpr const char* kCatalogue = R"([suite]
name = "ring"
title = "Rings"
profile = "stock"
[[feature]]
id = "lists"
title = "Lists"
since = "7.0"
kconfig = ["CONFIG_RING"]
[[requirement]]
id = "R-1"
text = "Denies."
source = "x.c"
feature = "lists"
[[requirement.errata]]
affects = "<7.1.8"
fixed = "7.1.8"
text = "Does not deny."
source = "x.c"
cases = ["Ring.Denies"]
)";

std::string CaseJson(const std::string& name, bool detection = false) {
  return fmt::format(R"({{"case":"{}","requirements":["R-1"],"detection":{},"timeout_s":5,)"
                     R"("profile":"","expects_panic":"","allows_taint":"","file":"f","line":1}})",
                     name, detection);
}

// What a made-up guest does for each program, by "suite.case" or "suite.Probe".
using Behaviour = std::function<Result<GuestOutcome>(const std::string& log_name)>;

GuestOutcome Passing(const std::string& log_name) {
  const std::string name = log_name.substr(log_name.find('.') + 1);
  GuestOutcome outcome;
  outcome.end = End::kExited;
  outcome.records = {fmt::format(R"({{"type":"case_start","case":"{}"}})", name),
                     fmt::format(R"({{"type":"case_end","case":"{}","passed":true}})", name)};
  return outcome;
}

GuestOutcome Failing(const std::string& log_name) {
  GuestOutcome outcome = Passing(log_name);
  const std::string name = log_name.substr(log_name.find('.') + 1);
  outcome.records[1] = fmt::format(
      R"({{"type":"failure","case":"{}","file":"ring.cc","line":3,"message":"no"}})", name);
  outcome.records.push_back(
      fmt::format(R"({{"type":"case_end","case":"{}","passed":false}})", name));
  outcome.status = 1;
  return outcome;
}

GuestOutcome Probed(bool present) {
  GuestOutcome outcome;
  outcome.end = End::kExited;
  outcome.records = {fmt::format(
      R"({{"type":"feature","feature":"lists","present":{},"detail":"seen"}})", present)};
  return outcome;
}

class FakeGuest : public Guest {
 public:
  FakeGuest(const Behaviour& behaviour, std::vector<GuestCommand>& commands, std::mutex& mutex)
      : behaviour_(behaviour), commands_(commands), mutex_(mutex) {}
  Result<GuestOutcome> Run(const GuestCommand& command,
                           const std::function<void(const std::string&)>&) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      commands_.push_back(command);
    }
    return behaviour_(command.log_name);
  }

 private:
  const Behaviour& behaviour_;
  std::vector<GuestCommand>& commands_;
  std::mutex& mutex_;
};

class FakeLab : public Lab {
 public:
  Behaviour behaviour = [](const std::string& log_name) -> Result<GuestOutcome> {
    return log_name == "ring.Probe" ? Probed(true) : Passing(log_name);
  };
  std::optional<Error> broken;  // every Fresh() fails
  std::string finding;          // what every Fresh() notes
  std::atomic<int> machines{0};

  Status Ready(const std::set<std::string>&) const override { return {}; }
  Result<std::unique_ptr<Guest>> Fresh(const std::string& profile, const NoteSink& note) override {
    if (broken) return Fail(*broken);
    if (!finding.empty()) note(profile + ": " + finding);
    ++machines;
    return std::make_unique<FakeGuest>(behaviour, commands, mutex_);
  }
  std::string SuitePath(const std::string&, const std::string& suite) const override {
    return "/kassay/suites/" + suite;
  }
  std::vector<GuestCommand> commands;  // all that ran, to be read when the run is over

  std::map<std::string, TargetFacts> Facts() const override {
    TargetFacts facts;
    facts.emulator = "7.2.22";
    facts.accelerator = "tcg";
    facts.cpu = "max";
    facts.boot = "direct";
    facts.command_line = "console=ttyS0";
    std::map<std::string, TargetFacts> all = {{"stock", facts}};
    for (const auto& [profile, boot] : more_boots) {
      facts.boot = boot;
      all[profile] = facts;
    }
    for (const auto& [profile, cpu] : more_cpus) {
      facts.cpu = cpu;
      all[profile] = facts;
    }
    return all;
  }
  std::map<std::string, std::string> more_boots;  // of other profiles
  std::map<std::string, std::string> more_cpus;

 private:
  std::mutex mutex_;
};

class Collector : public RunObserver {
 public:
  void OnNote(const std::string& text) override { notes.push_back(text); }
  void OnPlan(size_t cases, size_t) override { planned = cases; }
  void OnCase(const CaseResult& result) override {
    seen.push_back(result.Id());
    if (stop_after == seen.size()) RequestInterrupt();
  }
  std::vector<std::string> notes;
  std::vector<std::string> seen;
  size_t planned = 0;
  size_t stop_after = 0;
};

class RunTest : public ::testing::Test {
 protected:
  RunTest() {
    std::string name = ::testing::TempDir() + "/run-XXXXXX";
    dir_ = ::mkdtemp(name.data());
    EXPECT_TRUE(WriteFileAtomically(dir_ / "data/suites/ring/requirements.toml", kCatalogue));
    EXPECT_TRUE(WriteFileAtomically(dir_ / "data/vm/profiles/stock.toml",
                                    "description = \"As the vendor boots it\"\n"));
    WriteSuite({CaseJson("Detection.FailsClosed", true), CaseJson("Ring.Allows"),
                CaseJson("Ring.Denies")});
    kernel_.identity.spec = "debian:7.0.13";
    kernel_.identity.version = "7.0.13";
    kernel_.config = KernelConfig::Parse("CONFIG_RING=y\n").value();
    options_.out_dir = dir_ / "out";
    options_.installation.data_dir = dir_ / "data";
    options_.installation.libexec_dir = dir_ / "libexec";
    options_.installation.cache_dir = dir_ / "cache";
    options_.jobs = 1;
  }
  ~RunTest() override {
    ClearInterruptForTesting();
    fs::remove_all(dir_);
  }

  void WriteSuite(const std::vector<std::string>& cases) {
    std::string list;
    for (const std::string& one : cases) list += (list.empty() ? "" : ",") + one;
    const fs::path path = dir_ / "libexec/suites/ring";
    const std::string script = fmt::format(
        "#!/bin/sh\ncat <<'END'\n{{\"suite\":\"ring\",\"features\":[\"lists\"],\"cases\":[{}]}}\n"
        "END\n",
        list);
    ASSERT_TRUE(WriteFileAtomically(path, script));
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
  }

  Result<RunResult> Run() { return RunKernel(lab_, kernel_, options_, seen_); }
  RunResult RunWell() {
    auto run = Run();
    EXPECT_TRUE(run) << run.error().message;
    return run ? *run : RunResult();
  }
  static const CaseResult& Find(const RunResult& run, const std::string& id) {
    for (const CaseResult& result : run.cases) {
      if (result.Id() == id) return result;
    }
    static const CaseResult none;
    ADD_FAILURE() << "no result of " << id;
    return none;
  }

  fs::path dir_;
  FakeLab lab_;
  Kernel kernel_;
  RunOptions options_;
  Collector seen_;
};

TEST_F(RunTest, GivesEveryCaseAVerdictInAFreshMachine) {
  const RunResult run = RunWell();
  EXPECT_THAT(run.cases, SizeIs(3));
  for (const CaseResult& result : run.cases) EXPECT_EQ(result.verdict, Verdict::kPass);
  EXPECT_EQ(lab_.machines, 4);  // one to probe, one a case
  ASSERT_THAT(run.features, SizeIs(1));
  EXPECT_EQ(run.features[0].status, FeatureStatus::kConformant);
  EXPECT_EQ(run.features[0].probe, "present: seen");
  EXPECT_EQ(run.environment.qemu_version, "7.2.22");
  EXPECT_EQ(run.environment.command_lines.at("stock"), "console=ttyS0");
  EXPECT_THAT(run.environment.suites_sha256, SizeIs(1));
  EXPECT_EQ(run.environment.suites_sha256.begin()->second.size(), 64U);
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kConformant);
  EXPECT_FALSE(run.interrupted);
  const auto journal = ReadJournal(options_.out_dir);
  ASSERT_TRUE(journal) << journal.error().message;
  EXPECT_THAT(journal->cases, SizeIs(3));
  EXPECT_TRUE(journal->ended);
}

TEST_F(RunTest, OneMachineASuiteUntilItIsHarmed) {
  options_.isolation = kSuiteIsolation;
  EXPECT_THAT(RunWell().cases, SizeIs(3));
  EXPECT_EQ(lab_.machines, 2);
  lab_.machines = 0;
  lab_.behaviour = [](const std::string& log_name) -> Result<GuestOutcome> {
    if (log_name == "ring.Probe") return Probed(true);
    GuestOutcome outcome = Passing(log_name);
    if (log_name == "ring.Ring.Allows") outcome.kernel_log = {"<4>[ 1.0] WARNING: x"};
    return outcome;
  };
  options_.out_dir = dir_ / "second";
  EXPECT_EQ(Find(RunWell(), "ring.Ring.Allows").verdict, Verdict::kCrash);
  EXPECT_EQ(lab_.machines, 3);
}

TEST_F(RunTest, AnOlderKernelRunsDetectionOnly) {
  kernel_.identity.version = "6.19.14";
  lab_.behaviour = [](const std::string& log_name) -> Result<GuestOutcome> {
    return log_name == "ring.Probe" ? Probed(false) : Passing(log_name);
  };
  const RunResult run = RunWell();
  EXPECT_EQ(Find(run, "ring.Detection.FailsClosed").verdict, Verdict::kPass);
  const CaseResult& left = Find(run, "ring.Ring.Denies");
  EXPECT_EQ(left.verdict, Verdict::kAbsent);
  EXPECT_EQ(left.reason, "lists: older kernel");
  EXPECT_EQ(left.attempts, 0);
  EXPECT_EQ(run.features[0].status, FeatureStatus::kAbsent);
  EXPECT_EQ(lab_.machines, 2);
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kConformant);
}

TEST_F(RunTest, AMissingFeatureFailsTheRun) {
  lab_.behaviour = [](const std::string& log_name) -> Result<GuestOutcome> {
    return log_name == "ring.Probe" ? Probed(false) : Passing(log_name);
  };
  const RunResult run = RunWell();
  EXPECT_EQ(run.features[0].status, FeatureStatus::kMissing);
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kNonconformant);
}

TEST_F(RunTest, AKnownBugSaysWhereItIsFixed) {
  lab_.behaviour = [](const std::string& log_name) -> Result<GuestOutcome> {
    if (log_name == "ring.Probe") return Probed(true);
    return Failing(log_name);
  };
  const RunResult run = RunWell();
  EXPECT_EQ(Find(run, "ring.Ring.Denies").reason, "known: fixed in 7.1.8: ring.cc:3: no");
  EXPECT_FALSE(Find(run, "ring.Ring.Allows").erratum);
  EXPECT_EQ(run.features[0].status, FeatureStatus::kNonconformant);
  EXPECT_EQ(run.features[0].reason, "3 of 3 cases do not hold");
}

TEST_F(RunTest, ACrashKeepsItsConsole) {
  lab_.behaviour = [](const std::string& log_name) -> Result<GuestOutcome> {
    if (log_name == "ring.Probe") return Probed(true);
    GuestOutcome outcome = Passing(log_name);
    if (log_name != "ring.Ring.Denies") return outcome;
    outcome.end = End::kKernelDied;
    outcome.console = "Kernel panic - not syncing: x\n";
    return outcome;
  };
  const RunResult run = RunWell();
  EXPECT_EQ(Find(run, "ring.Ring.Denies").verdict, Verdict::kCrash);
  EXPECT_EQ(ReadFile(options_.out_dir / "console/ring.Ring.Denies.log").value(),
            "Kernel panic - not syncing: x\n");
  EXPECT_FALSE(fs::exists(options_.out_dir / "console/ring.Ring.Allows.log"));
}

TEST_F(RunTest, AProbeThatKillsTheKernelIsAResult) {
  lab_.behaviour = [](const std::string& log_name) -> Result<GuestOutcome> {
    GuestOutcome outcome = Passing(log_name);
    if (log_name == "ring.Probe") outcome.end = End::kKernelDied;
    return outcome;
  };
  const RunResult run = RunWell();
  EXPECT_EQ(Find(run, "ring.Probe").verdict, Verdict::kCrash);
  EXPECT_EQ(Find(run, "ring.Ring.Denies").verdict, Verdict::kPass);
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kNonconformant);
}

TEST_F(RunTest, AHarnessErrorIsNoVerdictAboutTheKernel) {
  lab_.behaviour = [](const std::string& log_name) -> Result<GuestOutcome> {
    if (log_name == "ring.Probe") return Probed(true);
    if (log_name == "ring.Ring.Denies") return Fail("QEMU went away");
    return Passing(log_name);
  };
  const RunResult run = RunWell();
  EXPECT_EQ(Find(run, "ring.Ring.Denies").verdict, Verdict::kError);
  EXPECT_EQ(Find(run, "ring.Ring.Denies").reason, "QEMU went away");
  EXPECT_EQ(OutcomeOf(run), RunOutcome::kCouldNotTest);
}

TEST_F(RunTest, AKernelThatNeverComesUpIsAnErrorAndLeavesNothing) {
  lab_.broken = Error{"no boot within 60 s; the console's last lines: x"};
  const auto run = Run();
  ASSERT_FALSE(run);
  EXPECT_THAT(run.error().message, HasSubstr("the console's last lines"));
  EXPECT_FALSE(fs::exists(options_.out_dir));
}

TEST_F(RunTest, CtrlCKeepsWhatIsFinishedAndResumeDoesTheRest) {
  seen_.stop_after = 1;
  const RunResult first = RunWell();
  EXPECT_TRUE(first.interrupted);
  EXPECT_THAT(first.cases, SizeIs(1));
  EXPECT_EQ(OutcomeOf(first), RunOutcome::kInterrupted);
  ClearInterruptForTesting();
  seen_.stop_after = 0;
  options_.resume = true;
  lab_.machines = 0;
  const RunResult second = RunWell();
  EXPECT_FALSE(second.interrupted);
  EXPECT_THAT(second.cases, SizeIs(3));
  EXPECT_EQ(seen_.planned, 2U);
  EXPECT_EQ(lab_.machines, 2);  // the probe was done, one case too
  EXPECT_EQ(second.started_at, first.started_at);
}

TEST_F(RunTest, ResumeRefusesAnotherKernelAndOtherSuites) {
  RunWell();
  options_.resume = true;
  kernel_.identity.image_sha256 = "other";
  EXPECT_THAT(Run().error().message, HasSubstr("the kernel is not the one"));
  kernel_.identity.image_sha256.clear();
  WriteSuite({CaseJson("Ring.Allows")});
  EXPECT_THAT(Run().error().message, HasSubstr("the suites have changed"));
  options_.out_dir = dir_ / "nothing";
  EXPECT_EQ(Run().error().kind, ErrorKind::kUsage);
}

TEST_F(RunTest, AFolderWithARunIsNotOverwritten) {
  RunWell();
  const auto again = Run();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kUsage);
  EXPECT_TRUE(fs::exists(options_.out_dir / kJournalName));
}

TEST_F(RunTest, UnknownNamesAreUsageErrorsBeforeAnyMachine) {
  options_.suites = {"rings"};
  EXPECT_EQ(Run().error().message, "there is no suite 'rings'; there are: ring");
  options_.suites.clear();
  options_.filters = {"Rong.*"};
  const auto run = Run();
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(run.error().message, HasSubstr("no case matches 'Rong.*'"));
  EXPECT_EQ(lab_.machines, 0);
  EXPECT_FALSE(fs::exists(options_.out_dir));
}

TEST_F(RunTest, RepeatedCasesAreCounted) {
  options_.repeat = 3;
  options_.filters = {"Ring.Denies"};
  std::atomic<int> calls{0};
  lab_.behaviour = [&](const std::string& log_name) -> Result<GuestOutcome> {
    if (log_name == "ring.Probe") return Probed(true);
    return ++calls == 2 ? Failing(log_name) : Passing(log_name);
  };
  const RunResult run = RunWell();
  ASSERT_THAT(run.cases, SizeIs(1));
  EXPECT_EQ(run.cases[0].attempts, 3);
  EXPECT_EQ(run.cases[0].passes, 2);
  EXPECT_EQ(run.cases[0].verdict, Verdict::kFail);
  EXPECT_EQ(run.filter, "Ring.Denies");
}

TEST_F(RunTest, SeveralMachinesAtATimeGiveTheSame) {
  std::vector<std::string> cases;
  for (int i = 0; i < 40; ++i) cases.push_back(CaseJson(fmt::format("Ring.Case{}", i)));
  WriteSuite(cases);
  options_.jobs = 8;
  const RunResult run = RunWell();
  EXPECT_THAT(run.cases, SizeIs(40));
  EXPECT_THAT(seen_.seen, SizeIs(40));
  EXPECT_EQ(lab_.machines, 41);
}

// One profile's CPU is not told as that of all.
TEST_F(RunTest, TheCpuModelIsRecorded) {
  EXPECT_EQ(RunWell().environment.cpu, "max");
  lab_.more_cpus = {{"small", "qemu64"}};
  options_.out_dir = dir_ / "small";
  EXPECT_EQ(RunWell().environment.cpu, "mixed");
}

// Probes on another CPU may have seen other features.
TEST_F(RunTest, ProbesOfAnotherCpuModelAreNotUsedAgain) {
  options_.asked = {{"cpu", "qemu64"}};
  options_.probe_only = true;
  RunWell();
  options_.probe_only = false;
  options_.prepared = options_.out_dir;
  const auto probes_of_run = [&](const char* folder) {
    const int before = lab_.machines;
    options_.out_dir = dir_ / folder;
    RunWell();
    return lab_.machines - before - 3;  // a machine for each case
  };
  EXPECT_EQ(probes_of_run("same"), 0);
  options_.asked.clear();
  EXPECT_EQ(probes_of_run("other"), 1);
}

// One profile's way to boot is not told as that of all.
TEST_F(RunTest, HowEachMachineBootedIsTold) {
  lab_.more_boots = {{"other", "direct"}};
  EXPECT_EQ(RunWell().environment.boot, "direct");
  for (const char* profile : {"after", "zz-after"}) {
    lab_.more_boots = {{profile, "bzimage"}};
    fs::remove_all(options_.out_dir);
    EXPECT_EQ(RunWell().environment.boot, "mixed");
  }
}

// kernel-core without kernel-modules, an image without --modules.
TEST_F(RunTest, AKernelThatCameWithoutItsModulesIsNotedBeforeAnythingRuns) {
  EXPECT_THAT(RunWell().notes, IsEmpty()) << "it has none";
  kernel_.config = KernelConfig::Parse("CONFIG_RING=y\nCONFIG_MODULES=y\n").value();
  fs::remove_all(options_.out_dir);
  EXPECT_THAT(RunWell().notes, ElementsAre(HasSubstr("came without its modules")));
  kernel_.identity.modules_sha256 = "1";
  fs::remove_all(options_.out_dir);
  EXPECT_THAT(RunWell().notes, IsEmpty());
}

TEST_F(RunTest, WhatALabNotesIsToldAndKeptOnce) {
  lab_.finding = "emulation instead of KVM";
  const RunResult run = RunWell();
  EXPECT_GT(lab_.machines, 1);
  EXPECT_THAT(run.notes, ElementsAre("stock: emulation instead of KVM"));
  EXPECT_EQ(seen_.notes, run.notes);
}

// With probes of an earlier run it is a case's machine that is made first.
TEST_F(RunTest, WhatALabNotesForACaseIsKeptToo) {
  RunWell();
  options_.prepared = options_.out_dir;
  options_.out_dir = dir_ / "second";
  lab_.finding = "a snapshot was damaged";
  EXPECT_THAT(RunWell().notes, ElementsAre("stock: a snapshot was damaged"));
}

TEST_F(RunTest, WhatALabNotesAfterResumingIsKeptToo) {
  seen_.stop_after = 1;
  RunWell();
  ClearInterruptForTesting();
  seen_.stop_after = 0;
  options_.resume = true;
  lab_.finding = "a snapshot was damaged";
  EXPECT_THAT(RunWell().notes, ElementsAre("stock: a snapshot was damaged"));
}

TEST_F(RunTest, TheScaleOfLimitsReachesTheProgram) {
  EXPECT_THAT(RunWell().cases, SizeIs(3));
  EXPECT_THAT(lab_.commands.back().argv, Not(Contains(HasSubstr("limit_scale"))));
  EXPECT_EQ(lab_.commands.back().limit, std::chrono::seconds(5));
  options_.limit_scale = 2.5;
  options_.out_dir = dir_ / "second";
  EXPECT_THAT(RunWell().cases, SizeIs(3));
  EXPECT_THAT(lab_.commands.back().argv, Contains("--kassay_limit_scale=2.5"));
  EXPECT_EQ(lab_.commands.back().limit, std::chrono::milliseconds(12500));
}

TEST(RunFolder, IsNamedAfterTheKernelAndNeverTakenTwice) {
  const fs::path parent = ::testing::TempDir();
  const fs::path first = NewRunFolder(parent, "debian:7.0.13");
  EXPECT_THAT(first.filename().string(), ::testing::StartsWith("debian-7.0.13-20"));
  EXPECT_THAT(NewRunFolder(parent, "./out/../bzImage").filename().string(),
              ::testing::StartsWith("out-..-bzImage-"));
}

TEST_F(RunTest, RunsThatBeginAtOnceHaveFoldersOfTheirOwn) {
  const fs::path parent = dir_ / "out";
  std::vector<std::thread> threads;
  std::array<fs::path, 16> folders;
  for (fs::path& folder : folders)
    threads.emplace_back([&] { folder = NewRunFolder(parent, "debian:7.0.13"); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<fs::path>(folders.begin(), folders.end()).size(), folders.size());
  for (const fs::path& folder : folders) EXPECT_TRUE(fs::is_empty(folder));
}

}  // namespace
}  // namespace kassay
