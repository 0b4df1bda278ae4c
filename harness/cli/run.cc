// kassay run: assays one kernel.
#include <unistd.h>

#include <iostream>
#include <memory>

#include "harness/cli/command.h"
#include "harness/cli/kernel_options.h"
#include "harness/cli/labs.h"
#include "harness/cli/one_run.h"
#include "harness/cli/run_checks.h"
#include "harness/cli/run_options.h"
#include "harness/cli/run_view.h"
#include "harness/report/table.h"
#include "harness/run/run.h"
#include "harness/suite/selection.h"

namespace kassay::cli {
namespace {

const std::string kFooter = std::string(kKernelSpecs) + R"(

The result folder holds results.json, report.html, junit.xml, results.ktap, the event journal (journal.jsonl)
and the console of each case that crashed (console/). Ctrl-C keeps what is finished;
`kassay run --resume DIR` does the rest.

Examples:
  kassay run --kernel debian:7.0.13
  kassay run --kernel debian:7.0.13 --suite io_uring --case 'TaskFilter.*' --jobs 2
  kassay run --kernel ./bzImage --modules ./lib/modules/7.0.0 --config ./.config
  kassay run --kernel ~/src/linux --suite mount --isolation suite --out out/mine
  kassay run --resume out/mine
  kassay run --kernel debian:7.1.13 --baseline auto

Exit codes:
  0    conformant (what is absent, disabled or waived included)
  1    nonconformant: at least one requirement does not hold
  2    wrong usage: unknown option, kernel, suite or case
  3    could not test: no QEMU, no kernel, it does not boot, no room
  4    worse than the baseline
  130  interrupted; what was finished is kept)";

struct Options {
  explicit Options(Installation& installation) : kernel(installation) {}

  KernelOptions kernel;
  RunFlags flags;
  CheckFlags checks;
  std::filesystem::path resume;
  bool quiet = false;
};

// What --resume takes from the folder must not be said again, for it could say something else.
Status CheckResume(const CLI::App& command) {
  for (const char* option : {"--kernel", "--suite", "--case", "--profile", "--isolation", "--boot",
                             "--repeat", "--out"}) {
    if (command.count(option) > 0) {
      return Fail(std::string("--resume takes the kernel, the suites and the cases from its "
                              "folder; leave out ") +
                      option,
                  ErrorKind::kUsage);
    }
  }
  return {};
}

Status Prepare(const CLI::App& command, Options& options) {
  RunOptions& run = options.flags.run;
  if (options.resume.empty()) {
    if (options.kernel.spec.empty())
      return Fail("name a kernel with --kernel, e.g. --kernel debian:7.0.13", ErrorKind::kUsage);
    if (run.out_dir.empty()) run.out_dir = NewRunFolder("out", options.kernel.spec);
    return {};
  }
  KASSAY_CHECK(CheckResume(command));
  KASSAY_TRY(const RunPlanRecord plan, PlanOfRun(options.resume));
  options.kernel.spec = plan.kernel.spec;
  options.flags.machine.boot = plan.boot;
  run.profile = plan.profile;
  run.suites = plan.suites;
  run.out_dir = options.resume;
  run.resume = true;
  return {};
}

// What can be told without the kernel is told before it is fetched: names that match nothing, and
// that there is nothing to carry machines.
Status CheckBeforeFetching(const RunOptions& options) {
  const Installation& installation = options.installation;
  std::vector<std::string> suites = options.suites;
  if (!options.resume && (!options.suites.empty() || !options.filters.empty())) {
    KASSAY_TRY(const Selection selection, Select(installation, suites, options.filters));
  }
  if (suites.empty()) {
    KASSAY_TRY(suites, InstalledSuites(installation));
  }
  KASSAY_TRY(const std::vector<Catalogue> catalogues, LoadCatalogues(installation, suites));
  for (const Catalogue& catalogue : catalogues) {
    if (catalogue.runs_on_host) continue;
    KASSAY_CHECK(WhatCarriesMachines());
    break;
  }
  return {};
}

Result<ExitCode> RunIt(const CLI::App& command, Options& options) {
  KASSAY_CHECK(Prepare(command, options));
  const RunOptions run_options = RunOptionsOf(options.flags, *options.kernel.installation);
  KASSAY_TRY(RunChecks checks, RunChecks::Load(run_options.installation, options.checks));
  KASSAY_CHECK(CheckBeforeFetching(run_options));
  KASSAY_TRY(const Kernel kernel, ResolveKernel(options.kernel));
  KASSAY_CHECK(checks.ReadyFor(kernel.identity));
  TerminalView view;
  RunObserver silent;
  auto run = RunOn(kernel, options.kernel, options.flags, options.quiet ? silent : view);
  view.End();
  if (!run) return Fail(run.error());
  HtmlContext context = TextsOf(run_options.installation, run->suites);
  KASSAY_CHECK(checks.LeaveWaivers(run_options.out_dir));
  auto applied = checks.Apply(*run);
  if (!applied) {
    KASSAY_CHECK(LeaveResults(run_options.installation, run_options.out_dir, *run, context));
    return Fail(applied.error());
  }
  const CheckOutcome& checked = *applied;
  context.findings = checked.findings;
  context.verdict = checked.verdict;
  KASSAY_CHECK(LeaveResults(run_options.installation, run_options.out_dir, *run, context));
  TableOptions table;
  table.colours = ::isatty(STDOUT_FILENO) != 0;
  table.out_dir = run_options.out_dir.string();
  table.findings = checked.findings;
  table.verdict = checked.verdict;
  std::cout << TableOf(*run, table) << std::flush;
  return ExitCodeOf(checked.outcome);
}

void AddRunCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(context.installation);
  CLI::App* command = app.add_subcommand("run", "Assay one kernel");
  command->footer(kFooter);
  AddKernelOptions(*command, options->kernel, /*required=*/false);
  AddRunFlags(*command, options->flags);
  AddCheckFlags(*command, options->checks);
  command->add_option("--out", options->flags.run.out_dir,
                      "The result folder; without it out/KERNEL-TIME");
  command->add_option("--resume", options->resume,
                      "Go on with the run in this folder that was interrupted");
  command->add_flag("--quiet", options->quiet, "No progress; only the table at the end");
  command->callback([command, options, &context] { context.Finish(RunIt(*command, *options)); });
}

KASSAY_COMMAND(10, AddRunCommand);

}  // namespace
}  // namespace kassay::cli
