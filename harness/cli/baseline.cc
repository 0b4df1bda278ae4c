// kassay baseline record|from|list: what later runs are compared with.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <set>

#include "harness/base/interrupt.h"
#include "harness/cli/command.h"
#include "harness/cli/one_run.h"
#include "harness/cli/run_checks.h"
#include "harness/compare/baseline_files.h"
#include "harness/compare/compare_text.h"
#include "harness/compare/record_plan.h"
#include "harness/kernel/build.h"

namespace kassay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFooter =
    R"(A baseline is a small file a suite, one case a line, without times or machine names:
results/baselines/VENDOR-RELEASE-PACKAGEVERSION/SUITE.json. Recording the same kernel twice gives
the same bytes. A run of some suites replaces the files of these and keeps the rest.

`record --all` prints what is out of date (not recorded, other cases, another build of the suite) on
the pinned kernels and the reference kernels that are built, and records it, a kernel and suite at a
time. What is done stays done: after Ctrl-C the same command goes on.

Examples:
  kassay baseline record --kernel debian:7.0.13
  kassay baseline record --kernel debian:7.0.13 --suite io_uring
  kassay baseline record --all --dry-run
  kassay baseline record --all --suite io_uring --kernel debian:7.0.13 --kernel reference:7.0
  kassay baseline from out/debian-7.0.13-20260102-030405/results.json
  kassay baseline list
  kassay run --kernel debian:7.0.13 --baseline auto

Exit codes: 0 recorded (whatever the verdict), 2 wrong usage or a run that is not complete,
3 could not test, 5 the kernel comes up in no machine, 130 interrupted.)";

struct Options {
  RunFlags flags;
  std::vector<std::string> kernels;
  fs::path result;
  fs::path folder;
  bool all = false;
  bool force = false;
  bool dry_run = false;
};

fs::path FolderOf(const Options& options) {
  return BaselinesDir(options.flags.kernel.installation, options.folder);
}

Result<ExitCode> Write(const RunResult& run, const Options& options) {
  KASSAY_CHECK(CheckRecordable(run));
  KASSAY_TRY(const fs::path folder, RecordBaseline(BaselineOf(run), FolderOf(options)));
  KASSAY_TRY(const Baseline baseline, LoadBaseline(folder));
  std::cout << fmt::format("{}: {} cases of {}, {} of them from this run\n", folder.string(),
                           baseline.cases.size(), DisplayName(run.kernel), run.cases.size());
  return ExitCode::kConformant;
}

Result<std::vector<std::string>> KnownKernels(const StoreOptions& store) {
  std::vector<std::string> specs;
  KASSAY_TRY(const auto pins, KernelStore(store).Pinned());
  for (const PinnedKernel& pin : pins) specs.push_back(pin.Spec());
  KASSAY_TRY(const auto references, BuiltReferences(store));
  specs.insert(specs.end(), references.begin(), references.end());
  return specs;
}

// What the step's run says, beside what was recorded before.
Result<std::string> RecordStepOf(const RecordStep& step, const std::set<std::string>& recorded_next,
                                 const Options& options) {
  RunFlags flags = options.flags;
  flags.run.suites = {step.suite};
  KASSAY_TRY(const RunResult run, RunOneKernel(flags, step.kernel));
  KASSAY_CHECK(CheckRecordable(run));
  const Baseline fresh = BaselineOf(run);
  const fs::path folder = FolderOf(options);
  const auto before = LoadBaseline(folder / BaselineName(fresh.kernel) / (step.suite + ".json"));
  KASSAY_CHECK(RecordBaseline(fresh, folder, recorded_next));
  return before ? Summary(Compare(*before, fresh))
                : fmt::format("{} cases, recorded for the first time", fresh.cases.size());
}

void Print(const RecordStep& step, const std::string& text) {
  std::cout << fmt::format("{:<22} {:<18} {}\n", step.kernel, step.suite, text) << std::flush;
}

Error InterruptedBefore(const std::vector<RecordStep>& left, bool by_force) {
  const std::string how =
      by_force ? fmt::format("go on with:\n  {}", fmt::join(CommandsFor(left), "\n  "))
               : "the same command goes on";
  return {fmt::format("interrupted; {} baselines are left; {}", left.size(), how),
          ErrorKind::kInterrupted};
}

