// Programs that trace, through a token: what every program is held to, and CAP_PERFMON. A kernel
// without CONFIG_BPF_EVENTS has none of these types, which is why they are cases of their own.
// Source: selinux_bpf_token_capable and selinux_bpf_prog_load in security/selinux/hooks.c.
#include <gmock/gmock.h>

#include "suites/selinux_bpf_token/policy.h"
#include "suites/selinux_bpf_token/token.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"
#include "suites/support/user_namespace.h"

namespace kassay::selinux {
namespace {

using ::testing::Contains;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Not;

// 0 or -errno of each step; 1 for one that was not reached.
struct Loaded {
  int setup = 1, token = 1, program = 1;
  bool operator==(const Loaded&) const = default;
};
void PrintTo(const Loaded& loaded, std::ostream* os) {
  *os << "{setup " << ErrnoName(-loaded.setup) << ", token " << ErrnoName(-loaded.token)
      << ", kprobe program " << ErrnoName(-loaded.program) << "}";
}
Loaded Program(int result) { return {0, 0, result}; }

// Makes a token as `ask` says and loads with it, in the domain `later` if there is one.
ChildResult<Loaded> Load(const Ask& ask, const char* later = nullptr) {
  return InChild([&] {
    const TokenUser user(ask);
    Loaded loaded;
    loaded.setup = static_cast<int>(user.Error());
    if (loaded.setup != 0) return loaded;
    const UniqueFd token(static_cast<int>(bpf::CreateToken(user.Bpffs())));
    loaded.token = token.IsOpen() ? 0 : token.Get();
    if (!token.IsOpen()) return loaded;
    if (later != nullptr) loaded.setup = static_cast<int>(Become(later));
    loaded.program = bpf::Succeeded(bpf::LoadProgram(bpf::kProgTypeKprobe, token.Get()));
    return loaded;
  });
}

ChildResult<int> LoadWithoutToken(const char* domain, bool in_user_namespace) {
  return InChild([=] {
    if (Become(domain) != 0) return 1;
    if (in_user_namespace && EnterUserNamespace(0) != 0) return 2;
    return bpf::Succeeded(bpf::LoadProgram(bpf::kProgTypeKprobe, bpf::kNoToken));
  });
}

class Tracing : public EitherPolicy {};
KASSAY_EITHER_POLICY(Tracing);

KASSAY_CASE_P(Tracing, AFullyAllowedUserLoads, Cites("SEL-022", "SEL-003")) {
  EXPECT_THAT(Load({}), Returned(Eq(Program(0))));
  EXPECT_THAT(Denials(), IsEmpty());
}

KASSAY_CASE_P(Tracing, CapPerfmonIsAskedAgainstTheGrantor, Cites("SEL-022")) {
  EXPECT_THAT(Load({.user = "u_noperfmon"}), Returned(Eq(Program(-EPERM))));
  EXPECT_THAT(Denials(), AreOnly(Avc("perfmon", "u_noperfmon", "grant_t", "cap2_userns")));
}

KASSAY_CASE_P(Tracing, CapBpfIsAskedAgainstTheGrantor, Cites("SEL-022", "SEL-021")) {
  EXPECT_THAT(Load({.user = "u_nobpf"}), Returned(Eq(Program(-EPERM))));
  const auto denials = Denials();
  EXPECT_THAT(denials, Not(IsEmpty()));
  EXPECT_THAT(denials, Contains(Avc("bpf", "u_nobpf", "grant_t", "cap2_userns")));
}

KASSAY_CASE_P(Tracing, CapNetAdminIsNotAsked, Cites("SEL-022", "SEL-023")) {
  EXPECT_THAT(Load({.user = "u_nonetadmin"}), Returned(Eq(Program(0))));
  EXPECT_THAT(Denials(), IsEmpty());
}

KASSAY_CASE_P(Tracing, GrantorNeedsProgLoadOnTheUser, Cites("SEL-022", "SEL-014")) {
  EXPECT_THAT(Load({.user = "u_noprog"}), Returned(Eq(Program(-EACCES))));
  EXPECT_THAT(Denials(), AreOnly(Avc("prog_load", "grant_t", "u_noprog", "bpf")));
}

KASSAY_CASE_P(Tracing, DescriptorNeedsRun, Cites("SEL-022", "SEL-028")) {
  EXPECT_THAT(Load({.user = "u_noprogrun"}), Returned(Eq(Program(-EACCES))));
  EXPECT_THAT(Denials(), AreOnly(Avc("prog_run", "u_noprogrun", "u_noprogrun", "bpf")));
}

KASSAY_CASE_P(Tracing, ADelegationOfMapsAloneDoesNotReachIt, Cites("SEL-022", "SEL-008")) {
  const Delegation maps_alone{.cmds = kMapCreate, .maps = "any", .progs = "any", .attachs = "any"};
  EXPECT_THAT(Load({.user = "u_all", .delegation = maps_alone}), Returned(Eq(Program(-EPERM))));
}

KASSAY_CASE_P(Tracing, TheRightToActForIsFrozenInTheToken, Cites("SEL-022", "SEL-029")) {
  EXPECT_THAT(Load({}, "u_noprogas"), Returned(Eq(Program(0))));
  EXPECT_THAT(Denials(), IsEmpty());
  // CAP_PERFMON is a question to the domain of the moment.
  EXPECT_THAT(Load({}, "u_noperfmon"), Returned(Eq(Program(-EPERM))));
  EXPECT_THAT(Denials(), AreOnly(Avc("perfmon", "u_noperfmon", "grant_t", "cap2_userns")));
}

KASSAY_CASE_P(Tracing, WithoutATokenRootIsHeldToItsOwnDomain, Cites("SEL-022", "SEL-064")) {
  EXPECT_THAT(LoadWithoutToken("u_all", false), Returned(0));
  const auto before = Denials();
  EXPECT_THAT(LoadWithoutToken("u_noselfprog", false), Returned(-EACCES));
  EXPECT_THAT(Denials(), AreOnly(Avc("prog_load", "u_noselfprog", "u_noselfprog", "bpf")));
  EXPECT_THAT(LoadWithoutToken("u_all", true), Returned(-EPERM));
}

class TracingOfOneself : public Selinux {};

KASSAY_CASE_F(TracingOfOneself, NeedsOwnProgLoadWithoutTheCapability, Cites("SEL-022", "SEL-018")) {
  Enforce(kPlainPolicy);
  EXPECT_THAT(Load({.user = "u_noselfprog"}), Returned(Eq(Program(-EACCES))));
  EXPECT_THAT(Denials(), AreOnly(Avc("prog_load", "u_noselfprog", "u_noselfprog", "bpf")));
}

KASSAY_CASE_F(TracingOfOneself, NeedsNoOwnProgLoadWithTheCapability, Cites("SEL-022", "SEL-015")) {
  Enforce(kTokenPermsPolicy);
  EXPECT_THAT(Load({.user = "u_noselfprog"}), Returned(Eq(Program(0))));
  EXPECT_THAT(Denials(), IsEmpty());
}

}  // namespace
}  // namespace kassay::selinux
