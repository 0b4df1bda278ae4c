// kassay report RESULT: a result in another form.
#include <fmt/format.h>

#include <memory>

#include "harness/cli/command.h"
#include "harness/cli/one_run.h"
#include "harness/cli/report_formats.h"
#include "harness/cli/run_checks.h"
#include "harness/verdict/conclude.h"

namespace kassay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFooter = R"(Examples:
  kassay report out/mine -o report.html
  kassay report out/mine/results.json --format github
  kassay report out/mine --format kcidb --origin my_ci > submission.json
  kassay report out/mine --format posture
  kassay report out/mine --level core --waivers waivers.toml -o report.html

Exit codes: 0 written (whatever the verdict; with --level, --waivers or --baseline as `kassay run`),
2 wrong usage, or not a result.)";

std::string Footer() {
  std::string text = "Formats\n";
  for (const ReportFormat& format : ReportFormats())
    text += fmt::format("  {:<16}  {}\n", format.name, format.what);
  return text + "\n" + kFooter;
}

std::vector<std::string> FormatNames() {
  std::vector<std::string> names;
  for (const ReportFormat& format : ReportFormats()) names.emplace_back(format.name);
  return names;
}

struct Options {
  const Installation& installation;
  fs::path result;
  std::string format = "html";
  std::string origin = "kassay";
  fs::path output;
  CheckFlags checks;
};

bool HasChecks(const CheckFlags& flags) {
  return !flags.baseline.empty() || !flags.level.empty() || !flags.waivers.empty() ||
         flags.expect_errata || !flags.allow_unmet.empty();
}

Result<std::string> TextOf(const RunResult& run, const Options& options,
                           const CheckOutcome& checked) {
  KASSAY_TRY(const ReportFormat* format, FindReportFormat(options.format));
  FormatInputs inputs{.table = {.findings = checked.findings,
                                .verdict = HasChecks(options.checks) ? checked.verdict : ""},
                      .html = TextsOf(options.installation, run.suites),
                      .origin = options.origin};
  inputs.html.findings = checked.findings;
  inputs.html.verdict = checked.verdict;
  return format->write(run, inputs);
}

// A run's folder is concluded from its record, be it that of a run that was killed; results.json
// alone speaks for itself.
Result<RunResult> ResultOf(const fs::path& result) {
  std::error_code ignored;
  if (fs::exists(result / kJournalName, ignored)) {
    KASSAY_TRY(const RunRecord record, ReadRunRecord(result));
    return Conclude(record);
  }
  return LoadRunResult(result);
}

Result<ExitCode> Write(const Options& options) {
  auto run = ResultOf(options.result);
  if (!run) return Fail(run.error().Within(options.result.string()));
  CheckFlags flags = options.checks;
  const fs::path waivers = options.result / kInputsName / kWaiversName;
  std::error_code ignored;
  if (flags.waivers.empty() && fs::exists(waivers, ignored)) flags.waivers = waivers;
  KASSAY_TRY(RunChecks checks, RunChecks::Load(options.installation, flags));
  KASSAY_CHECK(checks.ReadyFor(run->kernel));
  KASSAY_TRY(const CheckOutcome checked, checks.Apply(*run));
  KASSAY_TRY(const std::string report, TextOf(*run, options, checked));
  KASSAY_CHECK(Emit(report, options.output));
  return HasChecks(options.checks) ? ExitCodeOf(checked.outcome) : ExitCode::kConformant;
}

void AddReportCommand(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(Options{context.installation});
  CLI::App* command = app.add_subcommand("report", "Write a result in another form");
  command->footer(Footer());
  command->add_option("RESULT", options->result, "A run's folder, or results.json")
      ->required()
      ->check(CLI::ExistingPath);
  command->add_option("--format", options->format, "The form")
      ->check(CLI::IsMember(FormatNames()))
      ->capture_default_str();
  command->add_option("--origin", options->origin, "For kcidb: the name of your CI system")
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "Write to this file");
  AddCheckFlags(*command, options->checks);
  command->callback([options, &context] { context.Finish(Write(*options)); });
}

KASSAY_COMMAND(35, AddReportCommand);

}  // namespace
}  // namespace kassay::cli