// Prints the plan, then a line a step with what changed. What is recorded is on disk when its line
// is printed. A step that fails does not end the rest; its exit code is given back. Interrupted: an
// error that says how to go on.
Result<ExitCode> RecordAll(const Options& options) {
  const Installation& installation = options.flags.kernel.installation;
  RecordPlanOptions plan{FolderOf(options), options.kernels, options.flags.run.suites,
                         options.force};
  if (plan.kernels.empty()) {
    KASSAY_TRY(plan.kernels, KnownKernels(options.flags.kernel.store));
  }
  if (plan.suites.empty()) {
    KASSAY_TRY(plan.suites, InstalledSuites(installation));
  }
  KASSAY_TRY(const std::vector<RecordStep> steps, PlanRecording(plan, installation));
  for (const RecordStep& step : steps) Print(step, step.why);
  std::cout << fmt::format("{} of {} baselines to record\n", steps.size(),
                           plan.kernels.size() * plan.suites.size())
            << std::flush;
  ExitCode code = ExitCode::kConformant;
  for (auto step = steps.begin(); step != steps.end() && !options.dry_run; ++step) {
    std::set<std::string> recorded_next;
    for (auto next = step + 1; next != steps.end(); ++next)
      if (next->kernel == step->kernel) recorded_next.insert(next->suite);
    const auto recorded = RecordStepOf(*step, recorded_next, options);
    if (recorded) {
      Print(*step, *recorded);
    } else if (Interrupted() || recorded.error().kind == ErrorKind::kInterrupted) {
      return Fail(InterruptedBefore({step, steps.end()}, options.force));
    } else {
      code = Report(recorded.error());
    }
  }
  return code;
}

Result<ExitCode> Record(const Options& options) {
  if (options.all) return RecordAll(options);
  if (options.kernels.size() != 1)
    return Fail("name one kernel with --kernel, or record --all", ErrorKind::kUsage);
  KASSAY_TRY(const RunResult run, RunOneKernel(options.flags, options.kernels.front()));
  return Write(run, options);
}

Result<ExitCode> From(const Options& options) {
  KASSAY_TRY(const RunResult run, LoadRunResult(options.result));
  return Write(run, options);
}

Result<ExitCode> List(const Options& options) {
  for (const fs::path& folder : RecordedKernels(FolderOf(options))) {
    KASSAY_TRY(const Baseline baseline, LoadBaseline(folder));
    const auto held = std::ranges::count(baseline.cases, Verdict::kPass, &BaselineCase::verdict);
    std::cout << fmt::format("{:<20} {:<32} {:>5} cases, {:>5} pass  {}\n", baseline.kernel.spec,
                             baseline.kernel.release, baseline.cases.size(), held, folder.string());
  }
  return ExitCode::kConformant;
}

void AddBaselineCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(Options{{context.installation}});
  CLI::App* command = app.add_subcommand("baseline", "Record what later runs are compared with");
  command->footer(kFooter);
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* text,
                       Result<ExitCode> (*act)(const Options&)) {
    CLI::App* sub = command->add_subcommand(name, text);
    sub->add_option("--dir,--baselines", options->folder,
                    "The folder; without it results/baselines");
    sub->callback([options, act, &context] { context.Finish(act(*options)); });
    return sub;
  };
  CLI::App* record = add("record", "Run a kernel and record it", &Record);
  record->add_option("--kernel", options->kernels,
                     "The kernel, e.g. debian:7.0.13; with --all several, and without it all");
  AddStoreOptions(*record, options->flags.kernel);
  AddRunFlags(*record, options->flags);
  record->add_option("--out", options->flags.run.out_dir, "The result folder of the run");
  CLI::Option* all =
      record->add_flag("--all", options->all, "Record what is out of date, on all known kernels");
  record->add_flag("--force", options->force, "What is up to date too")->needs(all);
  record->add_flag("--dry-run", options->dry_run, "Print what is out of date, and run nothing")
      ->needs(all);
  for (const char* of_one : {"--case", "--profile", "--modules", "--config", "--headers", "--out"})
    all->excludes(record->get_option(of_one));
  CLI::App* from = add("from", "Record a run that was made before", &From);
  from->add_option("RESULT", options->result, "results.json, or its folder")
      ->required()
      ->check(CLI::ExistingPath);
  add("list", "The recorded baselines", &List);
}

KASSAY_COMMAND(30, AddBaselineCommand);

}  // namespace
}  // namespace kassay::cli
