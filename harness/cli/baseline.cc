// kassay baseline record|from|list: what later runs are compared with.
#include "harness/compare/baseline.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "harness/base/file.h"
#include "harness/cli/command.h"
#include "harness/cli/one_run.h"
#include "harness/cli/run_checks.h"
#include "harness/compare/compare_text.h"

namespace kassay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFooter =
    R"(A baseline is a small file, one case a line, without times or machine names:
results/baselines/VENDOR-PACKAGEVERSION.json. Recording the same kernel twice gives the same bytes.
A run of some suites replaces what the baseline says about these and keeps the rest.

Examples:
  kassay baseline record --kernel debian:7.0.13
  kassay baseline record --kernel debian:7.0.13 --suite io_uring
  kassay baseline from out/debian-7.0.13-20260102-030405/results.json
  kassay baseline list
  kassay run --kernel debian:7.0.13 --baseline auto

Exit codes: 0 recorded (whatever the verdict), 2 wrong usage or a run that is not complete,
3 could not test, 130 interrupted.)";

struct Options {
  KernelOptions kernel;
  RunFlags flags;
  fs::path result;
  fs::path folder;
};

fs::path FolderOf(const Options& options) {
  return options.folder.empty() ? BaselinesDir() : options.folder;
}

Result<ExitCode> Write(const RunResult& run, const Options& options) {
  KASSAY_CHECK(CheckRecordable(run));
  const fs::path file = FolderOf(options) / BaselineFileName(run.kernel);
  Baseline baseline = BaselineOf(run);
  if (fs::exists(file)) {
    KASSAY_TRY(const Baseline recorded, LoadBaseline(file));
    KASSAY_TRY(baseline, Complemented(std::move(baseline), recorded));
  }
  KASSAY_CHECK(WriteFileAtomically(file, ToJson(baseline)));
  std::cout << fmt::format("{}: {} cases of {}, {} of them from this run\n", file.string(),
                           baseline.cases.size(), DisplayName(run.kernel), run.cases.size());
  return ExitCode::kConformant;
}

Result<ExitCode> Record(const Options& options) {
  KASSAY_TRY(const OneRun one, RunOneKernel(options.kernel, options.flags));
  return Write(one.result, options);
}

Result<ExitCode> From(const Options& options) {
  fs::path file = options.result;
  if (fs::is_directory(file)) file /= "results.json";
  KASSAY_TRY(const std::string text, ReadFile(file));
  auto run = RunResultFromJson(text);
  if (!run) return Fail(run.error().Within(file.string()));
  return Write(*run, options);
}

Result<ExitCode> List(const Options& options) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(FolderOf(options), error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    KASSAY_TRY(const Baseline baseline, LoadBaseline(file));
    const auto held = std::count_if(baseline.cases.begin(), baseline.cases.end(),
                                    [](const auto& c) { return c.verdict == Verdict::kPass; });
    std::cout << fmt::format("{:<20} {:<32} {:>5} cases, {:>5} pass  {}\n", baseline.kernel.spec,
                             baseline.kernel.release, baseline.cases.size(), held, file.string());
  }
  return ExitCode::kConformant;
}

void AddBaselineCommand(CLI::App& app, ExitCode& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("baseline", "Record what later runs are compared with");
  command->footer(kFooter);
  command->require_subcommand(1);
  const auto add = [&](const char* name, const char* text,
                       Result<ExitCode> (*act)(const Options&)) {
    CLI::App* sub = command->add_subcommand(name, text);
    sub->add_option("--dir,--baselines", options->folder,
                    "The folder; without it results/baselines");
    sub->callback([options, act, &exit_code] {
      const auto code = act(*options);
      exit_code = code ? *code : Report(code.error());
    });
    return sub;
  };
  CLI::App* record = add("record", "Run a kernel and record it", &Record);
  AddKernelOptions(*record, options->kernel, /*required=*/true);
  AddRunFlags(*record, options->flags);
  record->add_option("--out", options->flags.run.out_dir, "The result folder of the run");
  CLI::App* from = add("from", "Record a run that was made before", &From);
  from->add_option("RESULT", options->result, "results.json, or its folder")
      ->required()
      ->check(CLI::ExistingPath);
  add("list", "The recorded baselines", &List);
}

KASSAY_COMMAND(30, AddBaselineCommand);

}  // namespace
}  // namespace kassay::cli
