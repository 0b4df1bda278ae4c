// selinuxfs lists the policy capabilities that the kernel knows, before any policy is loaded
// (security/selinux/selinuxfs.c:sel_make_policycap). A policy is not loaded for an answer: that
// cannot be undone.
#include "suites/selinux_bpf_token/policy.h"
#include "suites/support/case.h"

namespace kassay::selinux {

KASSAY_PROBE("selinux_bpf_token") {
  if (const std::string missing = PrepareSelinux(); !missing.empty()) return Unknown(missing);
  const std::string value = TokenPermsCapability();
  const std::string detail = "/sys/fs/selinux/policy_capabilities/bpf_token_perms: " + value;
  return value == "absent" ? Missing(detail) : Present(detail);
}

}  // namespace kassay::selinux
