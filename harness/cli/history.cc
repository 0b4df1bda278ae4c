// kassay history NAME and kassay import FILE...: every recorded run, one case or requirement.
#include "harness/compare/history.h"

#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "harness/cli/command.h"
#include "harness/cli/one_run.h"

namespace kassay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHistoryFooter =
    R"(Every run is taken up by itself; `kassay import` adds result files from elsewhere. The store is
$KASSAY_STATE_DIR/history.sqlite (without the variable below ~/.local/state/kassay).

Examples:
  kassay history IOU-051
  kassay history io_uring.TaskList.SurvivesExec --format json

Exit codes: 0 shown, 2 nothing is known of that name, 3 the store cannot be read.)";

constexpr const char* kImportFooter = R"(A result that is there already is not taken up twice.

Examples:
  kassay import out/*/results.json
  kassay import ci-results/

Exit codes: 0 all taken up, 2 a file is no result, 3 the store cannot be written.)";

struct Options {
  fs::path history;
  std::string name;
  std::string format = "table";
  int limit = 100;
  std::vector<fs::path> files;
};

Result<ExitCode> Show(const Options& options) {
  KASSAY_TRY(const History history, History::Open(options.history));
  KASSAY_TRY(auto rows, history.OfCase(options.name, options.limit));
  if (rows.empty()) {
    KASSAY_TRY(rows, history.OfRequirement(options.name, options.limit));
  }
  if (rows.empty()) {
    KASSAY_TRY(const auto near, history.Known(options.name, 5));
    return Fail(fmt::format("nothing is recorded about '{}'{}", options.name,
                            near.empty() ? ": give a case (suite.Group.Case) or a requirement"
                                         : fmt::format("; known: {}", fmt::join(near, ", "))),
                ErrorKind::kUsage);
  }
  std::cout << (options.format == "json" ? ToJson(rows) : ToTable(rows)) << std::flush;
  return ExitCode::kConformant;
}

Result<ExitCode> Import(const Options& options) {
  KASSAY_TRY(History history, History::Open(options.history));
  size_t added = 0;
  for (const fs::path& file : options.files) {
    KASSAY_TRY(const RunResult run, LoadRunResult(file));
    KASSAY_TRY(const bool is_new, history.Add(run));
    added += is_new ? 1 : 0;
  }
  std::cout << fmt::format("{} of {} results added, the others were there already\n", added,
                           options.files.size());
  return ExitCode::kConformant;
}

void AddHistoryCommands(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>(Options{context.installation.HistoryFile()});
  CLI::App* history = app.add_subcommand("history", "Show a case or a requirement over all runs");
  history->footer(kHistoryFooter);
  history->add_option("NAME", options->name, "A case (suite.Group.Case) or a requirement")
      ->required();
  history->add_option("--limit", options->limit, "At most this many rows, the newest")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  history->add_option("--format", options->format, "`table` or `json`")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  CLI::App* taking = app.add_subcommand("import", "Take result files up into the history");
  taking->footer(kImportFooter);
  taking->add_option("RESULT", options->files, "results.json files, or their folders")
      ->required()
      ->check(CLI::ExistingPath);
  history->callback([options, &context] { context.Finish(Show(*options)); });
  taking->callback([options, &context] { context.Finish(Import(*options)); });
}

KASSAY_COMMAND(32, AddHistoryCommands);

}  // namespace
}  // namespace kassay::cli
