// What SELinux asks when a token is used: the objects, the capabilities, the descriptors. Source:
// selinux_bpf, selinux_bpf_map_create, selinux_bpf_prog_load, selinux_bpf_token_cmd,
// selinux_bpf_token_capable, selinux_bpf_map and selinux_bpf_prog in security/selinux/hooks.c.
#include <gmock/gmock.h>
#include <unistd.h>

#include "suites/selinux_bpf_token/policy.h"
#include "suites/selinux_bpf_token/token.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"
#include "suites/support/user_namespace.h"

namespace kassay::selinux {
namespace {

using bpf::Uses;
using ::testing::Contains;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Not;

ChildResult<Outcome> Try(const Ask& ask) {
  return InChild([&] { return MakeAndUse(ask); });
}

Uses MapsFail(int error_number) {
  Uses uses = bpf::kAllWork;
  uses.array = uses.ringbuf = -error_number;
  return uses;
}
Uses ProgramsFail(int error_number) {
  Uses uses = bpf::kAllWork;
  uses.filter = uses.xdp = -error_number;
  return uses;
}

class TokenUse : public EitherPolicy {};
KASSAY_EITHER_POLICY(TokenUse);

KASSAY_CASE_P(TokenUse, GrantorNeedsMapCreateOnTheUser, Cites("SEL-012", "SEL-013")) {
  EXPECT_THAT(Try({.user = "u_nomap"}), Returned(Eq(Used(MapsFail(EACCES)))));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_create", "grant_t", "u_nomap", "bpf")));
}

KASSAY_CASE_P(TokenUse, GrantorNeedsProgLoadOnTheUser, Cites("SEL-014")) {
  EXPECT_THAT(Try({.user = "u_noprog"}), Returned(Eq(Used(ProgramsFail(EACCES)))));
  EXPECT_THAT(Denials(), AreOnly(Avc("prog_load", "grant_t", "u_noprog", "bpf")));
}

KASSAY_CASE_P(TokenUse, CapBpfIsAskedAgainstTheGrantor, Cites("SEL-021", "SEL-026")) {
  EXPECT_THAT(Try({.user = "u_nobpf"}), Returned(Eq(Used(bpf::AllFail(EPERM)))));
  const auto denials = Denials();
  EXPECT_THAT(denials, Not(IsEmpty()));
  EXPECT_THAT(denials, Contains(Avc("bpf", "u_nobpf", "grant_t", "cap2_userns")));
  for (const AuditRecord& denial : denials) {
    // The token's test names no number, the plain capability test does.
    const bool of_the_token = denial.Field("tcontext") == ContextOf("grant_t");
    EXPECT_THAT(denial.Field("capability").has_value(), Eq(!of_the_token));
  }
}

// The verifier asks for it with every program, for what it may do with pointers.
KASSAY_CASE_P(TokenUse, ADeniedCapPerfmonFailsNothingButTracing, Cites("SEL-024")) {
  EXPECT_THAT(Try({.user = "u_noperfmon"}), Returned(Eq(Used(bpf::kAllWork))));
  EXPECT_THAT(Denials(), AreOnly(Avc("perfmon", "u_noperfmon", "grant_t", "cap2_userns")));
}

KASSAY_CASE_P(TokenUse, CapNetAdminIsAskedAgainstTheGrantor, Cites("SEL-023")) {
  Uses uses = bpf::kAllWork;
  uses.xdp = -EPERM;
  EXPECT_THAT(Try({.user = "u_nonetadmin"}), Returned(Eq(Used(uses))));
  EXPECT_THAT(Denials(), AreOnly(Avc("net_admin", "u_nonetadmin", "grant_t", "cap_userns")));
}

KASSAY_CASE_P(TokenUse, DescriptorOfAMapNeedsReadAndWrite, Cites("SEL-027")) {
  EXPECT_THAT(Try({.user = "u_nomapread"}), Returned(Eq(Used(MapsFail(EACCES)))));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_read", "u_nomapread", "u_nomapread", "bpf")));
  EXPECT_THAT(Try({.user = "u_nomapwrite"}), Returned(Eq(Used(MapsFail(EACCES)))));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_write", "u_nomapwrite", "u_nomapwrite", "bpf")));
}

KASSAY_CASE_P(TokenUse, DescriptorOfAProgramNeedsRun, Cites("SEL-028")) {
  EXPECT_THAT(Try({.user = "u_noprogrun"}), Returned(Eq(Used(ProgramsFail(EACCES)))));
  EXPECT_THAT(Denials(), AreOnly(Avc("prog_run", "u_noprogrun", "u_noprogrun", "bpf")));
}

// A token made in one domain and used in another.
ChildResult<Outcome> MakeThenBecome(const char* user) {
  return InChild([user] {
    const TokenUser maker({.user = "u_all"});
    Outcome outcome;
    outcome.setup = static_cast<int>(maker.Error());
    if (outcome.setup != 0) return outcome;
    const UniqueFd token(static_cast<int>(bpf::CreateToken(maker.Bpffs())));
    outcome.token = token.IsOpen() ? 0 : token.Get();
    outcome.setup = static_cast<int>(Become(user));
    outcome.uses = bpf::UseAll(token.Get());
    return outcome;
  });
}

KASSAY_CASE_P(TokenUse, PermissionsToActForAreFrozenInTheToken, Cites("SEL-029")) {
  EXPECT_THAT(MakeThenBecome("u_nomapas"), Returned(Eq(Used(bpf::kAllWork))));
  EXPECT_THAT(MakeThenBecome("u_noprogas"), Returned(Eq(Used(bpf::kAllWork))));
  EXPECT_THAT(Denials(), IsEmpty());
}

KASSAY_CASE_P(TokenUse, OtherChecksFollowTheCurrentDomain, Cites("SEL-030")) {
  EXPECT_THAT(MakeThenBecome("u_nomap"), Returned(Eq(Used(MapsFail(EACCES)))));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_create", "grant_t", "u_nomap", "bpf")));
  EXPECT_THAT(MakeThenBecome("u_nobpf"), Returned(Eq(Used(bpf::AllFail(EPERM)))));
  EXPECT_THAT(Denials(), Contains(Avc("bpf", "u_nobpf", "grant_t", "cap2_userns")));
}

KASSAY_CASE_P(TokenUse, PassingATokenOnIsNotRestricted, Cites("SEL-031")) {
  const auto seen = InChild([] {
    const TokenUser maker({});
    const UniqueFd token(static_cast<int>(bpf::CreateToken(maker.Bpffs())));
    const UniqueFd copy(dup(token.Get()));
    // Inherited by a child in another domain, too.
    const auto child = InChild([&] {
      const bool entered = Become("u_nomapas") == 0;
      return entered ? bpf::UseAll(copy.Get()) : Uses{};
    });
    return child.value.value_or(Uses{});
  });
  EXPECT_THAT(seen, Returned(Eq(bpf::kAllWork)));
}

// The early test of the command: the caller's domain against itself, only without the capability.

KASSAY_CASE_P(TokenUse, OwnMapCreateIsNeededOnlyWithoutTheCapability, Cites("SEL-016", "SEL-017")) {
  const auto seen = Try({.user = "u_noselfmap"});
  if (TokenPerms()) {
    EXPECT_THAT(seen, Returned(Eq(Used(bpf::kAllWork))));
    EXPECT_THAT(Denials(), IsEmpty());
  } else {
    EXPECT_THAT(seen, Returned(Eq(Used(MapsFail(EACCES)))));
    EXPECT_THAT(Denials(), AreOnly(Avc("map_create", "u_noselfmap", "u_noselfmap", "bpf")));
  }
}

class WithoutCapability : public Selinux {};
class WithCapability : public Selinux {};

KASSAY_CASE_F(WithoutCapability, OwnProgLoadIsNeededBesideTheToken, Cites("SEL-018")) {
  Enforce(kPlainPolicy);
  EXPECT_THAT(Try({.user = "u_noselfprog"}), Returned(Eq(Used(ProgramsFail(EACCES)))));
  EXPECT_THAT(Denials(), AreOnly(Avc("prog_load", "u_noselfprog", "u_noselfprog", "bpf")));
}

KASSAY_CASE_F(WithCapability, OwnProgLoadIsNotNeededBesideTheToken, Cites("SEL-015")) {
  Enforce(kTokenPermsPolicy);
  EXPECT_THAT(Try({.user = "u_noselfprog"}), Returned(Eq(Used(bpf::kAllWork))));
  EXPECT_THAT(Denials(), IsEmpty());
}

// Without a token, in a user namespace.
ChildResult<Uses> WithoutToken(const char* domain, bool in_user_namespace) {
  return InChild([=] {
    if (Become(domain) != 0) return Uses{};
    if (in_user_namespace && EnterUserNamespace(0) != 0) return Uses{};
    return bpf::UseAll(bpf::kNoToken);
  });
}

KASSAY_CASE_F(WithoutCapability, PolicyIsAskedBeforeTheCapabilities, Cites("SEL-019")) {
  Enforce(kPlainPolicy);
  Uses uses = bpf::AllFail(EPERM);
  uses.array = uses.ringbuf = -EACCES;
  EXPECT_THAT(WithoutToken("u_noselfmap", true), Returned(Eq(uses)));
  uses = bpf::AllFail(EPERM);
  uses.filter = uses.xdp = -EACCES;
  EXPECT_THAT(WithoutToken("u_noselfprog", true), Returned(Eq(uses)));
  EXPECT_THAT(WithoutToken("u_all", true), Returned(Eq(bpf::AllFail(EPERM))));
}

KASSAY_CASE_F(WithCapability, CapabilitiesAreTestedBeforeThePolicy, Cites("SEL-020")) {
  Enforce(kTokenPermsPolicy);
  const auto before = Denials();
  for (const char* user : {"u_noselfmap", "u_noselfprog", "u_all"})
    EXPECT_THAT(WithoutToken(user, true), Returned(Eq(bpf::AllFail(EPERM))));
  for (const AuditRecord& denial : Denials())
    EXPECT_THAT(denial.Field("tclass"), ::testing::Optional(::testing::Ne("bpf")));
}

KASSAY_CASE_P(TokenUse, WithoutATokenRootIsHeldToItsOwnDomain, Cites("SEL-064")) {
  EXPECT_THAT(WithoutToken("u_all", false), Returned(Eq(bpf::kAllWork)));
  const auto before = Denials();
  EXPECT_THAT(WithoutToken("u_noselfmap", false), Returned(Eq(MapsFail(EACCES))));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_create", "u_noselfmap", "u_noselfmap", "bpf")));
  EXPECT_THAT(WithoutToken("u_noselfprog", false), Returned(Eq(ProgramsFail(EACCES))));
  EXPECT_THAT(Denials(), AreOnly(Avc("prog_load", "u_noselfprog", "u_noselfprog", "bpf")));
  // The rights of grantors do not come in.
  EXPECT_THAT(WithoutToken("u_nomap", false), Returned(Eq(bpf::kAllWork)));
  EXPECT_THAT(WithoutToken("u_noprog", false), Returned(Eq(bpf::kAllWork)));
}

}  // namespace
}  // namespace kassay::selinux
