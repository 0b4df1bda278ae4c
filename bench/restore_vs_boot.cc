// What a fresh kernel for a case costs: booting one, against restoring one from its snapshot, on
// the same machine in one run. Each iteration makes a machine, runs a trivial program in it, judges
// its outcome and throws the machine away. The last lines say the ratio, and the memory that a
// second machine of the same snapshot does not share with the first.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "harness/vm/boot.h"
#include "harness/vm/snapshot.h"
#include "harness/vm/testing/test_machine.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using testing::kProbe;

// Mean seconds of one benchmark.
class Mean {
 public:
  void Add(double seconds) {
    sum_ += seconds;
    ++count_;
  }
  [[nodiscard]] double Seconds() const { return count_ == 0 ? 0 : sum_ / count_; }

 private:
  double sum_ = 0;
  int count_ = 0;
};

struct Lab {
  testing::ScratchFolder scratch;
  MachineSpec spec;
  VmOptions options;
  Mean direct_boot;
  Mean shipped_boot;
  Mean restore;
};
std::unique_ptr<Lab> lab;

Result<Snapshot> TakeSnapshot() {
  return Snapshot::Ensure(lab->scratch.path() / "snapshots", lab->spec, lab->options);
}

// Empty when the program ended as it should.
std::string Judge(const Result<GuestOutcome>& outcome) {
  if (!outcome) return outcome.error().message;
  if (outcome->end != GuestOutcome::End::kExited || outcome->status != 0)
    return "the program did not end well: " + outcome->detail;
  return {};
}

Result<GuestOutcome> RunTrivialProgram(Guest& guest) {
  return guest.Run({{kProbe, "nothing"}, std::chrono::milliseconds(60'000), "bench"}, nullptr);
}

void MeasureBoot(benchmark::State& state, const std::string& mode, Mean& mean) {
  VmOptions options = lab->options;
  options.boot = mode;
  for ([[maybe_unused]] const auto iteration : state) {
    const auto start = std::chrono::steady_clock::now();
    auto booted = BootFresh(lab->spec, options);
    if (!booted) return state.SkipWithError(booted.error().message.c_str());
    const std::string fault = Judge(RunTrivialProgram(*booted->guest));
    booted->guest.reset();
    if (!fault.empty()) return state.SkipWithError(fault.c_str());
    mean.Add(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
}

void BootDirect(benchmark::State& state) { MeasureBoot(state, "direct", lab->direct_boot); }
void BootAsShipped(benchmark::State& state) { MeasureBoot(state, "bzimage", lab->shipped_boot); }

void RestoreAndJudge(benchmark::State& state) {
  const auto snapshot = TakeSnapshot();
  if (!snapshot) return state.SkipWithError(snapshot.error().message.c_str());
  for ([[maybe_unused]] const auto iteration : state) {
    const auto start = std::chrono::steady_clock::now();
    auto guest = snapshot->Restore();
    if (!guest) return state.SkipWithError(guest.error().message.c_str());
    const std::string fault = Judge(RunTrivialProgram(**guest));
    guest->reset();
    if (!fault.empty()) return state.SkipWithError(fault.c_str());
    lab->restore.Add(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
}

BENCHMARK(BootAsShipped)->Iterations(3)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BootDirect)->Iterations(3)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(RestoreAndJudge)->Iterations(20)->Unit(benchmark::kMillisecond)->UseRealTime();

// MiB that only this process has (proc_pid_smaps_rollup(5)); pages of the snapshot's file count as
// private while nobody else maps them, so both machines must be alive.
double UnsharedMiB(const std::string& pid) {
  std::ifstream rollup("/proc/" + pid + "/smaps_rollup");
  std::string word;
  double kib = 0;
  while (rollup >> word) {
    if (word != "Private_Clean:" && word != "Private_Dirty:") continue;
    double value = 0;
    rollup >> value;
    kib += value;
  }
  return kib / 1024;
}

// The youngest child that is a QEMU.
std::string YoungestQemu() {
  long youngest = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream stat(entry.path() / "stat");
    long pid = 0;
    std::string name;
    std::string state;
    long parent = 0;
    if (stat >> pid >> name >> state >> parent && parent == ::getpid() &&
        name.starts_with("(qemu-system"))
      youngest = std::max(youngest, pid);
  }
  return std::to_string(youngest);
}

Result<double> SecondMachineMiB() {
  KASSAY_TRY(const Snapshot snapshot, TakeSnapshot());
  KASSAY_TRY(const auto first, snapshot.Restore());
  KASSAY_CHECK(RunTrivialProgram(*first));
  KASSAY_TRY(const auto second, snapshot.Restore());
  KASSAY_CHECK(RunTrivialProgram(*second));
  return UnsharedMiB(YoungestQemu());
}

void PrintRatios() {
  const double restore = lab->restore.Seconds();
  if (restore <= 0) return;
  if (lab->shipped_boot.Seconds() > 0)
    std::printf("restore-and-judge / boot as shipped:  1/%.1f (at most 1/15 is promised)\n",
                lab->shipped_boot.Seconds() / restore);
  if (lab->direct_boot.Seconds() > 0)
    std::printf(
        "restore-and-judge / direct boot:      1/%.1f (past the firmware, with kassay's own "
        "words)\n",
        lab->direct_boot.Seconds() / restore);
  const auto memory = SecondMachineMiB();
  if (memory)
    std::printf("unshared memory of a second machine:  %.0f MiB (at most 100 is promised)\n",
                *memory);
}

int Main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  lab = std::make_unique<Lab>();
  lab->options.note = [](const std::string& line) { fmt::print(stderr, "{}\n", line); };
  auto spec = testing::TestMachine(lab->scratch.path());
  if (!spec) {
    fmt::print(stderr, "restore_vs_boot: {}\n", spec.error().message);
    return 3;
  }
  lab->spec = std::move(*spec);
  benchmark::RunSpecifiedBenchmarks();
  PrintRatios();
  lab.reset();
  return 0;
}

}  // namespace
}  // namespace kassay

int main(int argc, char** argv) { return kassay::Main(argc, argv); }
