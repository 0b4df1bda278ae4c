// What a case needs whose verdict rests on certificates that the kernel trusts by itself: built
// into it, or found in the firmware's variables when it booted.
#pragma once

#include <string>
#include <string_view>

#include "suites/support/case.h"

namespace kassay::trust {

// The keyring of the system that holds the fixtures' certificate of that name, where several do the
// first of: ".builtin_trusted_keys" (CONFIG_SYSTEM_TRUSTED_KEYS), ".secondary_trusted_keys",
// ".machine" (keys that a machine's owner enrolled in shim's list, MOK), ".platform" (the
// firmware's db; security/integrity/platform_certs/load_uefi.c). Empty if none does.
[[nodiscard]] std::string TrustedThrough(std::string_view certificate);

// Whether the kernel trusts it for everything that it verifies: the keyrings but .platform, which
// only some of its parts ask.
[[nodiscard]] bool IsBuiltIn(std::string_view certificate);

// Leaves the case otherwise.
inline void RequireBuiltIn(std::string_view certificate = "trusted-rsa") {
  if (!IsBuiltIn(certificate))
    KASSAY_UNMET_TRUST("the kernel was not built to trust the fixtures' certificates");
}

// Leaves the case unless the kernel trusts the certificate where the case asks. `asks_platform` is
// called when it is in .platform alone: whether that part of the kernel asks there, by experiment.
template <typename AsksPlatform>
void RequireTrusted(std::string_view certificate, const char* what, AsksPlatform asks_platform) {
  const std::string keyring = TrustedThrough(certificate);
  if (keyring.empty()) {
    KASSAY_UNMET_TRUST(
        "the kernel was not built to trust the fixtures' certificates, and has none of them from "
        "its firmware");
  }
  if (keyring == ".platform" && !asks_platform()) {
    KASSAY_UNMET_TRUST(
        std::string("the kernel does not ask .platform, its firmware's keys, about ") + what);
  }
  RecordEvidence("trusted through", keyring);
}

}  // namespace kassay::trust
