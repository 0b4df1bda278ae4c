#include "suites/support/case.h"

namespace kassay::posture {
namespace {

KASSAY_PROBE("posture") { return Present("every kernel has a posture"); }

}  // namespace
}  // namespace kassay::posture
