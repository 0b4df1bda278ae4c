// What kassay does when its surroundings fail: one clear line, the documented exit code, no process
// and no half-written file left. Drives the built program on the kernel of the conformance tests.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "harness/base/file.h"
#include "harness/base/installation.h"
#include "harness/base/process/program.h"
#include "harness/cli/exit_code.h"
#include "harness/kernel/store.h"
#include "harness/result/run_result.h"
#include "harness/verdict/journal.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using cli::ExitCode;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kProgram = KASSAY_PROGRAM;
constexpr const char* kKernel = KASSAY_KERNEL;

class Robustness : public ::testing::Test {
 protected:
  Robustness() {
    std::string name = ::testing::TempDir() + "/robust-XXXXXX";
    dir_ = ::mkdtemp(name.data());
    environment_ = {{"KASSAY_STATE_DIR", (dir_ / "state").string()}};
  }
  ~Robustness() override {
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
  }

  [[nodiscard]] Command CommandOf(const std::vector<std::string>& arguments) const {
    Command command{.argv = {kProgram}, .environment = environment_};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    return command;
  }

  ProgramOutcome Kassay(const std::vector<std::string>& arguments) {
    auto outcome = RunProgram(CommandOf(arguments), {.time = std::chrono::minutes(20)});
    EXPECT_TRUE(outcome) << outcome.error().message;
    return outcome.value_or(ProgramOutcome());
  }

  ProgramOutcome Run(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"run",      "--kernel", kKernel,       "--suite",
                                          "io_uring", "--out",    Out().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Kassay(arguments);
  }

  [[nodiscard]] fs::path Out() const { return dir_ / "out"; }

  // One line that begins with the program's name, and the code.
  static void ExpectOneLine(const ProgramOutcome& outcome, ExitCode code, const std::string& what) {
    EXPECT_EQ(outcome.ending.status.exit_code, static_cast<int>(code)) << outcome.standard_error;
    EXPECT_THAT(outcome.standard_error, ::testing::StartsWith("kassay: "));
    EXPECT_THAT(outcome.standard_error, HasSubstr(what));
    EXPECT_EQ(std::count(outcome.standard_error.begin(), outcome.standard_error.end(), '\n'), 1)
        << outcome.standard_error;
    EXPECT_EQ(outcome.standard_output, "");
  }

  std::vector<std::string> HalfWrittenFiles() const {
    std::vector<std::string> found;
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(dir_, ignored)) {
      if (entry.path().extension() == ".part") found.push_back(entry.path());
    }
    return found;
  }

  fs::path dir_;
  std::map<std::string, std::string> environment_;
};

TEST_F(Robustness, NoQemu) {
  environment_["PATH"] = "/nonexistent";
  ExpectOneLine(Run({}), ExitCode::kCouldNotTest, "qemu-system-x86");
  EXPECT_FALSE(fs::exists(Out()));
}

TEST_F(Robustness, UnknownNames) {
  ExpectOneLine(Kassay({"run", "--kernel", kKernel, "--suite", "io_urine"}), ExitCode::kUsage,
                "there is no suite 'io_urine'; there are: ");
  ExpectOneLine(Run({"--case", "Nothing.*"}), ExitCode::kUsage, "no case matches 'Nothing.*'");
  ExpectOneLine(Kassay({"run", "--kernel", "debian:7.0.99"}), ExitCode::kUsage, "debian:7.0.99");
  ExpectOneLine(Run({"--profile", "nowhere"}), ExitCode::kUsage, "nowhere");
  EXPECT_EQ(Kassay({"run", "--kernle", "x"}).ending.status.exit_code,
            static_cast<int>(ExitCode::kUsage));
  ExpectOneLine(Kassay({"run"}), ExitCode::kUsage, "--kernel");
  EXPECT_FALSE(fs::exists(Out()));
}

TEST_F(Robustness, AResultFolderThatCannotBeWritten) {
  std::ofstream(dir_ / "file") << "x";
  ExpectOneLine(Kassay({"run", "--kernel", kKernel, "--suite", "io_uring", "--out",
                        (dir_ / "file" / "out").string()}),
                ExitCode::kCouldNotTest, "cannot make the result folder");
}

