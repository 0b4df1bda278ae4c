// What landlock_create_ruleset and landlock_add_rule promise; source:
// security/landlock/syscalls.c. Which bits are known follows from the ABI number (the table of
// Documentation/userspace-api/landlock.rst).
#include <fcntl.h>

#include <array>

#include "suites/landlock_tsync/sibling.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::landlock {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::Ge;

struct KnownBits {
  int fs, net, scopes;  // how many bits, from bit 0
};

constexpr int kNewestKnownAbi = 11;

KnownBits BitsOfAbi(long abi) {
  const int fs = abi >= 9 ? 17 : abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
  const int net = abi >= 10 ? 4 : abi >= 4 ? 2 : 0;
  return {fs, net, abi >= 6 ? 2 : 0};
}

UniqueFd Open(const RulesetAttr& attr, std::size_t size, long* result) {
  *result = CreateRuleset(&attr, size, 0);
  return UniqueFd(static_cast<int>(*result));
}
long Create(const RulesetAttr& attr, std::size_t size = kRulesetAttrSizeV8) {
  long result = 0;
  Open(attr, size, &result);
  return result >= 0 ? 0 : result;
}

KASSAY_CASE(Query, AbiNumberIsEightExactlyWhereTsyncBegins, Cites("LLK-001").Detection()) {
  const long abi = CreateRuleset(nullptr, 0, kCreateVersion);
  RecordEvidence("abi", std::to_string(abi));
  ASSERT_THAT(abi, Ge(1));
  const auto tsync = InChild([] {
    SetNoNewPrivs();
    return RestrictSelf(-1, kTsync);
  });
  // A program that trusts the number and one that tries the flag must come to the same answer.
  EXPECT_THAT(tsync, Returned(IsErrno(abi >= 8 ? EBADF : EINVAL)));
}

KASSAY_CASE(Query, ErrataOfTheScopesAndTcpAreSaidToBeFixed, Cites("LLK-002")) {
  const long errata = CreateRuleset(nullptr, 0, kCreateErrata);
  RecordEvidence("errata", std::to_string(errata));
  ASSERT_THAT(errata, Ge(0));
  EXPECT_THAT(errata & 7, Eq(7));
  // Erratum 4 (whiteouts) is known from ABI 10; nothing beyond is.
  EXPECT_THAT(errata & ~7L, Eq(AbiVersion() >= 10 ? 8 : 0));
}

KASSAY_CASE(Query, FlagsExcludeEachOtherAndAnyAttribute, Cites("LLK-003")) {
  const RulesetAttr attr{.handled_access_fs = kFsReadFile};
  for (const std::uint32_t flag : {kCreateVersion, kCreateErrata}) {
    EXPECT_THAT(CreateRuleset(&attr, 0, flag), IsErrno(EINVAL));
    EXPECT_THAT(CreateRuleset(nullptr, 8, flag), IsErrno(EINVAL));
    EXPECT_THAT(CreateRuleset(&attr, 8, flag), IsErrno(EINVAL));
    EXPECT_THAT(CreateRuleset(nullptr, 0, flag), Ge(0));
  }
  EXPECT_THAT(CreateRuleset(nullptr, 0, kCreateVersion | kCreateErrata), IsErrno(EINVAL));
  EXPECT_THAT(CreateRuleset(nullptr, 0, 1U << 2), IsErrno(EINVAL));
  EXPECT_THAT(CreateRuleset(&attr, 8, 1U << 31), IsErrno(EINVAL));
}

KASSAY_CASE(RulesetAttribute, SizeIsBoundedOnBothSides, Cites("LLK-004")) {
  std::array<std::uint64_t, 513> large{kFsReadFile};
  EXPECT_THAT(CreateRuleset(large.data(), 0, 0), IsErrno(EINVAL));
  EXPECT_THAT(CreateRuleset(large.data(), 7, 0), IsErrno(EINVAL));
  long result = 0;
  const UniqueFd smallest = Open({.handled_access_fs = kFsReadFile}, 8, &result);
  ASSERT_THAT(result, Ge(0));
  EXPECT_THAT(fcntl(smallest.Get(), F_GETFD), Eq(FD_CLOEXEC));
  EXPECT_THAT(CreateRuleset(nullptr, 8, 0), IsErrno(EFAULT));
  EXPECT_THAT(CreateRuleset(nullptr, 0, 0), AnyOf(IsErrno(EFAULT), IsErrno(EINVAL)));
  const UniqueFd largest(static_cast<int>(CreateRuleset(large.data(), 4096, 0)));
  EXPECT_TRUE(largest.IsOpen()) << "a page, zero beyond what is known";
  EXPECT_THAT(CreateRuleset(large.data(), 4097, 0), IsErrno(E2BIG));
}

