// Permissive mode, no policy yet, a policy that changes, and loading one. Source:
// security/selinux/{avc,hooks,selinuxfs}.c, ss/services.c.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <selinux/selinux.h>
#include <unistd.h>

#include <fstream>

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

ChildResult<Outcome> Try(const Ask& ask) {
  return InChild([&] { return MakeAndUse(ask); });
}

class Permissive : public EitherPolicy {};
KASSAY_EITHER_POLICY(Permissive);

KASSAY_CASE_P(Permissive, LetsAllThroughAndSaysWhatItWouldDeny, Cites("SEL-032")) {
  ASSERT_THAT(SetEnforcing(false), Eq(0));
  EXPECT_THAT(Try({.user = "u_nomapas"}), Returned(Eq(Used(bpf::kAllWork))));
  EXPECT_THAT(Denials(), Contains(Avc("map_create_as", "u_nomapas", "grant_t", "bpf", true)));
  EXPECT_THAT(Try({.user = "u_nomap"}), Returned(Eq(Used(bpf::kAllWork))));
  EXPECT_THAT(Denials(), Contains(Avc("map_create", "grant_t", "u_nomap", "bpf", true)));
  EXPECT_THAT(Try({.user = "u_nobpf"}), Returned(Eq(Used(bpf::kAllWork))));
  EXPECT_THAT(Denials(), Contains(Avc("bpf", "u_nobpf", "grant_t", "cap2_userns", true)));
}

KASSAY_CASE_P(Permissive, WhatATokenMayIsKeptWhenEnforcingBegins, Cites("SEL-033")) {
  ASSERT_THAT(SetEnforcing(false), Eq(0));
  // The enforcement is switched on from outside, between making and using.
  std::array<int, 2> made{};
  std::array<int, 2> go{};
  ASSERT_THAT(pipe(made.data()), SyscallSucceeds());
  ASSERT_THAT(pipe(go.data()), SyscallSucceeds());
  const auto enforcer = fork();
  if (enforcer == 0) {
    char byte = 0;
    const bool ok = read(made[0], &byte, 1) == 1 && SetEnforcing(true) == 0;
    _exit(ok && write(go[1], "g", 1) == 1 ? 0 : 1);
  }
  const auto seen = InChild([&] {
    const TokenUser user({.user = "u_nomapas"});
    Outcome outcome;
    outcome.setup = static_cast<int>(user.Error());
    const UniqueFd token(static_cast<int>(bpf::CreateToken(user.Bpffs())));
    outcome.token = token.IsOpen() ? 0 : token.Get();
    char byte = 0;
    if (write(made[1], "m", 1) == 1 && read(go[0], &byte, 1) == 1)
      outcome.uses = bpf::UseAll(token.Get());
    return outcome;
  });
  EXPECT_THAT(seen, Returned(Eq(Used(bpf::kAllWork))));
  EXPECT_THAT(security_getenforce(), Eq(1));
  EXPECT_THAT(Try({.user = "u_nomapas"}), Returned(Eq(NoToken(EACCES))));
}

class BeforeThePolicy : public Selinux {};

KASSAY_CASE_F(BeforeThePolicy, NothingIsDenied, Cites("SEL-036")) {
  EXPECT_THAT(Try({.user = nullptr, .grantor = nullptr}), Returned(Eq(Used(bpf::kAllWork))));
  EXPECT_THAT(Denials(), IsEmpty());
}