// QEMU enters it over PVH: no result may say that it came up through the firmware.
TEST_F(Robustness, AVmlinuxThroughTheFirmware) {
  const fs::path image = dir_ / "vmlinux";
  const fs::path key = dir_ / "key.pem";
  ASSERT_TRUE(
      WriteFileAtomically(image, "\177ELF ... Linux version 7.0.13-test (builder@host) #1"));
  const auto made =
      RunProgram({.argv = {"openssl", "genpkey", "-algorithm", "ed25519", "-out", key.string()}});
  ASSERT_TRUE(made && made->ending.Succeeded());
  const std::string file = image.string();
  const std::string why = "is a vmlinux, which does not boot through the firmware";
  const std::vector<std::vector<std::string>> commands = {
      {"run", "--kernel", file, "--out", Out().string(), "--boot", "bzimage"},
      {"run", "--kernel", file, "--out", Out().string(), "--profile", "certify"},
      {"certify", "--kernel", file, "--key", key.string(), "--out", Out().string()},
      {"shell", "--kernel", file, "--boot", "bzimage"},
      {"shell", "--kernel", file, "--profile", "certify"},
      {"matrix", kKernel, file, "--out", Out().string(), "--boot", "bzimage"}};
  for (const auto& command : commands) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(command, " ")));
    const ProgramOutcome outcome = Kassay(command);
    ExpectOneLine(outcome, ExitCode::kUsage, why);
    EXPECT_EQ(outcome.standard_error.find("--boot direct") == std::string::npos,
              command[0] == "certify");
    EXPECT_FALSE(fs::exists(Out()));
  }
  // It has said more by then.
  const ProgramOutcome doctor = Kassay({"doctor", "--kernel", file, "--boot", "bzimage"});
  EXPECT_EQ(doctor.ending.status.exit_code, static_cast<int>(ExitCode::kUsage));
  EXPECT_THAT(doctor.standard_error, HasSubstr(why));
}

TEST_F(Robustness, NoMirror) {
  environment_["KASSAY_CACHE_DIR"] = (dir_ / "cache").string();
  const ProgramOutcome outcome = Run({"--mirror", "http://127.0.0.1:1/debian"});
  ExpectOneLine(outcome, ExitCode::kCouldNotTest, "127.0.0.1:1");
  EXPECT_THAT(HalfWrittenFiles(), IsEmpty());
}

class Packages : public Robustness {
 protected:
  // The kernel's first package as a file of zeros in `folder`.
  void WriteZeros(const fs::path& folder, bool truncated) {
    const auto pin = KernelStore(StoreOptions{.pins_file = KASSAY_PINS}).Pinned(kKernel);
    ASSERT_TRUE(pin) << pin.error().message;
    for (const PinnedFile& file : pin->files) {
      fs::create_directories(folder);
      const fs::path path = folder / file.Name();
      std::ofstream(path).flush();
      fs::resize_file(path, truncated ? file.size / 2 : file.size);
    }
  }
  ProgramOutcome RunFrom(const fs::path& folder) {
    environment_["KASSAY_CACHE_DIR"] = (dir_ / "cache").string();
    return Run({"--from", folder.string(), "--mirror", "http://127.0.0.1:1/debian"});
  }
};

TEST_F(Packages, OfAWrongChecksum) {
  WriteZeros(dir_ / "debs", /*truncated=*/false);
  ExpectOneLine(RunFrom(dir_ / "debs"), ExitCode::kCouldNotTest, "SHA-256");
}

TEST_F(Packages, ThatAreCutOff) {
  WriteZeros(dir_ / "debs", /*truncated=*/true);
  const ProgramOutcome outcome = RunFrom(dir_ / "debs");
  EXPECT_EQ(outcome.ending.status.exit_code, static_cast<int>(ExitCode::kCouldNotTest));
  EXPECT_THAT(outcome.standard_error, ContainsRegex("bytes|size"));
  const fs::path deb = dir_ / "cut.deb";
  ASSERT_TRUE(WriteFileAtomically(deb, "!<arch>\ndebian-binary   1700000000  0     0     1006"));
  const ProgramOutcome cut = Kassay({"run", "--kernel", deb.string()});
  EXPECT_THAT(cut.ending.status.exit_code, ::testing::AnyOf(2, 3));
  EXPECT_THAT(cut.standard_error, AllOf(::testing::StartsWith("kassay: "), HasSubstr("cut.deb")));
}

