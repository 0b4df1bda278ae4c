// Loading a module, what must come of it under each policy, and what the kernel then says about it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "suites/module_signature/module_file.h"
#include "suites/support/case.h"
#include "suites/support/syscall_matchers.h"
#include "suites/support/trust/cms.h"
#include "suites/support/trust/fixture.h"
#include "suites/support/trust/keyring.h"

namespace kassay::modules {

// How the VM was booted.
enum class Policy {
  kOpen,        // signatures are checked, and not needed
  kEnforced,    // module.sig_enforce=1
  kLockedDown,  // lockdown=integrity, or Secure Boot
};

// finit_module(2) of a file with these bytes; 0 or a negative errno.
[[nodiscard]] long Load(std::string_view file, int flags = 0);
// init_module(2) of the same.
[[nodiscard]] long LoadFromMemory(std::string_view file);
[[nodiscard]] bool IsLoaded();
void Unload();
// The letters that /proc/modules shows in parentheses after the module; empty without.
[[nodiscard]] std::string ModuleTaint();
[[nodiscard]] unsigned long KernelTaint();
inline constexpr unsigned long kTaintForced = 1UL << 1;     // F
inline constexpr unsigned long kTaintUnsigned = 1UL << 13;  // E

// What a file must come to.
struct Outcome {
  enum class Kind {
    kTrusted,    // loads under every policy, without a taint
    kUntrusted,  // loads with taint E; EKEYREJECTED under enforcement, EPERM under lockdown
    kRefused,    // `error` under every policy
  };
  Kind kind;
  int error = 0;          // kRefused; and what follows instead of loading when the body is no ELF
  bool is_module = true;  // the body is a module: without, ENOEXEC takes the place of success
};
inline constexpr Outcome kTrusted{Outcome::Kind::kTrusted};
inline constexpr Outcome kUntrusted{Outcome::Kind::kUntrusted};
constexpr Outcome Refused(int error) { return {Outcome::Kind::kRefused, error}; }
constexpr Outcome NotAModule(Outcome outcome) {
  outcome.is_module = false;
  return outcome;
}

// Loads by both system calls and expects the outcome, the taints and that nothing is left loaded.
void ExpectLoad(Policy policy, std::string_view file, Outcome outcome, const std::string& what);
// By finit_module with flags.
void ExpectLoadWithFlags(Policy policy, std::string_view file, int flags, Outcome outcome,
                         const std::string& what, const std::string& taint_letters = "E");

// Leaves the case if the VM is not booted as the policy says, the kernel does not have it, or the
// module is not there.
void RequirePolicy(Policy policy);

// Leaves the case if the kernel trusts none of the fixtures' certificates where it verifies
// modules.
void RequireTrusted(Policy policy, std::string_view certificate = "trusted-rsa");

// The vendor's module, split. Only after RequirePolicy().
[[nodiscard]] const SignedModule& Vendors();

// Whether the kernel verifies ML-DSA, knows only its names (7.0 without CRYPTO_MLDSA), or neither.
enum class MlDsaSupport { kFull, kNamesOnly, kNone };
[[nodiscard]] MlDsaSupport SeenMlDsaSupport();

// The same body as three cases, one a policy.
#define KASSAY_CASE_IN_EVERY_POLICY(name, ...) \
  KASSAY_CASE_IN_POLICIES(name, "module", "module_enforced", "module_lockdown", __VA_ARGS__)

// The same for cases that need a trusted key: the firmware has them in its db.
#define KASSAY_TRUSTED_CASE_IN_EVERY_POLICY(name, ...) \
  KASSAY_CASE_IN_POLICIES(name, "uefi", "uefi_enforced", "uefi_lockdown", __VA_ARGS__)

#define KASSAY_CASE_IN_POLICIES(name, open, enforced, locked_down, ...)                      \
  static void name##Under(::kassay::modules::Policy policy);                                 \
  KASSAY_CASE(Open, name, Cites(__VA_ARGS__).Profile(open).AllowsTaint("EF").Timeout(150)) { \
    RequirePolicy(Policy::kOpen);                                                            \
    name##Under(Policy::kOpen);                                                              \
  }                                                                                          \
  KASSAY_CASE(Enforced, name, Cites(__VA_ARGS__).Profile(enforced).Timeout(150)) {           \
    RequirePolicy(Policy::kEnforced);                                                        \
    name##Under(Policy::kEnforced);                                                          \
  }                                                                                          \
  KASSAY_CASE(LockedDown, name, Cites(__VA_ARGS__).Profile(locked_down).Timeout(150)) {      \
    RequirePolicy(Policy::kLockedDown);                                                      \
    name##Under(Policy::kLockedDown);                                                        \
  }                                                                                          \
  static void name##Under(::kassay::modules::Policy policy)

}  // namespace kassay::modules