KASSAY_CASE(RulesetAttribute, UnknownTailMustBeZero, Cites("LLK-005")) {
  RulesetAttr attr{.handled_access_fs = kFsReadFile};
  EXPECT_THAT(Create(attr, sizeof attr), Eq(0));
  // Before ABI 10 the tail is unknown; from then on it holds the quiet masks, which must lie within
  // the handled ones.
  const bool tail_is_known = AbiVersion() >= 10;
  attr.quiet_access_fs = kFsWriteFile;
  RecordEvidence("a tail that is not zero",
                 ErrnoName(static_cast<int>(-Create(attr, sizeof attr))));
  EXPECT_THAT(Create(attr, sizeof attr), IsErrno(tail_is_known ? EINVAL : E2BIG));
  attr.quiet_access_fs = kFsReadFile;
  EXPECT_THAT(Create(attr, sizeof attr), IsErrno(tail_is_known ? 0 : E2BIG));
}

KASSAY_CASE(RulesetAttribute, EmptyRulesetIsRefused, Cites("LLK-006")) {
  EXPECT_THAT(Create({}), IsErrno(ENOMSG));
  EXPECT_THAT(Create({.handled_access_net = kNetBindTcp}), Eq(0));
  EXPECT_THAT(Create({.scoped = kScopeSignal}), Eq(0));
}

KASSAY_CASE(RulesetAttribute, UnknownRightsAreRefused, Cites("LLK-007")) {
  const long abi = AbiVersion();
  if (abi > kNewestKnownAbi)
    KASSAY_UNMET("ABI " + std::to_string(abi) + " is newer than this suite's table");
  const KnownBits known = BitsOfAbi(abi);
  RecordEvidence("known bits: file system, network, scopes", std::to_string(known.fs) + ", " +
                                                                 std::to_string(known.net) + ", " +
                                                                 std::to_string(known.scopes));
  const auto bit = [](int number) { return std::uint64_t{1} << number; };
  EXPECT_THAT(Create({.handled_access_fs = bit(known.fs - 1)}), Eq(0));
  EXPECT_THAT(Create({.handled_access_fs = bit(known.fs)}), IsErrno(EINVAL));
  EXPECT_THAT(Create({.handled_access_fs = bit(0) | bit(63)}), IsErrno(EINVAL));
  EXPECT_THAT(Create({.handled_access_net = bit(known.net - 1)}), Eq(0));
  EXPECT_THAT(Create({.handled_access_net = bit(known.net)}), IsErrno(EINVAL));
  EXPECT_THAT(Create({.scoped = bit(known.scopes - 1)}), Eq(0));
  EXPECT_THAT(Create({.scoped = bit(known.scopes)}), IsErrno(EINVAL));
}

KASSAY_CASE(AddRule, ErrorsTellWhatIsWrong, Cites("LLK-051")) {
  const Scratch scratch;
  const UniqueFd files = Ruleset(kFsReadFile);
  const UniqueFd ports = Ruleset(0, kNetBindTcp);
  const UniqueFd folder(open(scratch.Folder(), O_PATH | O_CLOEXEC));
  const auto path = [&](std::uint64_t access, int parent) {
    const PathBeneathAttr attr{access, parent};
    return AddRule(files.Get(), kRulePathBeneath, &attr);
  };
  const auto port = [&](std::uint64_t access, std::uint64_t number) {
    const NetPortAttr attr{access, number};
    return AddRule(ports.Get(), kRuleNetPort, &attr);
  };
  EXPECT_THAT(path(kFsReadFile, folder.Get()), Eq(0));
  EXPECT_THAT(path(0, folder.Get()), IsErrno(ENOMSG));
  EXPECT_THAT(path(kFsWriteFile, folder.Get()), IsErrno(EINVAL));  // not handled
  EXPECT_THAT(path(kFsReadFile, -1), IsErrno(EBADF));
  EXPECT_THAT(port(kNetBindTcp, 65535), Eq(0));
  EXPECT_THAT(port(kNetBindTcp, 65536), IsErrno(EINVAL));
  EXPECT_THAT(port(kNetConnectTcp, 80), IsErrno(EINVAL));  // not handled
  EXPECT_THAT(port(0, 80), IsErrno(ENOMSG));
  const PathBeneathAttr good{kFsReadFile, folder.Get()};
  EXPECT_THAT(AddRule(files.Get(), 0, &good), IsErrno(EINVAL));
  EXPECT_THAT(AddRule(files.Get(), 3, &good), IsErrno(EINVAL));
  EXPECT_THAT(AddRule(-1, kRulePathBeneath, &good), IsErrno(EBADF));
  EXPECT_THAT(AddRule(folder.Get(), kRulePathBeneath, &good), AnyOf(IsErrno(EBADF)));
  EXPECT_THAT(AddRule(files.Get(), kRulePathBeneath, nullptr), IsErrno(EFAULT));
  EXPECT_THAT(AddRule(files.Get(), kRulePathBeneath, &good, 1U << 31), IsErrno(EINVAL));
}

}  // namespace
}  // namespace kassay::landlock
