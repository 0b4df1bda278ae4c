// What a case needs whose verdict rests on certificates that the kernel was built with.
#pragma once

#include <string_view>

#include "suites/support/case.h"

namespace kassay::trust {

// Whether the kernel trusts the fixtures' certificate of that name since it was built
// (CONFIG_SYSTEM_TRUSTED_KEYS): /proc/keys shows it.
[[nodiscard]] bool IsBuiltIn(std::string_view certificate);

// Leaves the case otherwise.
inline void RequireBuiltIn(std::string_view certificate = "trusted-rsa") {
  if (!IsBuiltIn(certificate))
    KASSAY_UNMET_TRUST("the kernel was not built to trust the fixtures' certificates");
}

}  // namespace kassay::trust
