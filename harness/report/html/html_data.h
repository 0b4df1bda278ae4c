// The data that stands in the page, as JSON that is already escaped for a script element. Written
// piece by piece: a hundred thousand cases are never held as one tree.
#pragma once

#include <string>

#include "harness/report/html/html.h"

namespace kassay {

[[nodiscard]] std::string DataOfRun(const RunResult& run, const HtmlContext& context,
                                    const std::string& verdict);
[[nodiscard]] std::string DataOfComparison(const Comparison& comparison,
                                           const HtmlContext& context);
[[nodiscard]] std::string DataOfMatrix(const Matrix& matrix, const HtmlContext& context);

}  // namespace kassay
