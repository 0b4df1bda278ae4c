// kassay run: assays one kernel.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "harness/cli/command.h"
#include "harness/cli/labs.h"
#include "harness/cli/one_run.h"
#include "harness/cli/run_checks.h"
#include "harness/kernel/spec.h"
#include "harness/report/table.h"
#include "harness/suite/selection.h"
#include "harness/verdict/journal.h"

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
  3    could not test: no QEMU, no kernel, no room; or nothing passed; or a case was left unmet
  4    worse than the baseline
  5    the kernel comes up in no machine
  130  interrupted; what was finished is kept)";

struct Options {
  RunFlags flags;
  CheckFlags checks;
  std::filesystem::path resume;
  bool quiet = false;
};

std::string Absolute(const std::filesystem::path& path) {
  std::error_code ignored;
  return path.empty() ? "" : std::filesystem::absolute(path, ignored).string();
}

// What a repetition, or --resume, needs beside what the plan has. Files are named so that they are
// found from any folder.
void TakeAsked(RunFlags& flags) {
  flags.kernel.spec = AbsoluteSpec(flags.kernel.spec);
  Asked& asked = flags.run.asked;
  asked["modules"] = Absolute(flags.kernel.store.modules_dir);
  asked["config"] = Absolute(flags.kernel.store.config_file);
  asked["headers"] = Absolute(flags.headers);
  asked["profile"] = flags.run.profile;
  if (flags.machine.accelerator != MachineFlags().accelerator)
    asked["accel"] = flags.machine.accelerator;
  if (flags.run.limit_scale != 1) asked["limit-scale"] = fmt::format("{}", flags.run.limit_scale);
  if (flags.run.repeat != 1) asked["repeat"] = std::to_string(flags.run.repeat);
  std::erase_if(asked, [](const auto& option) { return option.second.empty(); });
}

// Of a plan that was read back: only what belongs to the kernel.
void GiveAsked(const Asked& asked, RunFlags& flags) {
  const auto value = [&](const char* option) {
    const auto found = asked.find(option);
    return found == asked.end() ? std::string() : found->second;
  };
  if (flags.kernel.store.modules_dir.empty()) flags.kernel.store.modules_dir = value("modules");
  if (flags.kernel.store.config_file.empty()) flags.kernel.store.config_file = value("config");
  if (flags.headers.empty()) flags.headers = value("headers");
  flags.machine.cpu = value("cpu");
  flags.run.asked = asked;
}

// What --resume takes from the folder must not be said again, for it could say something else.
Status CheckResume(const CLI::App& command) {
  for (const char* option : {"--kernel", "--suite", "--case", "--profile", "--isolation", "--cpu",
                             "--boot", "--repeat", "--out"}) {
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
  std::string& spec = options.flags.kernel.spec;
  if (options.resume.empty()) {
    if (spec.empty())
      return Fail("name a kernel with --kernel, e.g. --kernel debian:7.0.13", ErrorKind::kUsage);
    TakeAsked(options.flags);
    return {};
  }
  KASSAY_CHECK(CheckResume(command));
  KASSAY_TRY(const JournalContent journal, ReadJournal(options.resume));
  const RunPlanRecord& plan = journal.plan;
  spec = plan.kernel.spec;
  options.flags.machine.boot = plan.boot;
  run.profile = plan.profile;
  run.suites = plan.suites;
  GiveAsked(plan.asked, options.flags);
  run.out_dir = options.resume;
  run.resume = true;
  return {};
}

// What can be told without the kernel is told before it is fetched: names that match nothing, and
// that there is nothing to carry machines.
Status CheckBeforeFetching(const RunOptions& options, const Installation& installation) {
  std::vector<std::string> suites = options.suites;
  if (!options.resume && (!options.suites.empty() || !options.filters.empty()))
    KASSAY_CHECK(Select(installation, suites, options.filters));
  if (suites.empty()) {
    KASSAY_TRY(suites, InstalledSuites(installation));
  }
  KASSAY_TRY(const std::vector<Catalogue> catalogues, LoadCatalogues(installation, suites));
  if (!std::ranges::all_of(catalogues, &Catalogue::runs_on_host))
    KASSAY_CHECK(WhatCarriesMachines());
  return {};
}

Result<ExitCode> RunIt(const CLI::App& command, Options& options) {
  KASSAY_CHECK(Prepare(command, options));
  const Installation& installation = options.flags.kernel.installation;
  std::filesystem::path& folder = options.flags.run.out_dir;
  KASSAY_TRY(RunChecks checks, RunChecks::Load(installation, options.checks));
  KASSAY_CHECK(CheckBeforeFetching(options.flags.run, installation));
  KASSAY_TRY(const Kernel kernel, ResolveKernel(options.flags.kernel));
  KASSAY_CHECK(checks.ReadyFor(kernel.identity));
  if (folder.empty()) folder = NewRunFolder("out", NameOf(kernel.identity));
  KASSAY_TRY(RunResult run, RunShown(kernel, options.flags, options.quiet));
  HtmlContext context = TextsOf(installation, run.suites);
  KASSAY_CHECK(checks.LeaveWaivers(folder));
  const auto checked = checks.Apply(run);
  if (checked) {
    context.findings = checked->findings;
    context.verdict = checked->verdict;
  }
  KASSAY_CHECK(LeaveResults(installation, folder, run, context));
  if (!checked) return Fail(checked.error());
  std::cout << TableOf(run, {.colours = ::isatty(STDOUT_FILENO) != 0,
                             .out_dir = folder.string(),
                             .findings = checked->findings,
                             .verdict = checked->verdict})
            << std::flush;
  return ExitCodeOf(checked->outcome);
}

void AddRunCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(Options{{context.installation}});
  CLI::App* command = app.add_subcommand("run", "Assay one kernel");
  command->footer(kFooter);
  AddKernelOptions(*command, options->flags.kernel, /*required=*/false);
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
