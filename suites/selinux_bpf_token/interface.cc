// Tokens as such, under a policy that allows everything that is asked: the order of errors, mount
// options, what a token shows of itself. Source: kernel/bpf/{token,inode,syscall}.c.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <array>
#include <cstring>
#include <fstream>

#include "suites/selinux_bpf_token/policy.h"
#include "suites/selinux_bpf_token/token.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"
#include "suites/support/user_namespace.h"

namespace kassay::selinux {
namespace {

using bpf::CreateToken;
using bpf::Succeeded;
using ::testing::Eq;

class Token : public Selinux {
 protected:
  void SetUp() override {
    Selinux::SetUp();
    Enforce(kTokenPermsPolicy);
  }
};

KASSAY_CASE_F(Token, IsForUserNamespacesOnly, Cites("SEL-039")) {
  const auto seen = InChild([] {
    const UniqueFd context(fsopen("bpf", FSOPEN_CLOEXEC));
    if (fsconfig(context.Get(), FSCONFIG_SET_STRING, "delegate_cmds", "any", 0) != 0 ||
        fsconfig(context.Get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
      return 1L;
    const UniqueFd mount(fsmount(context.Get(), FSMOUNT_CLOEXEC, 0));
    const UniqueFd directory(openat(mount.Get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return CreateToken(directory.Get());
  });
  EXPECT_THAT(seen, Returned(IsErrno(EOPNOTSUPP)));
}

KASSAY_CASE_F(Token, NeedsSomethingDelegated, Cites("SEL-040")) {
  EXPECT_THAT(InChild([] { return MakeAndUse({.delegation = kNothing}); }),
              Returned(Eq(NoToken(ENOENT))));
}

KASSAY_CASE_F(Token, WantsTheRootOfABpffs, Cites("SEL-041")) {
  struct Seen {
    long setup, as_mounted, closed, elsewhere, sub_folder, good;
  };
  const auto seen = InChild([] {
    const TokenUser user({});
    Seen result{};
    result.setup = user.Error();
    result.as_mounted = CreateToken(user.Mount());
    result.closed = CreateToken(1023);
    const UniqueFd elsewhere(open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    result.elsewhere = CreateToken(elsewhere.Get());
    mkdirat(user.Bpffs(), "sub", 0700);
    const UniqueFd sub(openat(user.Bpffs(), "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    result.sub_folder = sub.IsOpen() ? CreateToken(sub.Get()) : 1;
    result.good = Succeeded(CreateToken(user.Bpffs()));
    return result;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->setup, Eq(0));
  EXPECT_THAT(seen.value->as_mounted, IsErrno(EBADF));
  EXPECT_THAT(seen.value->closed, IsErrno(EBADF));
  EXPECT_THAT(seen.value->elsewhere, IsErrno(EINVAL));
  EXPECT_THAT(seen.value->sub_folder, IsErrno(EINVAL));
  EXPECT_THAT(seen.value->good, Eq(0));
}

KASSAY_CASE_F(Token, FlagsAndShortAttributesAreRefused, Cites("SEL-042")) {
  const auto seen = InChild([] {
    const TokenUser user({});
    return std::array<long, 3>{CreateToken(user.Bpffs(), 1), CreateToken(user.Bpffs(), 0, 4),
                               Succeeded(CreateToken(user.Bpffs(), 0, 8))};
  });
  EXPECT_THAT(seen, Returned(Eq(std::array<long, 3>{-EINVAL, -EINVAL, 0})));
}

KASSAY_CASE_F(Token, IsBoundToItsUserNamespace, Cites("SEL-043")) {
  struct Seen {
    long token, nested, again;
    bpf::Uses uses;
  };
  const auto seen = InChild([] {
    const TokenUser user({});
    Seen result{};
    const UniqueFd token(static_cast<int>(CreateToken(user.Bpffs())));
    result.token = token.IsOpen() ? 0 : token.Get();
    result.nested = EnterUserNamespace(0);
    result.again = CreateToken(user.Bpffs());
    result.uses = bpf::UseAll(token.Get());
    return result;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->token, Eq(0));
  EXPECT_THAT(seen.value->nested, Eq(0));
  EXPECT_THAT(seen.value->again, IsErrno(EPERM));
  EXPECT_THAT(seen.value->uses, Eq(bpf::AllFail(EPERM)));
}

KASSAY_CASE_F(Token, NeedsCapabilitiesInItsNamespace, Cites("SEL-044")) {
  const auto seen = InChild([] {
    const TokenUser user({});
    const UniqueFd token(static_cast<int>(CreateToken(user.Bpffs())));
    const cap_t none = cap_init();
    cap_set_proc(none);
    cap_free(none);
    Outcome outcome{static_cast<int>(user.Error()), Succeeded(CreateToken(user.Bpffs())),
                    bpf::UseAll(token.Get())};
    return outcome;
  });
  EXPECT_THAT(seen, Returned(Eq(Outcome{0, -EPERM, bpf::AllFail(EPERM)})));
}

KASSAY_CASE_F(Token, SeveralComeFromOneMountAndOutliveIt, Cites("SEL-045", "SEL-050")) {
  const auto seen = InChild([] {
    TokenUser user({});
    const UniqueFd first(static_cast<int>(CreateToken(user.Bpffs())));
    const UniqueFd second(static_cast<int>(CreateToken(user.Bpffs())));
    user.CloseBpffs();
    return first.IsOpen() && second.IsOpen()
               ? std::array<bpf::Uses, 2>{bpf::UseAll(first.Get()), bpf::UseAll(second.Get())}
               : std::array<bpf::Uses, 2>{};
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(*seen.value, ::testing::Each(Eq(bpf::kAllWork)));
}

KASSAY_CASE_F(Token, DescriptorsOfOtherThingsAreRefused, Cites("SEL-046")) {
  struct Seen {
    std::array<long, 4> maps, programs, types;
  };
  const auto seen = InChild([] {
    const TokenUser user({});
    const UniqueFd folder(open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    Seen result{};
    const std::array<int, 4> descriptors{1023, -1, folder.Get(), user.Bpffs()};
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      result.maps[i] = bpf::CreateMap(bpf::kMapTypeArray, descriptors[i]);
      result.programs[i] = bpf::LoadProgram(bpf::kProgTypeSocketFilter, descriptors[i]);
      result.types[i] = bpf::LoadBtf(descriptors[i]);
    }
    return result;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  const std::array<long, 4> expected{-EBADF, -EBADF, -EINVAL, -EINVAL};
  EXPECT_THAT(seen.value->maps, Eq(expected));
  EXPECT_THAT(seen.value->programs, Eq(expected));
  EXPECT_THAT(seen.value->types, Eq(expected));
}

KASSAY_CASE_F(Token, UnusedWithoutItsFlag, Cites("SEL-047")) {
  const auto seen = InChild([] {
    const TokenUser user({});
    const UniqueFd token(static_cast<int>(CreateToken(user.Bpffs())));
    return token.IsOpen() ? bpf::UseAll(bpf::kNoToken) : bpf::Uses{};
  });
  EXPECT_THAT(seen, Returned(Eq(bpf::AllFail(EPERM))));
}

KASSAY_CASE_F(Token, GrantsOnlyDelegatedTypes, Cites("SEL-048")) {
  bpf::Uses uses = bpf::AllFail(EPERM);
  uses.array = uses.filter = 0;
  // Commands MAP_CREATE and PROG_LOAD, map type 2, program type 1.
  const Ask ask{.delegation = {"0x21", "0x4", "0x2", "any"}};
  EXPECT_THAT(InChild([&] { return MakeAndUse(ask); }), Returned(Eq(Used(uses))));
}

KASSAY_CASE_F(Token, WithoutCommandsGrantsNothing, Cites("SEL-049")) {
  // The two permissions to act for the grantor are not asked for, either.
  for (const char* name : {"u_all", "u_nomapas", "u_noprogas"}) {
    const Ask ask{.user = name, .delegation = {nullptr, "any", nullptr, nullptr}};
    EXPECT_THAT(InChild([&] { return MakeAndUse(ask); }), Returned(Eq(Used(bpf::AllFail(EPERM)))));
  }
}

struct Shown {
  long setup, token, info_result;
  bpf::TokenInfo info;
  int descriptor_flags;
  std::array<char, 64> link;
  std::array<char, 1024> text;
};

ChildResult<Shown> Show(const Delegation& delegation) {
  return InChild([&] {
    const TokenUser user({.delegation = delegation});
    Shown shown{};
    shown.setup = user.Error();
    const UniqueFd token(static_cast<int>(CreateToken(user.Bpffs())));
    shown.token = token.IsOpen() ? 0 : token.Get();
    shown.info_result = bpf::GetTokenInfo(token.Get(), &shown.info);
    shown.descriptor_flags = fcntl(token.Get(), F_GETFD);
    const std::string own = std::to_string(token.Get());
    [[maybe_unused]] ssize_t got =
        readlink(("/proc/self/fd/" + own).c_str(), shown.link.data(), shown.link.size() - 1);
    const UniqueFd info(open(("/proc/self/fdinfo/" + own).c_str(), O_RDONLY | O_CLOEXEC));
    got = read(info.Get(), shown.text.data(), shown.text.size() - 1);
    return shown;
  });
}

constexpr std::uint64_t kAll = ~std::uint64_t{0};

KASSAY_CASE_F(Token, TellsWhatItGrants, Cites("SEL-051", "SEL-052")) {
  const auto seen = Show({});
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->setup, Eq(0));
  EXPECT_THAT(seen.value->token, Eq(0));
  EXPECT_THAT(seen.value->descriptor_flags, Eq(FD_CLOEXEC));
  EXPECT_STREQ(seen.value->link.data(), "/bpf-token (deleted)");
  for (const char* line : {"allowed_cmds:\tany\n", "allowed_maps:\tany\n", "allowed_progs:\tany\n",
                           "allowed_attachs:\tany\n"}) {
    EXPECT_THAT(std::string(seen.value->text.data()), ::testing::HasSubstr(line));
  }
  EXPECT_THAT(seen.value->info_result, Eq(0));
  EXPECT_THAT(seen.value->info, Eq(bpf::TokenInfo{kAll, kAll, kAll, kAll}));
}

struct Option {
  const char* value;
  std::uint64_t mask;
};
void ExpectMasks(std::initializer_list<Option> options) {
  for (const Option option : options) {
    SCOPED_TRACE(option.value);
    const auto seen = Show({option.value, nullptr, nullptr, nullptr});
    ASSERT_TRUE(seen.value) << seen.Describe();
    EXPECT_THAT(seen.value->setup, Eq(0));
    EXPECT_THAT(seen.value->info_result, Eq(0));
    EXPECT_THAT(seen.value->info, Eq(bpf::TokenInfo{option.mask, 0, 0, 0}));
  }
}

KASSAY_CASE_F(Token, NumbersAreTheMask, Cites("SEL-055")) {
  ExpectMasks({{"0x3", 0x3}, {"1:2", 0x2}, {"any:0x1", 0x1}, {"0x1:any", kAll}});
}

// The value of a number or of several parts, as the kernel reads it from left to right.
KASSAY_CASE_F(Token, NamesAreAddedToTheMaskAndNumbersReplaceIt, Cites("SEL-056")) {
  ExpectMasks({Option{"prog_load", 0x20}, Option{"btf_load", 0x40000}, Option{"map_create", 0x1},
               Option{"MAP_CREATE", 0x1}, Option{"map_create:prog_load", 0x21}, Option{"0x3", 0x3},
               Option{"map_create:0x20", 0x20}, Option{"0x20:map_create", 0x21}});
}

KASSAY_CASE_F(Token, OptionsAreChecked, Cites("SEL-055")) {
  const auto set = [](const char* value) {
    return InChild([value] {
      const UniqueFd context(fsopen("bpf", FSOPEN_CLOEXEC));
      return fsconfig(context.Get(), FSCONFIG_SET_STRING, "delegate_cmds", value, 0) == 0 ? 0
                                                                                          : -errno;
    });
  };
  for (const char* good : {"any", "0", "1:2", "any:0x1"})
    EXPECT_THAT(set(good), Returned(Eq(0))) << good;
  for (const char* bad : {"BPF_MAP_CREATE", "nonsense", ""})
    EXPECT_THAT(set(bad), Returned(IsErrno(EINVAL))) << bad;
  EXPECT_THAT(set("99999999999999999999"), Returned(IsErrno(ERANGE)));
}

KASSAY_CASE_F(Token, DelegationNeedsRealPrivilege, Cites("SEL-054")) {
  struct Seen {
    long entered, any, none, create;
  };
  const auto seen = InChild([] {
    Seen result{};
    result.entered = Become("u_all") + EnterUserNamespace(CLONE_NEWNS);
    const UniqueFd context(fsopen("bpf", FSOPEN_CLOEXEC));
    const auto set = [&](const char* value) {
      return fsconfig(context.Get(), FSCONFIG_SET_STRING, "delegate_cmds", value, 0) == 0 ? 0
                                                                                          : -errno;
    };
    result.any = set("any");
    result.none = set("0");
    result.create =
        fsconfig(context.Get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0 ? 0 : -errno;
    return result;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->entered, Eq(0));
  EXPECT_THAT(seen.value->any, IsErrno(EPERM));
  EXPECT_THAT(seen.value->none, Eq(0));
  EXPECT_THAT(seen.value->create, IsErrno(EPERM));
}

// Attributes of files of a bpffs: what 7.3 adds, so that its files can carry labels.
KASSAY_CASE_F(Token, FilesOfABpffsCarryTrustedAndSecurityAttributes, Cites("SEL-067")) {
  struct Seen {
    long setup = 0, trusted = 0, security = 0, user = 0;
    bool reads_trusted = false, reads_security = false;
  };
  const auto seen = InChild([] {
    Seen result;
    const UniqueFd context(fsopen("bpf", FSOPEN_CLOEXEC));
    if (fsconfig(context.Get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
      result.setup = -errno;
    const UniqueFd mount(fsmount(context.Get(), FSMOUNT_CLOEXEC, 0));
    if (mkdirat(mount.Get(), "folder", 0700) != 0) result.setup = -errno;
    const UniqueFd folder(openat(mount.Get(), "folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto set = [&](const char* name) {
      return fsetxattr(folder.Get(), name, "value", 5, 0) == 0 ? 0L : -errno;
    };
    result.trusted = set("trusted.kassay");
    result.security = set("security.kassay");
    result.user = set("user.kassay");
    const auto reads = [&](const char* name) {
      std::array<char, 8> value{};
      return fgetxattr(folder.Get(), name, value.data(), value.size()) == 5 &&
             memcmp(value.data(), "value", 5) == 0;
    };
    result.reads_trusted = reads("trusted.kassay");
    result.reads_security = reads("security.kassay");
    return result;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  ASSERT_EQ(seen.value->setup, 0);
  EXPECT_EQ(seen.value->trusted, 0);
  EXPECT_EQ(seen.value->security, 0);
  EXPECT_THAT(seen.value->user, IsErrno(EOPNOTSUPP));
  EXPECT_TRUE(seen.value->reads_trusted);
  EXPECT_TRUE(seen.value->reads_security);
}

}  // namespace
}  // namespace kassay::selinux
