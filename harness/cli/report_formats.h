// The forms that `kassay report --format NAME` writes a run in: the one list of them. A test holds
// each to a validator (formats_test.cc).
#pragma once

#include <span>
#include <string>

#include "harness/base/result.h"
#include "harness/report/html/html.h"
#include "harness/report/table.h"
#include "harness/result/run_result.h"

namespace kassay::cli {

// What a form may say beside the run.
struct FormatInputs {
  TableOptions table;
  HtmlContext html;
  std::string origin = "kassay";  // the CI system that submits
};

struct ReportFormat {
  const char* name;
  const char* what;  // for --help
  Result<std::string> (*write)(const RunResult& run, const FormatInputs& inputs);
};

[[nodiscard]] std::span<const ReportFormat> ReportFormats();

// The form of this name; it is an error of the kind ErrorKind::kUsage if there is none.
[[nodiscard]] Result<const ReportFormat*> FindReportFormat(const std::string& name);

}  // namespace kassay::cli
