#include "suites/support/limit_scale.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <string_view>

#include "harness/protocol/suite_program.h"

namespace kassay {
namespace {

// A helper comes into being by execve(2), so the scale has to outlive that.
constexpr const char* kVariable = kLimitScaleVariable;

double LimitScale() {
  const char* value = std::getenv(kVariable);  // NOLINT(concurrency-mt-unsafe)
  const double asked = value == nullptr ? 1 : std::strtod(value, nullptr);
  return asked >= 0.1 && asked <= 100 ? asked : 1;
}

}  // namespace

void TakeLimitScale(int argc, char** argv) {
  constexpr std::string_view kOption = kLimitScaleOption;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with(kOption))
      setenv(kVariable, argv[i] + kOption.size(), 1);  // NOLINT(concurrency-mt-unsafe)
  }
}

int ScaledMilliseconds(int limit_seconds) {
  return static_cast<int>(std::min(limit_seconds * 1000.0 * LimitScale(), double{INT_MAX}));
}

}  // namespace kassay
