#include "suites/context_analysis/analysis.h"
#include "suites/support/case.h"
#include "suites/support/compile/needs_headers.h"

namespace kassay::context {
namespace {

// A warning that must appear and code that must be clean: without both, silence proves nothing.
KASSAY_PROBE("context_analysis") {
  if (const std::string problem = compile::WhyNotCompiled(); !problem.empty())
    return Unknown(problem);
  const KernelHeaders headers = FindKernelHeaders();
  if (!HasContextAnalysisHeader(headers))
    return Missing("include/linux/compiler-context-analysis.h is not there");
  const auto self_check = ReportsWhatIsAnnounced(R"(
void bad(struct D *d) { d->x = 1; }  //! A writing variable 'x' requires holding mutex '&D::m' exclusively
void good(struct D *d) { mutex_lock(&d->m); d->x = 1; mutex_unlock(&d->m); }
)");
  if (!self_check) return Missing(self_check.message());
  return Present("the self-check is diagnosed and its twin is clean");
}

}  // namespace
}  // namespace kassay::context
