// One self-contained file for a run, a comparison or a matrix: it loads nothing, and what came from
// the guest is data in it. The page's own style and script are allowed by their SHA-256 in its
// Content-Security-Policy; nothing else can run.
#pragma once

#include <string>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/compare/matrix.h"
#include "harness/report/repeat_command.h"
#include "harness/result/run_result.h"

namespace kassay {

// What the catalogue says about a requirement.
struct RequirementText {
  std::string id;
  std::string suite;
  std::string feature;
  std::string text;
  std::string source;
  std::string untested;  // why no case cites it
};

struct HtmlContext {
  std::vector<RequirementText> requirements;
  // About the level, waivers and the baseline: "FILE-012 is waived until 2027-01-31: reason".
  std::vector<std::string> findings;
  // "conformant", "nonconformant", "could not test", "regressed" or "interrupted"; empty: from the
  // run alone.
  std::string verdict;
};

[[nodiscard]] std::string HtmlOfRun(const RunResult& run, const HtmlContext& context);
[[nodiscard]] std::string HtmlOfComparison(const Comparison& comparison,
                                           const HtmlContext& context);
[[nodiscard]] std::string HtmlOfMatrix(const Matrix& matrix, const HtmlContext& context);

}  // namespace kassay
