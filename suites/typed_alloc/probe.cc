#include "suites/support/case.h"
#include "suites/support/prepare.h"
#include "suites/typed_alloc/prepared_module.h"

namespace kassay::typed_alloc {
namespace {

KASSAY_PREPARE() { return BuildModules(folder); }

// The helpers are macros: they show only in whether a module could be built with them, which needs
// headers.
KASSAY_PROBE("typed_alloc") {
  const std::string problem = WhyNotPrepared(Builder::kGcc);
  if (!problem.empty()) return Unknown(problem);
  return Present("a module built with kmalloc_obj and its family is there");
}

}  // namespace
}  // namespace kassay::typed_alloc
