// The run service: one kernel, a set of suites, one result folder, one RunResult. What the command
// line, the matrix, the bisection and the certificate call.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/kernel/kernel.h"
#include "harness/result/run_result.h"
#include "harness/suite/selection.h"
#include "harness/target/lab.h"

namespace kassay {

// A fresh kernel for every case; or one for the cases of a suite and profile, and a fresh one after
// it was harmed.
inline constexpr const char* kCaseIsolation = "case";
inline constexpr const char* kSuiteIsolation = "suite";

struct RunOptions {
  std::filesystem::path out_dir;     // made if needed; must not hold a run, unless `resume`
  bool resume = false;               // go on with the run in out_dir; what it was about is there
  std::vector<std::string> suites;   // empty: all that are installed
  std::vector<std::string> filters;  // GoogleTest filters over "Group.Case"; empty: all cases
  std::string profile;               // instead of the suites' own; empty: theirs
  std::string isolation = kCaseIsolation;
  int jobs = 0;            // machines at a time; 0: as many as this machine carries
  int repeat = 1;          // how often each case runs
  double limit_scale = 1;  // of each case's time limit, for slow machines
  // A run folder whose probes are used again if they were made of the same kernel, suites and
  // profile; empty: the suites are probed anew.
  std::filesystem::path prepared;
  bool probe_only = false;  // prepare machines, probe, and run no case
  std::string boot;         // how the lab was asked to boot, empty: as profiles say; is recorded
  Asked asked;              // is recorded
  Installation installation;
};

// Sees a run while it goes on. Calls come from several threads, one at a time.
class RunObserver {
 public:
  RunObserver() = default;
  RunObserver(const RunObserver&) = delete;
  RunObserver& operator=(const RunObserver&) = delete;
  virtual ~RunObserver() = default;
  virtual void OnNote(const std::string& /*text*/) {}   // a finding about the surroundings
  virtual void OnPhase(const std::string& /*text*/) {}  // "preparing 3 machines", ...
  virtual void OnPlan(size_t /*cases*/, size_t /*done_before*/) {}
  virtual void OnCase(const CaseResult& /*result*/) {}
};

// Runs, with guests of `lab`. out_dir then holds journal.jsonl and, for what crashed,
// console/CASE.log; reports are the caller's. An Error means that nothing was said about the
// kernel: wrong usage, no machines, a kernel that never comes up (the error carries the console's
// last lines), a folder that cannot be written. On Ctrl-C the result holds what was finished and
// `interrupted`.
[[nodiscard]] Result<RunResult> RunKernel(Lab& lab, const Kernel& kernel, const RunOptions& options,
                                          RunObserver& observer);

// What goes into the machines of a run, for who makes its lab.
struct SuiteImages {
  std::map<std::string, std::set<std::string>> suites;  // by profile
  std::set<std::string> preparing;                      // those that make files for the guest first
};
// With a profile of the caller's choice only the selected suites; else all that are installed, so
// that runs share their snapshots.
[[nodiscard]] SuiteImages ImagesOf(const RunOptions& options);

// MemAvailable of proc_meminfo(5) in MiB; nothing if it cannot be read.
[[nodiscard]] std::optional<long> AvailableMemoryMib();

// As many machines as this one carries: one a CPU, and no more than memory allows; at least 1.
[[nodiscard]] int DefaultJobs();

// Makes a folder for a run: "debian-7.0.13-20260102-030405" below `parent`, with a number behind it
// if it is taken. Where it cannot be made, its name all the same: who writes into it says why.
[[nodiscard]] std::filesystem::path NewRunFolder(const std::filesystem::path& parent,
                                                 const std::string& kernel_spec);

}  // namespace kassay
