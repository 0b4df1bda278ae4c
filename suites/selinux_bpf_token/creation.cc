// What SELinux asks when a token is made. Source: selinux_bpf_token_create in
// security/selinux/hooks.c; the capability before it in kernel/bpf/token.c:bpf_token_create.
#include <gmock/gmock.h>

#include "suites/selinux_bpf_token/policy.h"
#include "suites/selinux_bpf_token/token.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::selinux {
namespace {

using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ChildResult<Outcome> Try(const Ask& ask) {
  return InChild([&] { return MakeAndUse(ask); });
}

constexpr Delegation OnlyCommand(const char* command) {
  return {.cmds = command, .maps = "any", .progs = "any", .attachs = "any"};
}

class TokenCreation : public EitherPolicy {};
KASSAY_EITHER_POLICY(TokenCreation);

KASSAY_CASE_P(TokenCreation, FullyAllowedUserMakesAndUsesAToken, Cites("SEL-003")) {
  EXPECT_THAT(Try({}), Returned(Eq(Used(bpf::kAllWork))));
  EXPECT_THAT(Denials(), IsEmpty());
}

KASSAY_CASE_P(TokenCreation, WantsMapCreateAsOnTheGrantor, Cites("SEL-004", "SEL-006")) {
  EXPECT_THAT(Try({.user = "u_nomapas"}), Returned(Eq(NoToken(EACCES))));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_create_as", "u_nomapas", "grant_t", "bpf")));
}

KASSAY_CASE_P(TokenCreation, WantsProgLoadAsOnTheGrantor, Cites("SEL-005", "SEL-006")) {
  EXPECT_THAT(Try({.user = "u_noprogas"}), Returned(Eq(NoToken(EACCES))));
  EXPECT_THAT(Denials(), AreOnly(Avc("prog_load_as", "u_noprogas", "grant_t", "bpf")));
}

KASSAY_CASE_P(TokenCreation, MapCreateAsMattersOnlyIfMapCreationIsDelegated, Cites("SEL-007")) {
  bpf::Uses uses = bpf::AllFail(EPERM);
  uses.filter = uses.xdp = 0;
  EXPECT_THAT(Try({.user = "u_nomapas", .delegation = OnlyCommand(kProgLoad)}),
              Returned(Eq(Used(uses))));
}

KASSAY_CASE_P(TokenCreation, ProgLoadAsMattersOnlyIfLoadingIsDelegated, Cites("SEL-008")) {
  bpf::Uses uses = bpf::AllFail(EPERM);
  uses.array = uses.ringbuf = 0;
  EXPECT_THAT(Try({.user = "u_noprogas", .delegation = OnlyCommand(kMapCreate)}),
              Returned(Eq(Used(uses))));
}

KASSAY_CASE_P(TokenCreation, NeitherMattersForTypeInformationAlone, Cites("SEL-009")) {
  bpf::Uses uses = bpf::AllFail(EPERM);
  uses.btf = 0;
  for (const char* user : {"u_nomapas", "u_noprogas"})
    EXPECT_THAT(Try({.user = user, .delegation = OnlyCommand(kBtfLoad)}), Returned(Eq(Used(uses))));
}

KASSAY_CASE_P(TokenCreation, EachIsWantedAloneToo, Cites("SEL-004", "SEL-005")) {
  EXPECT_THAT(Try({.user = "u_nomapas", .delegation = OnlyCommand(kMapCreate)}),
              Returned(Eq(NoToken(EACCES))));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_create_as", "u_nomapas", "grant_t", "bpf")));
  EXPECT_THAT(Try({.user = "u_noprogas", .delegation = OnlyCommand(kProgLoad)}),
              Returned(Eq(NoToken(EACCES))));
  EXPECT_THAT(Denials(), AreOnly(Avc("prog_load_as", "u_noprogas", "grant_t", "bpf")));
}

KASSAY_CASE_P(TokenCreation, BeingTheGrantorIsNoExemption, Cites("SEL-010")) {
  EXPECT_THAT(Try({.user = "grant_t"}), Returned(Eq(NoToken(EACCES))));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_create_as", "grant_t", "grant_t", "bpf")));
}

KASSAY_CASE_P(TokenCreation, GrantorIsWhoCreatedTheSuperblock, Cites("SEL-011")) {
  // The context was opened by u_all, who has rights on grant_t alone; kern_t created.
  EXPECT_THAT(Try({.user = "u_all", .grantor = "kern_t"}), Returned(Eq(NoToken(EACCES))));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_create_as", "u_all", "kern_t", "bpf")));
  EXPECT_THAT(Try({.user = "u_all", .grantor = "other_t"}), Returned(Eq(NoToken(EACCES))));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_create_as", "u_all", "other_t", "bpf")));
}

KASSAY_CASE_P(TokenCreation, OwnCapabilityIsAskedBeforeAndSeparately, Cites("SEL-025", "SEL-026")) {
  EXPECT_THAT(Try({.user = "u_noselfbpf"}), Returned(Eq(NoToken(EPERM))));
  const auto denials = Denials();
  EXPECT_THAT(denials, AreOnly(Avc("bpf", "u_noselfbpf", "u_noselfbpf", "cap2_userns")));
  // CAP_BPF is 39; only the record of the plain capability test names the number.
  for (const AuditRecord& denial : denials)
    EXPECT_THAT(denial.Field("capability"), ::testing::Optional(Eq("39")));
}

KASSAY_CASE_P(TokenCreation, FailedOneLeavesNoDescriptor, Cites("SEL-004")) {
  const auto seen = InChild([] {
    const TokenUser user({.user = "u_nomapas"});
    if (user.Error() != 0) return -1;
    const int before = dup(0);
    close(before);
    const long token = bpf::CreateToken(user.Bpffs());
    const int after = dup(0);
    return token == -EACCES && before == after ? 0 : 1;
  });
  EXPECT_THAT(seen, Returned(Eq(0)));
}

class UserNamespace : public EitherPolicy {};
KASSAY_EITHER_POLICY(UserNamespace);

KASSAY_CASE_P(UserNamespace, ItsCreationIsAnEarlierGate, Cites("SEL-062")) {
  const auto seen = Try({.user = "u_nouserns"});
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->setup, IsErrno(EACCES));
  EXPECT_THAT(Denials(), AreOnly(Avc("create", "u_nouserns", "u_nouserns", "user_namespace")));
}

KASSAY_CASE_P(UserNamespace, MountNamespaceInItNeedsSysAdmin, Cites("SEL-063")) {
  const auto seen = Try({.user = "u_nosysadmin"});
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->setup, IsErrno(EPERM));
  EXPECT_THAT(Denials(), AreOnly(Avc("sys_admin", "u_nosysadmin", "u_nosysadmin", "cap_userns")));
}

}  // namespace
}  // namespace kassay::selinux