TEST_F(Robustness, KvmThatDoesNotWork) {
  // A file that opens like /dev/kvm and is none; where KVM works there is nothing to see.
  const ProgramOutcome forced = Run({"--accel", "kvm", "--case", "*", "--jobs", "1"});
  if (forced.ending.status.exit_code == 0 || forced.ending.status.exit_code == 1)
    GTEST_SKIP() << "KVM works here";
  EXPECT_EQ(forced.ending.status.exit_code, static_cast<int>(ExitCode::kCouldNotTest));
  EXPECT_THAT(forced.standard_error, HasSubstr("KVM"));
  EXPECT_FALSE(fs::exists(Out()));
}

TEST_F(Robustness, AKernelThatNeverComesUp) {
  // The installation's data with a profile under which no init is found.
  const fs::path data = dir_ / "data";
  fs::create_directories(data / "vm");
  for (const char* part : {"suites", "fixtures", "levels", "results"})
    fs::create_symlink(fs::path(KASSAY_DATA) / part, data / part);
  fs::create_symlink(fs::path(KASSAY_DATA) / "vm/kernels.toml", data / "vm/kernels.toml");
  ASSERT_TRUE(WriteFileAtomically(data / "vm/profiles/broken.toml",
                                  "description = \"no init\"\n"
                                  "command_line = [\"rdinit=/nonexistent\", \"panic=-1\"]\n"));
  fs::create_symlink(fs::path(KASSAY_DATA) / "vm/profiles/stock.toml",
                     data / "vm/profiles/stock.toml");
  environment_["KASSAY_DATA_DIR"] = data.string();
  const ProgramOutcome outcome = Run({"--profile", "broken", "--accel", "tcg"});
  EXPECT_EQ(outcome.ending.status.exit_code, static_cast<int>(ExitCode::kNoBoot));
  EXPECT_THAT(outcome.standard_error, HasSubstr("panic"));
  EXPECT_FALSE(fs::exists(Out() / "results.json"));
  EXPECT_THAT(HalfWrittenFiles(), IsEmpty());
}

// A write through a mapping into a full file system is SIGBUS in QEMU, "Bus error" to a person.
TEST_F(Robustness, AFullCache) {
  const fs::path cache = dir_ / "cache";
  fs::create_directories(cache);
  const std::string kernels = Installation::OfThisProgram().KernelsDir().string();
  environment_["KASSAY_CACHE_DIR"] = cache.string();
  Command command = CommandOf({"run", "--kernel", kKernel, "--suite", "io_uring", "--out",
                               Out().string(), "--accel", "tcg", "--jobs", "1"});
  const std::string make_room = "mount -t tmpfs -o size=200m,mode=0755 none " + cache.string() +
                                " && ln -s " + kernels + " " + cache.string() +
                                "/kernels && exec \"$@\"";
  const std::vector<std::string> alone = {
      "unshare", ::geteuid() == 0 ? "-m" : "-Urm", "sh", "-c", make_room, "sh"};
  command.argv.insert(command.argv.begin(), alone.begin(), alone.end());
  const auto outcome = RunProgram(command, {.time = std::chrono::minutes(5)});
  ASSERT_TRUE(outcome) << outcome.error().message;
  if (outcome->standard_error.find("unshare: ") == 0)
    GTEST_SKIP() << "no namespaces here: " << outcome->standard_error;
  EXPECT_EQ(outcome->ending.status.exit_code, static_cast<int>(ExitCode::kCouldNotTest));
  EXPECT_THAT(outcome->standard_error,
              AllOf(HasSubstr("no room for a snapshot of"), HasSubstr("KASSAY_CACHE_DIR")));
  EXPECT_FALSE(fs::exists(Out() / "results.json"));
}

