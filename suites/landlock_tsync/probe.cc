// What this kernel has. The ABI number is not trusted: each answer comes from the call itself,
// which knows the flag if it goes on to look at the descriptor (landlock_restrict_self in
// security/landlock/syscalls.c: flags first, then the ruleset).
#include "suites/landlock_tsync/landlock_abi.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::landlock {
namespace {

ProbeAnswer AskWithoutRuleset(std::uint32_t flags) {
  // no_new_privs, or the privilege test would hide the answer.
  const auto seen = InChild([flags] {
    SetNoNewPrivs();
    return RestrictSelf(-1, flags);
  });
  const std::string detail =
      "landlock_restrict_self(-1, " + std::to_string(flags) +
      "): " + (seen.value ? ErrnoName(static_cast<int>(-*seen.value)) : seen.Describe());
  return seen.value == -EBADF ? Present(detail) : Missing(detail);
}

}  // namespace

KASSAY_PROBE("landlock_tsync") { return AskWithoutRuleset(kTsync); }

KASSAY_PROBE("landlock_no_new_privs_flag") { return AskWithoutRuleset(kNoNewPrivs); }

}  // namespace kassay::landlock
