// report_samples FOLDER BASELINE: result folders for ci/validators to feed consumers with, and in
// each gitlab.json and kcidb.json.
//   FOLDER/worst     a made-up run as bad as can be, thousands of cases
//   FOLDER/recorded  what the baselines of a kernel say, as a run
#include <iostream>

#include "harness/base/file.h"
#include "harness/compare/baseline_files.h"
#include "harness/report/exports/annotations.h"
#include "harness/report/exports/kcidb.h"
#include "harness/report/result_folder.h"
#include "harness/report/testing/worst_run.h"

namespace kassay {
namespace {

RunResult RunOf(const Baseline& baseline) {
  RunResult run;
  run.kernel = baseline.kernel;
  run.environment = baseline.environment;
  run.suites = baseline.suites;
  run.started_at = "2026-11-24T06:00:00Z";  // a baseline knows no times
  run.finished_at = "2026-11-24T07:00:00Z";
  for (const BaselineCase& recorded : baseline.cases) {
    CaseResult result;
    result.suite = recorded.Suite();
    result.case_name = recorded.id.substr(result.suite.size() + 1);
    result.profile = recorded.profile;
    result.requirements = recorded.requirements;
    result.verdict = recorded.verdict;
    result.reason = recorded.reason;
    result.evidence = recorded.evidence;
    result.waiver = recorded.waiver;
    result.attempts = recorded.attempts;
    result.passes = recorded.passes;
    if (!recorded.erratum.empty())
      result.erratum = ErratumMatch{recorded.erratum, recorded.erratum_fixed, "", ""};
    run.cases.push_back(std::move(result));
  }
  return run;
}

Status WriteAll(const std::filesystem::path& folder, const RunResult& run) {
  KASSAY_CHECK(WriteResultFolder(folder, run));
  KASSAY_CHECK(WriteFileAtomically(folder / "gitlab.json", GitLabCodeQualityOf(run)));
  KASSAY_TRY(const std::string kcidb, KcidbOf(run, "kassay_test"));
  return WriteFileAtomically(folder / "kcidb.json", kcidb);
}

Status Write(const std::filesystem::path& folder, const std::filesystem::path& baseline) {
  constexpr int kCopies = 20;
  KASSAY_TRY(const Baseline recorded, LoadBaseline(baseline));
  KASSAY_CHECK(WriteAll(folder / "worst", WorstRun(kCopies)));
  return WriteAll(folder / "recorded", RunOf(recorded));
}

}  // namespace
}  // namespace kassay

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: report_samples FOLDER BASELINE\n";
    return 2;
  }
  const kassay::Status written = kassay::Write(argv[1], argv[2]);
  if (!written) std::cerr << "report_samples: " << written.error().message << "\n";
  return written ? 0 : 1;
}
