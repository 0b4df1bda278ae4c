#include "suites/selinux_bpf_token/policy.h"

#include <gmock/gmock.h>
#include <selinux/selinux.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>

#include "harness/protocol/guest_layout.h"
#include "suites/support/case.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::selinux {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

std::string PrepareSelinux() {
  if (access("/sys/fs/selinux/enforce", F_OK) != 0 &&
      mount("selinuxfs", kMountPoint, "selinuxfs", 0, nullptr) != 0) {
    return "SELinux is not switched on: mounting selinuxfs: " + ErrnoName(errno);
  }
  set_selinuxmnt(kMountPoint);
  // 0 would let anybody make array maps and socket filters, token or not.
  const std::string switch_path = "/proc/sys/kernel/unprivileged_bpf_disabled";
  if (ReadAll(switch_path).starts_with("0")) std::ofstream(switch_path) << "2";
  if (ReadAll(switch_path).starts_with("0")) return "unprivileged BPF cannot be switched off";
  return "";
}

std::string ReadPolicy(const char* name) {
  return ReadAll(std::string(kGuestFixturesDir) + "/selinux/" + name);
}

long LoadPolicy(std::string_view bytes) {
  // libselinux only reads it.
  const int result = security_load_policy(const_cast<char*>(bytes.data()), bytes.size());
  return result == 0 ? 0 : -errno;
}

long LoadPolicyFile(const char* name) {
  const std::string bytes = ReadPolicy(name);
  return bytes.empty() ? -ENOENT : LoadPolicy(bytes);
}

long SetEnforcing(bool enforcing) {
  if (security_setenforce(enforcing ? 1 : 0) != 0) return -errno;
  // Read back: forgotten enforcement lets every "allowed" pass.
  return security_getenforce() == (enforcing ? 1 : 0) ? 0 : -EINVAL;
}

std::string TokenPermsCapability() {
  const std::string text = ReadAll("/sys/fs/selinux/policy_capabilities/bpf_token_perms");
  return text.empty() ? "absent" : text.substr(0, 1);
}

std::string ContextOf(std::string_view type) { return "user_u:role_r:" + std::string(type); }

long Become(const char* type) { return setcon(ContextOf(type).c_str()) == 0 ? 0 : -errno; }

void Selinux::SetUp() {
  if (const std::string missing = PrepareSelinux(); !missing.empty()) KASSAY_UNMET(missing);
  if (!log_.Works()) KASSAY_UNMET(log_.Error());
}

void Selinux::Enforce(const char* policy) {
  ASSERT_EQ(LoadPolicyFile(policy), 0) << policy;
  ASSERT_EQ(SetEnforcing(true), 0);
  // A policy in which nothing is declared allows everything: the suite's must be the one in force.
  ASSERT_EQ(access("/sys/fs/selinux/class/bpf/perms/map_create_as", F_OK), 0);
}

std::vector<AuditRecord> Selinux::Denials() {
  std::vector<AuditRecord> denials;
  for (AuditRecord& record : OfType(log_.Take(), kAuditAvc))
    if (record.Denied()) denials.push_back(record);
  EXPECT_TRUE(log_.Works()) << log_.Error();
  return denials;
}

void EitherPolicy::SetUp() {
  Selinux::SetUp();
  Enforce(GetParam());
  const auto before = Denials();
}

bool EitherPolicy::TokenPerms() const { return std::string_view(GetParam()) == kTokenPermsPolicy; }

std::string PolicyName(const ::testing::TestParamInfo<const char*>& parameter) {
  return std::string_view(parameter.param) == kTokenPermsPolicy ? "WithCapability"
                                                                : "WithoutCapability";
}

bool AvcMatcher::MatchAndExplain(const AuditRecord& record,
                                 ::testing::MatchResultListener* listener) const {
  const std::string seen = record.Permissions() + " " + record.Field("scontext").value_or("?") +
                           " " + record.Field("tcontext").value_or("?") + " " +
                           record.Field("tclass").value_or("?") + " " +
                           record.Field("permissive").value_or("?");
  const std::string wanted =
      permission_ + " " + source_ + " " + target_ + " " + class_ + " " + permissive_;
  if (seen == wanted) return true;
  *listener << "which says " << seen;
  return false;
}
void AvcMatcher::DescribeTo(std::ostream* os) const {
  *os << "denies " << source_ << " on " << target_ << " " << class_ << " { " << permission_
      << " } permissive=" << permissive_;
}
void AvcMatcher::DescribeNegationTo(std::ostream* os) const {
  *os << "is not the record that ";
  DescribeTo(os);
}

}  // namespace kassay::selinux
