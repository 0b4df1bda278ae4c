// Does the analysis run at all, and only where it is asked for?
#include <algorithm>

#include "suites/context_analysis/analysis.h"
#include "suites/support/case.h"
#include "suites/support/compile/needs_headers.h"

namespace kassay::context {
namespace {

class Plumbing : public compile::NeedsHeaders {};

constexpr const char* kBad = "void bad(struct D *d) { d->x = 1; }\n";

long WarningsIn(const Compilation& compilation) {
  return std::count_if(
      compilation.diagnostics.begin(), compilation.diagnostics.end(),
      [](const Diagnostic& seen) { return seen.line > 0 && seen.category == "A"; });
}

KASSAY_CASE_F(Plumbing, TheAnalysisWorksOnThisKernelsOwnHeaders, Cites("CTX-013")) {
  const Compilation seen = Compile(kBad, Analysis());
  ASSERT_TRUE(seen.started);
  EXPECT_EQ(seen.exit_code, 0) << "findings are warnings: " << seen.output;
  EXPECT_EQ(WarningsIn(seen), 1) << seen.output;
}

KASSAY_CASE_F(Plumbing, WarningsBecomeErrorsOnRequest, Cites("CTX-010")) {
  CompileOptions options = Analysis();
  options.flags.emplace_back("-Werror=thread-safety-analysis");
  const Compilation seen = Compile(kBad, options);
  EXPECT_NE(seen.exit_code, 0);
  const auto error = std::find_if(seen.diagnostics.begin(), seen.diagnostics.end(),
                                  [](const Diagnostic& one) { return one.line == 1; });
  ASSERT_NE(error, seen.diagnostics.end()) << seen.output;
  EXPECT_EQ(error->kind, "error");
  EXPECT_NE(error->text.find("writing variable 'x'"), std::string::npos) << error->text;
}

KASSAY_CASE_F(Plumbing, WithoutTheDefineTheAnnotationsAreEmpty, Cites("CTX-011")) {
  CompileOptions options = Analysis();
  std::erase(options.flags, kAnalysisDefine);
  const Compilation seen = Compile(kBad, options);
  EXPECT_EQ(seen.exit_code, 0) << seen.output;
  EXPECT_EQ(WarningsIn(seen), 0) << seen.output;
}

KASSAY_CASE_F(Plumbing, WithoutTheFlagsNothingIsAnalysed, Cites("CTX-007", "CTX-008")) {
  const CompileOptions options{.prelude = std::string(Prelude())};
  const Compilation seen = Compile(kBad, options);
  EXPECT_EQ(seen.exit_code, 0) << seen.output;
  EXPECT_EQ(WarningsIn(seen), 0) << seen.output;
}

KASSAY_CASE_F(Plumbing, ASyntaxErrorHidesTheFunctionsAfterIt, Cites("CTX-018")) {
  const Compilation seen = Compile(
      "void first(struct D *d) { d->x = 1; }\n"
      "void broken(struct D *d) { d->x = ; }\n"
      "void last(struct D *d) { d->x = 1; }\n",
      Analysis());
  EXPECT_NE(seen.exit_code, 0);
  for (const Diagnostic& one : seen.diagnostics) EXPECT_NE(one.line, 3) << one.text;
  EXPECT_EQ(WarningsIn(seen), 1) << seen.output;
  const Compilation hidden = Compile(
      "struct broken { int };;; x\n"
      "void last(struct D *d) { d->x = 1; }\n",
      Analysis());
  EXPECT_NE(hidden.exit_code, 0);
  EXPECT_EQ(WarningsIn(hidden), 0)
      << "an error at file scope must be seen for what it is: " << hidden.output;
}

KASSAY_CASE_F(Plumbing, AGccBuildNeverHasTheOption, Cites("CTX-002")) {
  const KernelHeaders headers = FindKernelHeaders();
  if (compile::AutoConfValue(headers, "CONFIG_CC_IS_CLANG") == "y")
    KASSAY_ABSENT("this tree was configured with clang");
  EXPECT_EQ(compile::AutoConfValue(headers, "CONFIG_CC_IS_GCC"), "y");
  EXPECT_EQ(compile::AutoConfValue(headers, "CONFIG_WARN_CONTEXT_ANALYSIS"), "");
}

KASSAY_CASE_F(Plumbing, AClangBuildHasTheOption, Cites("CTX-001")) {
  const KernelHeaders headers = FindKernelHeaders();
  if (compile::AutoConfValue(headers, "CONFIG_CC_IS_CLANG") != "y")
    KASSAY_ABSENT("this tree was configured with gcc");
  EXPECT_EQ(compile::AutoConfValue(headers, "CONFIG_WARN_CONTEXT_ANALYSIS"), "y");
}

KASSAY_CASE_F(Plumbing, OlderHeadersRejectTheAnnotation, Cites("CTX-014").Detection()) {
  const KernelHeaders headers = FindKernelHeaders();
  const Compilation seen = Compile(
      "#include <linux/mutex.h>\n"
      "struct D { struct mutex m; int x __guarded_by(&m); };\n");
  ASSERT_TRUE(seen.started);
  const bool rejected =
      std::any_of(seen.diagnostics.begin(), seen.diagnostics.end(),
                  [](const Diagnostic& one) { return one.line == 2 && one.kind == "error"; });
  EXPECT_EQ(rejected, !HasContextAnalysisHeader(headers)) << seen.output;
}

}  // namespace
}  // namespace kassay::context
