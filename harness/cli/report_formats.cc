#include "harness/cli/report_formats.h"

#include <algorithm>
#include <array>

#include "harness/report/exports/annotations.h"
#include "harness/report/exports/kcidb.h"
#include "harness/report/junit.h"
#include "harness/report/ktap.h"
#include "harness/report/posture.h"

namespace kassay::cli {
namespace {

using Inputs = FormatInputs;

Result<std::string> Html(const RunResult& run, const Inputs& inputs) {
  return HtmlOfRun(run, inputs.html);
}
Result<std::string> Table(const RunResult& run, const Inputs& inputs) {
  return TableOf(run, inputs.table);
}
Result<std::string> JUnit(const RunResult& run, const Inputs& /*inputs*/) { return JUnitOf(run); }
Result<std::string> JUnitProperties(const RunResult& run, const Inputs& /*inputs*/) {
  return JUnitOf(run, JUnitDetails::kProperties);
}
Result<std::string> Ktap(const RunResult& run, const Inputs& /*inputs*/) { return KtapOf(run); }
Result<std::string> Kcidb(const RunResult& run, const Inputs& inputs) {
  return KcidbOf(run, inputs.origin);
}
Result<std::string> GitHub(const RunResult& run, const Inputs& /*inputs*/) {
  return GitHubAnnotationsOf(run);
}
Result<std::string> Posture(const RunResult& run, const Inputs& /*inputs*/) {
  const std::string table = PostureTableOf(run);
  if (!table.empty()) return table;
  return Fail("nothing in this run tells about options; `kassay run --suite posture` does",
              ErrorKind::kUsage);
}
Result<std::string> GitLab(const RunResult& run, const Inputs& /*inputs*/) {
  return GitLabCodeQualityOf(run);
}

constexpr std::array<ReportFormat, 9> kFormats{{
    {"html", "one file that loads nothing, for a browser, a phone or paper", Html},
    {"table", "as at the end of a run", Table},
    {"junit", "JUnit XML by Jenkins' xUnit schema; GitLab and openQA read it too", JUnit},
    {"junit-properties", "the same, with requirements and evidence as properties of cases",
     JUnitProperties},
    {"ktap", "KTAP, as the kernel's own tests: for kunit.py and openQA", Ktap},
    {"kcidb", "KCIDB I/O schema 5.3 (--origin names your CI system)", Kcidb},
    {"github", "workflow commands: print them in a job, GitHub shows them beside the code", GitHub},
    {"posture",
     "Markdown: which security-relevant options are on, off or gone, and why each matters",
     Posture},
    {"gitlab", "a code quality report (artifacts:reports:codequality)", GitLab},
}};

}  // namespace

std::span<const ReportFormat> ReportFormats() { return kFormats; }

Result<const ReportFormat*> FindReportFormat(const std::string& name) {
  const auto* found = std::ranges::find_if(
      kFormats, [&](const ReportFormat& format) { return name == format.name; });
  if (found == kFormats.end()) {
    return Fail("there is no form '" + name + "'; `kassay report --help` lists them",
                ErrorKind::kUsage);
  }
  return found;
}

}  // namespace kassay::cli
