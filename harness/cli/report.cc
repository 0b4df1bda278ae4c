// kassay report RESULT: a result in another form.
#include <memory>

#include "harness/cli/command.h"
#include "harness/cli/one_run.h"
#include "harness/cli/run_checks.h"
#include "harness/report/exports/annotations.h"
#include "harness/report/exports/kcidb.h"
#include "harness/report/junit.h"
#include "harness/report/ktap.h"
#include "harness/report/posture.h"
#include "harness/report/table.h"
#include "harness/verdict/conclude.h"

namespace kassay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFooter = R"(Formats
  html     one file that loads nothing, for a browser, a phone or paper
  table    as at the end of a run
  junit    JUnit XML by Jenkins' xUnit schema; junit-properties: with properties of cases
  ktap     KTAP, as the kernel's own tests
  kcidb    KCIDB I/O schema 5.3 (--origin names your CI system)
  github   workflow commands: print them in a job, GitHub shows them beside the code
  posture  Markdown: which security-relevant options are on, off or gone, and why each matters
  gitlab   a code quality report (artifacts:reports:codequality)

Examples:
  kassay report out/mine -o report.html
  kassay report out/mine/results.json --format github
  kassay report out/mine --format kcidb --origin my_ci > submission.json
  kassay report out/mine --format posture
  kassay report out/mine --level core --waivers waivers.toml -o report.html

Exit codes: 0 written (whatever the verdict; with --level, --waivers or --baseline as `kassay run`),
2 wrong usage, or not a result.)";

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
  if (options.format == "table") {
    return TableOf(run, {.findings = checked.findings,
                         .verdict = HasChecks(options.checks) ? checked.verdict : ""});
  }
  if (options.format == "junit") return JUnitOf(run);
  if (options.format == "junit-properties") return JUnitOf(run, JUnitDetails::kProperties);
  if (options.format == "ktap") return KtapOf(run);
  if (options.format == "kcidb") return KcidbOf(run, options.origin);
  if (options.format == "github") return GitHubAnnotationsOf(run);
  if (options.format == "posture") {
    const std::string table = PostureTableOf(run);
    if (!table.empty()) return table;
    return Fail("nothing in this run tells about options; `kassay run --suite posture` does",
                ErrorKind::kUsage);
  }
  if (options.format == "gitlab") return GitLabCodeQualityOf(run);
  HtmlContext context = TextsOf(options.installation, run.suites);
  context.findings = checked.findings;
  context.verdict = checked.verdict;
  return HtmlOfRun(run, context);
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
  command->footer(kFooter);
  command->add_option("RESULT", options->result, "A run's folder, or results.json")
      ->required()
      ->check(CLI::ExistingPath);
  command->add_option("--format", options->format, "The form")
      ->check(CLI::IsMember({"html", "table", "junit", "junit-properties", "ktap", "kcidb",
                             "github", "gitlab", "posture"}))
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
