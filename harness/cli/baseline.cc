// kassay baseline record|from|list: what later runs are compared with.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "harness/cli/command.h"
#include "harness/cli/one_run.h"
#include "harness/cli/record_all.h"
#include "harness/cli/run_checks.h"
#include "harness/compare/baseline_files.h"
#include "harness/compare/compare_text.h"

namespace kassay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFooter =
    R"(A baseline is a small file a suite, one case a line, without times or machine names:
results/baselines/VENDOR-PACKAGEVERSION/SUITE.json. Recording the same kernel twice gives the same
bytes. A run of some suites replaces the files of these and keeps the rest.

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
3 could not test, 130 interrupted.)";

struct Options {
  explicit Options(Installation& installation) : kernel(installation) {}

  KernelOptions kernel;
  std::vector<std::string> kernels;
  RunFlags flags;
  fs::path result;
  fs::path folder;
  bool all = false;
  bool force = false;
  bool dry_run = false;
};

fs::path FolderOf(const Options& options) {
  return options.folder.empty() ? BaselinesDir(*options.kernel.installation) : options.folder;
}

Result<ExitCode> Write(const RunResult& run, const Options& options) {
  KASSAY_CHECK(CheckRecordable(run));
  KASSAY_TRY(const fs::path folder, RecordBaseline(BaselineOf(run), FolderOf(options)));
  KASSAY_TRY(const Baseline baseline, LoadBaseline(folder));
  std::cout << fmt::format("{}: {} cases of {}, {} of them from this run\n", folder.string(),
                           baseline.cases.size(), DisplayName(run.kernel), run.cases.size());
  return ExitCode::kConformant;
}

Result<ExitCode> Record(const Options& options) {
  if (options.all)
    return RecordAll({FolderOf(options), options.kernels, options.kernel, options.flags,
                      options.force, options.dry_run});
  if (options.kernels.size() != 1)
    return Fail("name one kernel with --kernel, or record --all", ErrorKind::kUsage);
  KernelOptions kernel = options.kernel;
  kernel.spec = options.kernels.front();
  KASSAY_TRY(const OneRun one, RunOneKernel(kernel, options.flags));
  return Write(one.result, options);
}

Result<ExitCode> From(const Options& options) {
  KASSAY_TRY(const RunResult run, LoadRunResult(options.result));
  return Write(run, options);
}

Result<ExitCode> List(const Options& options) {
  for (const fs::path& folder : RecordedKernels(FolderOf(options))) {
    KASSAY_TRY(const Baseline baseline, LoadBaseline(folder));
    const auto held = std::count_if(baseline.cases.begin(), baseline.cases.end(),
                                    [](const auto& c) { return c.verdict == Verdict::kPass; });
    std::cout << fmt::format("{:<20} {:<32} {:>5} cases, {:>5} pass  {}\n", baseline.kernel.spec,
                             baseline.kernel.release, baseline.cases.size(), held, folder.string());
  }
  return ExitCode::kConformant;
}

void AddBaselineCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(context.installation);
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
  AddStoreOptions(*record, options->kernel);
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
