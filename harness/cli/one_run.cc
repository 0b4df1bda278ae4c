#include "harness/cli/one_run.h"

#include <iostream>

#include "harness/base/file.h"
#include "harness/cli/labs.h"
#include "harness/cli/run_view.h"
#include "harness/compare/history.h"
#include "harness/report/result_folder.h"
#include "harness/run/run.h"
#include "harness/suite/installed_suites.h"

namespace kassay::cli {

Result<OneRun> RunOneKernel(KernelOptions kernel_options, RunFlags flags) {
  if (flags.run.out_dir.empty()) flags.run.out_dir = NewRunFolder("out", kernel_options.spec);
  OneRun one;
  one.folder = flags.run.out_dir;
  KASSAY_TRY(one.kernel, ResolveKernel(kernel_options));
  TerminalView view;
  auto run = RunOn(one.kernel, kernel_options, flags, view);
  view.End();
  if (!run) return Fail(run.error().Within(kernel_options.spec));
  one.result = *std::move(run);
  KASSAY_CHECK(LeaveResults(*kernel_options.installation, one.folder, one.result,
                            TextsOf(*kernel_options.installation, one.result.suites)));
  if (one.result.interrupted) {
    return Fail("interrupted; what was finished is in " + one.folder.string(),
                ErrorKind::kInterrupted);
  }
  return one;
}

HtmlContext TextsOf(const Installation& installation, const std::vector<std::string>& suites) {
  HtmlContext context;
  for (const std::string& suite : suites) {
    const auto files = FindSuite(installation, suite);
    const auto catalogue = files ? LoadCatalogue(files->catalogue) : Result<Catalogue>();
    if (!catalogue) continue;
    for (const Requirement& requirement : catalogue->requirements) {
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
