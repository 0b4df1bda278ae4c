// The policies of fixtures/selinux in the running kernel, the domains of processes, and the
// fixtures that cases start from.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "suites/support/audit_log.h"

namespace kassay::selinux {

inline constexpr const char* kPlainPolicy = "bpf_token.policy";
inline constexpr const char* kTokenPermsPolicy = "bpf_token_perms.policy";
inline constexpr const char* kFuturePolicy = "bpf_token_future.policy";  // and an unknown bit
inline constexpr const char* kMountPoint = "/sys/fs/selinux";

// "" or what is missing: SELinux in this boot, selinuxfs. Mounts it and sees to it that BPF without
// a token needs capabilities.
[[nodiscard]] std::string PrepareSelinux();
// Bytes of a policy of the profile; empty if it is not there.
[[nodiscard]] std::string ReadPolicy(const char* name);
// 0 or -errno. One write, as the kernel wants it (security/selinux/selinuxfs.c:sel_write_load).
[[nodiscard]] long LoadPolicy(std::string_view bytes);
[[nodiscard]] long LoadPolicyFile(const char* name);
[[nodiscard]] long SetEnforcing(bool enforcing);
// "0", "1", or "absent" of /sys/fs/selinux/policy_capabilities/bpf_token_perms.
[[nodiscard]] std::string TokenPermsCapability();

[[nodiscard]] std::string ContextOf(std::string_view type);
// The calling process goes into the domain: only while it has one thread. 0 or -errno.
[[nodiscard]] long Become(const char* type);

// SELinux enforcing with one of the policies, and the audit log at hand.
class Selinux : public ::testing::Test {
 protected:
  void SetUp() override;
  void Enforce(const char* policy);
  // The denials recorded since the last call.
  [[nodiscard]] std::vector<AuditRecord> Denials();

 private:
  AuditLog log_;
};

// The same case under the policy without and with the capability bpf_token_perms.
class EitherPolicy : public Selinux, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override;
  [[nodiscard]] bool TokenPerms() const;
};
[[nodiscard]] std::string PolicyName(const ::testing::TestParamInfo<const char*>& parameter);

#define KASSAY_EITHER_POLICY(fixture)                                                           \
  INSTANTIATE_TEST_SUITE_P(Policy, fixture, ::testing::Values(kPlainPolicy, kTokenPermsPolicy), \
                           PolicyName)

// Matches a denial record by its fields: permission, the types of both contexts, class, mode.
class AvcMatcher {
 public:
  using is_gtest_matcher = void;
  AvcMatcher(std::string permission, std::string_view source, std::string_view target,
             std::string tclass, bool permissive)
      : permission_(std::move(permission)),
        source_(ContextOf(source)),
        target_(ContextOf(target)),
        class_(std::move(tclass)),
        permissive_(permissive ? "1" : "0") {}
  bool MatchAndExplain(const AuditRecord& record, ::testing::MatchResultListener* listener) const;
  void DescribeTo(std::ostream* os) const;
  void DescribeNegationTo(std::ostream* os) const;

 private:
  std::string permission_, source_, target_, class_, permissive_;
};
inline AvcMatcher Avc(std::string permission, std::string_view source, std::string_view target,
                      std::string tclass, bool permissive = false) {
  return {std::move(permission), source, target, std::move(tclass), permissive};
}

// Denials were recorded, and all of them are this one.
MATCHER_P(AreOnly, avc,
          "are records, at least one, each of which " +
              ::testing::DescribeMatcher<AuditRecord>(avc)) {
  return ::testing::ExplainMatchResult(
      ::testing::AllOf(::testing::Not(::testing::IsEmpty()), ::testing::Each(avc)), arg,
      result_listener);
}

}  // namespace kassay::selinux
