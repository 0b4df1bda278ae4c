// kassay matrix KERNEL...: many kernels against features.
#include "harness/compare/matrix.h"

#include <iostream>
#include <map>
#include <memory>
#include <set>

#include "harness/cli/command.h"
#include "harness/cli/labs.h"
#include "harness/cli/one_run.h"
#include "harness/compare/baseline_files.h"
#include "harness/profile/profile.h"

namespace kassay::cli {
namespace {

// Not of what was asked for: the other columns can still be shown.
bool IsOfOneKernel(const Error& error) {
  return error.kind == ErrorKind::kUnable || error.kind == ErrorKind::kNoBoot;
}

namespace fs = std::filesystem;

constexpr const char* kFooter =
    R"(A kernel is named as in `kassay run --kernel`; a results.json, a run's folder or a baseline may
stand in its place and is taken as it is. `all` means every pinned kernel.

Examples:
  kassay matrix debian:7.0.13 debian:7.1.13 debian:7.2.12 debian:7.3.4
  kassay matrix all --requirements
  kassay matrix results/baselines/* --format html -o matrix.html

Exit codes: 0 all conformant, 1 at least one is not, 2 wrong usage, 3 at least one could not be
tested, 130 interrupted.)";

struct Options {
  RunFlags flags;
  std::vector<std::string> kernels;
  bool requirements = false;
  std::string format = "table";
  fs::path output;
  fs::path out = "out";
};

// Wrong usage is told before the first kernel runs, not after hours. What else is wrong with a
// kernel is told when its turn comes.
Status CheckUsage(const Options& options) {
  const std::string& named_profile = options.flags.run.profile;
  const std::string profile = named_profile.empty() ? "stock" : named_profile;
  KASSAY_CHECK(LoadProfile(options.flags.kernel.installation.ProfilesDir(), profile));
  for (const std::string& name : options.kernels) {
    if (IsRecorded(name)) continue;
    KernelOptions kernel = options.flags.kernel;
    kernel.spec = name;
    const auto machines = MachinesOf(kernel, options.flags.machine);
    const Status ready = machines ? VmLab(*machines).Ready({profile}) : Fail(machines.error());
    if (!ready && !IsOfOneKernel(ready.error())) return ready;
  }
  return {};
}

Result<Baseline> ColumnOf(const std::string& name, const Options& options) {
  if (IsRecorded(name)) return LoadBaseline(name);
  RunFlags flags = options.flags;
  flags.run.out_dir = NewRunFolder(options.out, name);
  std::cerr << "kassay: " << name << "\n";
  KASSAY_TRY(const RunResult run, RunOneKernel(flags, name));
  return BaselineOf(run);
}

std::string TextOf(const Matrix& matrix, const Options& options, const HtmlContext& texts) {
  if (options.format == "markdown") return ToMarkdown(matrix, options.requirements);
  if (options.format == "json") return ToJson(matrix);
  if (options.format == "html") return HtmlOfMatrix(matrix, texts);
  return ToTable(matrix, options.requirements);
}

ExitCode CodeOf(const Matrix& matrix) {
  ExitCode code = ExitCode::kConformant;
  for (const MatrixKernel& kernel : matrix.kernels) {
    if (kernel.verdict == "nonconformant") return ExitCode::kNonconformant;
    if (kernel.verdict != "conformant") code = ExitCode::kCouldNotTest;
  }
  return code;
}

Result<ExitCode> Show(Options options) {
  if (options.kernels == std::vector<std::string>{"all"}) {
    options.kernels.clear();
    KASSAY_TRY(const auto pins, KernelStore(options.flags.kernel.store).Pinned());
    for (const PinnedKernel& pin : pins) options.kernels.push_back(pin.Spec());
  }
  KASSAY_CHECK(CheckUsage(options));
  std::vector<Baseline> columns;
  std::set<std::string> suites;
  ExitCode worst = ExitCode::kConformant;
  for (const std::string& name : options.kernels) {
    auto column = ColumnOf(name, options);
    if (!column) {
      // One kernel that does not boot must not lose the others.
      if (!IsOfOneKernel(column.error())) return Fail(column.error());
      worst = Report(column.error());
      column = Baseline();
      column->kernel.spec = name;
    }
    suites.insert(column->suites.begin(), column->suites.end());
    columns.push_back(*std::move(column));
  }
  const HtmlContext texts =
      TextsOf(options.flags.kernel.installation, {suites.begin(), suites.end()});
  std::map<std::string, std::string> feature_of;
  for (const RequirementText& text : texts.requirements) feature_of[text.id] = text.feature;
  const Matrix matrix = MatrixOf(columns, feature_of);
  KASSAY_CHECK(Emit(TextOf(matrix, options, texts), options.output));
  const ExitCode code = CodeOf(matrix);
  return code == ExitCode::kConformant ? worst : code;
}

void AddMatrixCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(Options{{context.installation}});
  CLI::App* command = app.add_subcommand("matrix", "Show many kernels against features");
  command->footer(kFooter);
  command->add_option("KERNEL", options->kernels, "Kernels, results or baselines")->required();
  command->add_flag("--requirements", options->requirements, "Show every requirement");
  command->add_option("--format", options->format, "`table`, `markdown`, `json` or `html`")
      ->check(CLI::IsMember({"table", "markdown", "json", "html"}))
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "Write to this file");
  command->add_option("--out", options->out, "The folder under which each run has its own")
      ->capture_default_str();
  AddRunFlags(*command, options->flags);
  command->callback([options, &context] { context.Finish(Show(*options)); });
}

KASSAY_COMMAND(33, AddMatrixCommand);

}  // namespace
}  // namespace kassay::cli