// The repeat command and --resume know files by where they are, not by where the run was begun.
TEST_F(Robustness, ARunOfFilesIsFoundAgainFromAnyFolder) {
  const Installation installation = Installation::OfThisProgram();
  const auto kernel =
      KernelStore(StoreOptions{.cache_dir = installation.KernelsDir(), .pins_file = KASSAY_PINS})
          .Resolve(kKernel);
  ASSERT_TRUE(kernel) << kernel.error().message;
  fs::create_symlink(kernel->image, dir_ / "vm,linuz");
  fs::create_symlink(kernel->modules_dir, dir_ / "modules");
  fs::create_symlink(kernel->config_file, dir_ / "config");
  const auto in = [&](const fs::path& folder, const std::vector<std::string>& arguments) {
    Command command = CommandOf(arguments);
    const std::vector<std::string> shell = {"sh", "-c", "cd " + folder.string() + " && exec \"$@\"",
                                            "sh"};
    command.argv.insert(command.argv.begin(), shell.begin(), shell.end());
    const auto outcome = RunProgram(command, {.time = std::chrono::minutes(5)});
    EXPECT_TRUE(outcome) << outcome.error().message;
    return outcome.value_or(ProgramOutcome());
  };
  const auto results = [&] { return RunResultFromJson(*ReadFile(Out() / "results.json")); };
  const ProgramOutcome first =
      in(dir_, {"run", "--kernel", "vm,linuz", "--modules", "modules", "--config", "config",
                "--suite", "io_uring", "--case", "Filter.DeniedRequestsHaveNoEffect", "--out",
                Out().string(), "--accel", "tcg"});
  EXPECT_EQ(first.ending.status.exit_code, 0) << first.standard_error;
  const auto run = results();
  ASSERT_TRUE(run) << run.error().message;
  const fs::path here = fs::canonical(dir_);
  EXPECT_EQ(run->kernel.spec, (here / "vm,linuz").string());
  EXPECT_EQ(run->asked.at("modules"), (here / "modules").string());
  EXPECT_EQ(run->asked.at("config"), (here / "config").string());
  fs::remove(Out() / "results.json");
  const ProgramOutcome again = in("/", {"run", "--resume", Out().string()});
  EXPECT_EQ(again.ending.status.exit_code, 0) << again.standard_error;
  EXPECT_EQ(results()->cases.size(), 1U);
}

class CtrlC : public Robustness {
 protected:
  CtrlC() {
    // Orphans become ours, so that none can hide.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  }

  // In our process group: nothing but kassay itself ends what it started.
  [[nodiscard]] Result<ChildProcess> Start(const std::vector<std::string>& arguments) const {
    Command command = CommandOf(arguments);
    command.foreground = true;
    return ChildProcess::Start(command, {.output = STDOUT_FILENO, .errors = STDERR_FILENO});
  }

  // Until the journal holds a case that is finished and ran in a machine.
  bool WaitForACase() {
    for (int i = 0; i < 6000; ++i) {
      const auto content = ReadJournal(Out());
      if (content && !content->cases.empty()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }

  // Whether a child of this process goes on. A killed machine gives its memory back before it is
  // gone, which takes seconds on a busy host: only what is still there after half a minute counts.
  static bool HasOrphans() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      const pid_t ended = ::waitpid(-1, nullptr, WNOHANG);
      if (ended < 0) return false;  // ECHILD
      if (ended == 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return true;
  }
};

TEST_F(CtrlC, KeepsWhatIsFinishedAndLeavesNoProcess) {
  auto started = Start(
      {"run", "--kernel", kKernel, "--suite", "io_uring", "--out", Out().string(), "--jobs", "2"});
  ASSERT_TRUE(started) << started.error().message;
  ASSERT_TRUE(WaitForACase());
  ASSERT_EQ(::kill(started->pid(), SIGINT), 0);
  const auto status = started->Wait(std::chrono::minutes(5));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->exit_code, static_cast<int>(ExitCode::kInterrupted));
  EXPECT_FALSE(HasOrphans());
  EXPECT_THAT(HalfWrittenFiles(), IsEmpty());
  const auto text = ReadFile(Out() / "results.json");
  ASSERT_TRUE(text) << text.error().message;
  const auto run = RunResultFromJson(*text);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_TRUE(run->interrupted);
  EXPECT_FALSE(run->cases.empty());
}

TEST_F(CtrlC, AKilledRunLosesOnlyTheCasesUnderWay) {
  auto started = Start(
      {"run", "--kernel", kKernel, "--suite", "io_uring", "--out", Out().string(), "--jobs", "1"});
  ASSERT_TRUE(started) << started.error().message;
  ASSERT_TRUE(WaitForACase());
  started->End();
  EXPECT_FALSE(HasOrphans()) << "a machine outlived kassay";
  const auto content = ReadJournal(Out());
  ASSERT_TRUE(content) << content.error().message;
  EXPECT_FALSE(content->cases.empty());
  EXPECT_FALSE(content->ended);
  EXPECT_FALSE(fs::exists(Out() / "results.json"));
}

}  // namespace
}  // namespace kassay
