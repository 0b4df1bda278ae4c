// kassay compare A B: what got worse, what got better, and does only the kernel differ.
#include "harness/compare/compare.h"

#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <optional>
#include <variant>

#include "harness/cli/command.h"
#include "harness/cli/one_run.h"
#include "harness/cli/run_checks.h"
#include "harness/compare/baseline_files.h"
#include "harness/compare/compare_text.h"
#include "harness/kernel/spec.h"

namespace kassay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFooter =
    R"(A and B are each a results.json, the folder of a run, a baseline (the folder of a kernel, or the
file of one suite), or a kernel: then its recorded baseline is taken, and without one the kernel is
run.

worse   regressed (held, does not), new failure (fails, was not told before), lost (the feature is
        gone), not run and deleted (held, and nothing tells about it any more)
better  fixed, now holds
other   added, changed reason, changed evidence, flaky (with --repeat: too few passes are missing
        to call it a regression; Fisher's exact test, 5 %)

Boot path, kernel command line and profile must be the same on both sides; otherwise the comparison
is refused (--allow-differences shows it all the same). Other versions of kassay or QEMU are said.

Examples:
  kassay compare debian:7.0.13 debian:7.3.4
  kassay compare debian:7.0.13 out/mine --format markdown
  kassay compare old/results.json new/results.json --format html -o compare.html

Exit codes: 0 not worse, 4 worse, 2 wrong usage or refused, 3 could not test, 130 interrupted.)";

struct Options {
  RunFlags flags;
  std::string before;
  std::string after;
  std::string format = "table";
  fs::path output;
  fs::path baselines;
  bool allow_differences = false;
};

// What is there already; nothing if `name` is a kernel that has to be run. A name that is neither
// is told before any kernel is run.
Result<std::optional<Baseline>> RecordedSide(const std::string& name, const Options& options) {
  if (IsRecorded(name)) return LoadBaseline(name);
  const KernelOptions& kernel = options.flags.kernel;
  const fs::path folder = BaselinesDir(kernel.installation, options.baselines);
  if (const auto file = FindBaseline(folder, {.spec = name})) return LoadBaseline(*file);
  const auto spec = ParseKernelSpec(name);
  if (!spec) {
    return Fail(fmt::format("'{}' is no result (results.json, a run's folder, a baseline) and no "
                            "kernel: {}",
                            name, spec.error().message),
                ErrorKind::kUsage);
  }
  if (std::holds_alternative<PinnedSpec>(*spec) && name.starts_with("debian:"))
    KASSAY_CHECK(KernelStore(kernel.store).Pinned(name));
  return std::nullopt;
}

Result<Baseline> SideOf(std::optional<Baseline> recorded, const std::string& name,
                        const Options& options) {
  if (recorded) return *std::move(recorded);
  std::cerr << fmt::format(
      "kassay: there is no baseline of {}, so it is run now; `kassay baseline record --kernel {}` "
      "would keep the result\n",
      name, name);
  KASSAY_TRY(const RunResult run, RunOneKernel(options.flags, name));
  return BaselineOf(run);
}

std::string TextOf(const Comparison& comparison, const Options& options,
                   const std::vector<std::string>& suites) {
  if (options.format == "markdown") return ToMarkdown(comparison);
  if (options.format == "json") return ToJson(comparison);
  if (options.format == "html")
    return HtmlOfComparison(comparison, TextsOf(options.flags.kernel.installation, suites));
  return ToTable(comparison);
}

Result<ExitCode> CompareThem(const Options& options) {
  KASSAY_TRY(std::optional<Baseline> recorded_before, RecordedSide(options.before, options));
  KASSAY_TRY(std::optional<Baseline> recorded_after, RecordedSide(options.after, options));
  KASSAY_TRY(const Baseline before, SideOf(std::move(recorded_before), options.before, options));
  KASSAY_TRY(const Baseline after, SideOf(std::move(recorded_after), options.after, options));
  const Comparison comparison = Compare(before, after);
  if (comparison.NothingInCommon()) {
    return Fail(fmt::format("{} and {} have no case in common: one is of the suites {}, the other "
                            "of {}",
                            options.before, options.after, fmt::join(before.suites, ", "),
                            fmt::join(after.suites, ", ")),
                ErrorKind::kUsage);
  }
  KASSAY_CHECK(Emit(TextOf(comparison, options, after.suites), options.output));
  if (comparison.Refused() && !options.allow_differences) {
    return Fail("refused: not only the kernel differs; --allow-differences compares all the same",
                ErrorKind::kUsage);
  }
  return ExitCodeOf(OutcomeOf(comparison));
}

void AddCompareCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(Options{{context.installation}});
  CLI::App* command = app.add_subcommand("compare", "Tell what changed between two kernels");
  command->footer(kFooter);
  command->add_option("A", options->before, "Before")->required();
  command->add_option("B", options->after, "After")->required();
  command->add_option("--format", options->format, "`table`, `markdown`, `json` or `html`")
      ->check(CLI::IsMember({"table", "markdown", "json", "html"}))
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "Write to this file");
  command->add_option("--baselines", options->baselines, "The folder of recorded baselines");
  command->add_flag("--allow-differences", options->allow_differences,
                    "Compare although not only the kernel differs");
  AddRunFlags(*command, options->flags);
  command->callback([options, &context] { context.Finish(CompareThem(*options)); });
}

KASSAY_COMMAND(31, AddCompareCommand);

}  // namespace
}  // namespace kassay::cli