KASSAY_CASE_F(BeforeThePolicy, GrantorOfAnOlderMountIsTheLoader, Cites("SEL-037")) {
  struct Seen {
    long setup, load;
    int all, only_maps;
  };
  const auto seen = InChild([] {
    const TokenUser user(
        {.user = nullptr, .grantor = nullptr, .delegation = {kMapCreate, "any", "any", "any"}});
    Seen result{user.Error(), user.TheGrantor().LoadPolicyFile(kTokenPermsPolicy), 0, 0};
    // u_all has map_create_as on grant_t alone; the policy gives u_nomapas that on kern_t.
    if (Become("u_all") != 0) return result;
    result.all = bpf::Succeeded(bpf::CreateToken(user.Bpffs()));
    if (Become("u_nomapas") != 0) return result;
    result.only_maps = bpf::Succeeded(bpf::CreateToken(user.Bpffs()));
    return result;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->setup, Eq(0));
  EXPECT_THAT(seen.value->load, Eq(0));
  EXPECT_THAT(seen.value->all, IsErrno(EACCES));
  EXPECT_THAT(seen.value->only_maps, Eq(0));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_create_as", "u_all", "kern_t", "bpf")));
}

KASSAY_CASE_F(BeforeThePolicy, ContextIsThatOfTheKernelAndDomainsDoNotExist, Cites("SEL-060")) {
  char* context = nullptr;
  ASSERT_THAT(getcon_raw(&context), Eq(0));
  EXPECT_THAT(std::string(context), Eq("kernel"));
  freecon(context);
}

class Policy : public Selinux {};

KASSAY_CASE_F(Policy, CapabilityIsExportedAsLoaded, Cites("SEL-001", "SEL-061")) {
  Enforce(kPlainPolicy);
  EXPECT_THAT(TokenPermsCapability(), Eq("0"));
  Enforce(kTokenPermsPolicy);
  EXPECT_THAT(TokenPermsCapability(), Eq("1"));
  Enforce(kPlainPolicy);
  EXPECT_THAT(TokenPermsCapability(), Eq("0"));
}

KASSAY_CASE_F(Policy, CapabilityTakesEffectAndGoesWhileRunning, Cites("SEL-061")) {
  bpf::Uses maps_fail = bpf::kAllWork;
  maps_fail.array = maps_fail.ringbuf = -EACCES;
  Enforce(kPlainPolicy);
  EXPECT_THAT(Try({.user = "u_noselfmap"}), Returned(Eq(Used(maps_fail))));
  Enforce(kTokenPermsPolicy);
  EXPECT_THAT(Try({.user = "u_noselfmap"}), Returned(Eq(Used(bpf::kAllWork))));
  Enforce(kPlainPolicy);
  EXPECT_THAT(Try({.user = "u_noselfmap"}), Returned(Eq(Used(maps_fail))));
}

KASSAY_CASE_F(Policy, DeclaredPermissionsOfClassBpfAreListed, Cites("SEL-002")) {
  Enforce(kPlainPolicy);
  const security_class_t bpf_class = string_to_security_class("bpf");
  ASSERT_NE(bpf_class, 0);
  for (const char* permission : {"map_create", "map_read", "map_write", "prog_load", "prog_run",
                                 "map_create_as", "prog_load_as"}) {
    EXPECT_NE(string_to_av_perm(bpf_class, permission), 0U) << permission;
  }
  // And the kernel decides as the policy says: the premise of all denials here.
  const auto allows = [&](const char* source, const char* target, const char* permission) {
    av_decision decision{};
    EXPECT_THAT(security_compute_av(ContextOf(source).c_str(), ContextOf(target).c_str(), bpf_class,
                                    0, &decision),
                Eq(0));
    return (decision.allowed & string_to_av_perm(bpf_class, permission)) != 0;
  };
  EXPECT_TRUE(allows("u_all", "grant_t", "map_create_as"));
  EXPECT_FALSE(allows("u_nomapas", "grant_t", "map_create_as"));
  EXPECT_TRUE(allows("u_nomapas", "u_nomapas", "map_create_as"));
  EXPECT_FALSE(allows("u_all", "u_all", "map_create_as"));
  EXPECT_FALSE(allows("grant_t", "u_nomap", "map_create"));
  EXPECT_TRUE(allows("u_nomap", "grant_t", "map_create"));
}

KASSAY_CASE_F(Policy, DamagedOnesAreRefusedAndChangeNothing, Cites("SEL-057")) {
  Enforce(kTokenPermsPolicy);
  const std::string good = ReadPolicy(kPlainPolicy);
  ASSERT_GT(good.size(), 100U);
  EXPECT_THAT(LoadPolicy(std::string_view(good).substr(0, good.size() / 2)), IsErrno(EINVAL));
  EXPECT_THAT(LoadPolicy(std::string_view(good).substr(0, good.size() - 1)), IsErrno(EINVAL));
  EXPECT_THAT(LoadPolicy("abcd"), IsErrno(EINVAL));
  const UniqueFd load(open("/sys/fs/selinux/load", O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(load.IsOpen());
  EXPECT_THAT(pwrite(load.Get(), good.data(), good.size(), 4), SyscallFailsWithErrno(EINVAL));
  EXPECT_THAT(write(load.Get(), good.data(), good.size() / 2), SyscallFailsWithErrno(EINVAL));
  EXPECT_THAT(TokenPermsCapability(), Eq("1"));
  EXPECT_THAT(Try({.user = "u_nomapas"}), Returned(Eq(NoToken(EACCES))));
  EXPECT_THAT(Try({.user = "u_noselfmap"}), Returned(Eq(Used(bpf::kAllWork))));
}

KASSAY_CASE_F(Policy, UnknownCapabilitiesAreAccepted, Cites("SEL-058")) {
  Enforce(kFuturePolicy);
  EXPECT_THAT(TokenPermsCapability(), Eq("1"));
  EXPECT_THAT(Try({.user = "u_noselfmap"}), Returned(Eq(Used(bpf::kAllWork))));
}

KASSAY_CASE_F(Policy, UnknownContextsAreRefused, Cites("SEL-059")) {
  Enforce(kPlainPolicy);
  struct Seen {
    long unknown_type, nonsense, known;
  };
  const auto seen = InChild([] {
    Seen result{};
    result.unknown_type = Become("no_such_t");
    result.nonsense = setcon("nonsense") == 0 ? 0 : -errno;
    result.known = Become("u_all");
    return result;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->unknown_type, IsErrno(EINVAL));
  EXPECT_THAT(seen.value->nonsense, IsErrno(EINVAL));
  EXPECT_THAT(seen.value->known, Eq(0));
}

// Without SELinux, or on a kernel in which SELinux knows no tokens.

KASSAY_CASE(SwitchedOff, TokensAreNotRestricted, Cites("SEL-065").Profile("selinux_off")) {
  const auto seen = InChild([] { return MakeAndUse({.user = nullptr, .grantor = nullptr}); });
  EXPECT_THAT(seen, Returned(Eq(Used(bpf::kAllWork))));
}

class Detection : public Selinux {};

KASSAY_CASE_F(Detection, ByTheCapabilitysFileTellsTheTruth,
              Cites("SEL-001", "SEL-038").Detection()) {
  if (TokenPermsCapability() != "absent") {
    // The file is how user space finds out, so the control must be there with it.
    Enforce(kTokenPermsPolicy);
    EXPECT_THAT(Try({.user = "u_nomapas"}), Returned(Eq(NoToken(EACCES))));
    return;
  }
  // It takes the policy, and says nothing of what it does not understand.
  Enforce(kTokenPermsPolicy);
  EXPECT_THAT(TokenPermsCapability(), Eq("absent"));
  const auto before = Denials();
  for (const char* user : {"u_all", "u_nomapas", "u_noprogas", "u_nomap", "u_noprog", "u_nobpf",
                           "u_noperfmon", "u_nonetadmin"}) {
    SCOPED_TRACE(user);
    EXPECT_THAT(Try({.user = user}), Returned(Eq(Used(bpf::kAllWork))));
  }
  EXPECT_THAT(Denials(), IsEmpty());
  // The old checks hold, the capability in the policy notwithstanding.
  bpf::Uses maps_fail = bpf::kAllWork;
  maps_fail.array = maps_fail.ringbuf = -EACCES;
  EXPECT_THAT(Try({.user = "u_noselfmap"}), Returned(Eq(Used(maps_fail))));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_create", "u_noselfmap", "u_noselfmap", "bpf")));
  EXPECT_THAT(Try({.user = "u_noselfbpf"}), Returned(Eq(NoToken(EPERM))));
}

}  // namespace
}  // namespace kassay::selinux
