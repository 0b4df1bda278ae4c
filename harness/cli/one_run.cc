#include "harness/cli/one_run.h"

#include <unistd.h>

#include <iostream>

#include "harness/base/file.h"
#include "harness/cli/labs.h"
#include "harness/compare/history.h"
#include "harness/report/progress.h"
#include "harness/report/result_folder.h"
#include "harness/suite/installed_suites.h"

namespace kassay::cli {
namespace {

class ShownOnTerminal : public RunObserver {
 public:
  // Takes the progress line away before anything else is printed.
  ~ShownOnTerminal() override { progress_.End(); }
  void OnNote(const std::string& text) override { progress_.Note(text); }
  void OnPhase(const std::string& text) override { progress_.Phase(text); }
  void OnPlan(size_t cases, size_t done_before) override { progress_.Plan(cases, done_before); }
  void OnCase(const CaseResult& result) override { progress_.Finished(result); }

 private:
  Progress progress_{std::cerr, ::isatty(STDERR_FILENO) != 0};
};

}  // namespace

Result<RunResult> RunShown(const Kernel& kernel, const RunFlags& flags, bool quiet) {
  ShownOnTerminal shown;
  RunObserver silent;
  return RunOn(kernel, flags, quiet ? silent : shown);
}

Result<RunResult> RunOneKernel(RunFlags flags, const std::string& spec) {
  flags.kernel.spec = spec;
  std::filesystem::path& folder = flags.run.out_dir;
  if (folder.empty()) folder = NewRunFolder("out", spec);
  KASSAY_TRY(const Kernel kernel, ResolveKernel(flags.kernel));
  auto run = RunShown(kernel, flags);
  if (!run) return Fail(run.error().Within(spec));
  const Installation& installation = flags.kernel.installation;
  KASSAY_CHECK(LeaveResults(installation, folder, *run, TextsOf(installation, run->suites)));
  if (run->interrupted)
    return Fail("interrupted; what was finished is in " + folder.string(), ErrorKind::kInterrupted);
  return run;
}

HtmlContext TextsOf(const Installation& installation, const std::vector<std::string>& suites) {
  HtmlContext context;
  for (const std::string& suite : suites) {
    const auto catalogues = LoadCatalogues(installation, {suite});
    if (!catalogues) continue;
    for (const Requirement& requirement : catalogues->front().requirements) {
      context.requirements.push_back({requirement.id, suite, requirement.feature, requirement.text,
                                      requirement.source, requirement.untested});
    }
  }
  return context;
}

Status LeaveResults(const Installation& installation, const std::filesystem::path& folder,
                    const RunResult& run, const HtmlContext& context) {
  KASSAY_CHECK(WriteResultFolder(folder, run));
  KASSAY_CHECK(WriteFileAtomically(folder / "report.html", HtmlOfRun(run, context)));
  auto history = History::Open(installation.HistoryFile());
  const auto added = history ? history->Add(run) : Result<bool>(Fail(history.error()));
  if (!added) std::cerr << "kassay: not added to the history: " << added.error().message << "\n";
  return {};
}

Status Emit(const std::string& text, const std::filesystem::path& file) {
  if (!file.empty()) return WriteFileAtomically(file, text);
  std::cout << text << std::flush;
  return {};
}

}  // namespace kassay::cli
