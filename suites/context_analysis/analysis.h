// The analysis as scripts/Makefile.context-analysis asks for it, over the annotated structs of the
// prelude.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "suites/support/compile/compile.h"
#include "suites/support/compile/kernel_headers.h"

namespace kassay::context {

using compile::Compilation;
using compile::Compile;
using compile::CompileOptions;
using compile::Diagnostic;
using compile::FindKernelHeaders;
using compile::KernelHeaders;

// The lock headers and the struct definitions that the cases use: D (mutex m, m2), S (spinlock), W
// (rwlock), R (rwsem), Q (seqlock), C (RCU and SRCU), B (bit lock), L and T (local locks), WW
// (wound/wait mutex).
[[nodiscard]] std::string_view Prelude();

inline constexpr const char* kAnalysisDefine = "-DWARN_CONTEXT_ANALYSIS";

// All flags of scripts/Makefile.context-analysis but the list of muted headers, which packages do
// not ship.
[[nodiscard]] inline CompileOptions Analysis() {
  return {.flags = {kAnalysisDefine, "-fexperimental-late-parse-attributes", "-Wthread-safety",
                    "-Wthread-safety-pointer", "-Wthread-safety-beta"},
          .prelude = std::string(Prelude())};
}

// True if the tree has the annotations at all (7.0 and later).
[[nodiscard]] inline bool HasContextAnalysisHeader(const KernelHeaders& headers) {
  return std::filesystem::exists(headers.source / "include/linux/compiler-context-analysis.h");
}

[[nodiscard]] inline ::testing::AssertionResult ReportsWhatIsAnnounced(std::string_view source) {
  return compile::ReportsWhatIsAnnounced(source, Analysis());
}
[[nodiscard]] inline ::testing::AssertionResult IsSilent(std::string_view source) {
  return compile::IsSilent(source, Analysis());
}

}  // namespace kassay::context
