// Calls that must be refused, with exactly which errno and in which order of tests, and that must
// leave every thread as it was. Source: landlock_restrict_self in security/landlock/syscalls.c.
#include <fcntl.h>
#include <sys/capability.h>

#include "suites/landlock_tsync/sibling.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::landlock {
namespace {

using ::testing::AllOf;
using ::testing::Eq;
using ::testing::Field;

constexpr std::uint32_t kUnknownFlag = 1U << 31;

// Of the calling thread alone.
void DropCapabilities() {
  const cap_t none = cap_init();
  cap_set_proc(none);
  cap_free(none);
}

bool NoNewPrivsFlagIsKnown() {
  const auto seen = InChild([] {
    SetNoNewPrivs();
    return RestrictSelf(-1, kNoNewPrivs);
  });
  return seen.value == -EBADF;
}

struct Refusal {
  long result;
  Seen caller, older, newer;
};
void PrintTo(const Refusal& refusal, std::ostream* os) {
  *os << "{result " << refusal.result << " caller " << ::testing::PrintToString(refusal.caller)
      << " older " << ::testing::PrintToString(refusal.older) << " newer "
      << ::testing::PrintToString(refusal.newer) << "}";
}

enum class Privilege { kNone, kNoNewPrivsOnly, kCapable };
enum class Descriptor { kRuleset, kMinusOne, kMinusTwo, kClosed, kRegularFile, kOPath };

int Pick(Descriptor kind, int ruleset, int file, int path) {
  switch (kind) {
    case Descriptor::kRuleset:
      return ruleset;
    case Descriptor::kMinusOne:
      return -1;
    case Descriptor::kMinusTwo:
      return -2;
    case Descriptor::kClosed:
      return 1023;
    case Descriptor::kRegularFile:
      return file;
    case Descriptor::kOPath:
      return path;
  }
  return -1;
}

// One call in a process with a sibling from before and one from after the caller changed its
// privilege; every one looks afterwards.
ChildResult<Refusal> Refuse(Privilege privilege, Descriptor kind, std::uint32_t flags) {
  const Scratch scratch;
  return InChild([&] {
    Sibling older;
    if (privilege == Privilege::kNoNewPrivsOnly) SetNoNewPrivs();
    if (privilege != Privilege::kCapable) DropCapabilities();
    Sibling newer;
    const UniqueFd ruleset = Ruleset(kFsReadFile);
    const UniqueFd file(open(scratch.File(), O_RDONLY | O_CLOEXEC));
    const UniqueFd path(open(scratch.File(), O_PATH | O_CLOEXEC));
    Refusal refusal{};
    refusal.result = RestrictSelf(Pick(kind, ruleset.Get(), file.Get(), path.Get()), flags);
    refusal.caller = Look(scratch.File());
    refusal.older = older.Look(scratch.File());
    refusal.newer = newer.Look(scratch.File());
    return refusal;
  });
}

// no_new_privs is what it was: set on the caller and on what it made, not on the older sibling.
auto Refused(Privilege privilege, int error_number) {
  const Seen own = privilege == Privilege::kNoNewPrivsOnly ? kFreeNnp : kFree;
  return Returned(AllOf(Field("result", &Refusal::result, IsErrno(error_number)),
                        Field("caller", &Refusal::caller, Eq(own)),
                        Field("older", &Refusal::older, Eq(kFree)),
                        Field("newer", &Refusal::newer, Eq(own))));
}

KASSAY_CASE(Detection, OfTsyncTellsTheTruth, Cites("LLK-008").Detection()) {
  if (AbiVersion() >= 8) {
    for (const auto privilege : {Privilege::kNoNewPrivsOnly, Privilege::kCapable})
      EXPECT_THAT(Refuse(privilege, Descriptor::kMinusOne, kTsync), Refused(privilege, EBADF));
    return;
  }
  for (const auto privilege : {Privilege::kNoNewPrivsOnly, Privilege::kCapable}) {
    EXPECT_THAT(Refuse(privilege, Descriptor::kRuleset, kTsync), Refused(privilege, EINVAL));
    EXPECT_THAT(Refuse(privilege, Descriptor::kMinusOne, kTsync), Refused(privilege, EINVAL));
    EXPECT_THAT(Refuse(privilege, Descriptor::kMinusOne, kTsync | kLogSubdomainsOff),
                Refused(privilege, EINVAL));
  }
  // Without privilege the answer is hidden: EPERM says nothing about the flag.
  EXPECT_THAT(Refuse(Privilege::kNone, Descriptor::kRuleset, kTsync),
              Refused(Privilege::kNone, EPERM));
}

KASSAY_CASE(Detection, OrderOfPrivilegeAndFlagsTellsTheTruth, Cites("LLK-009").Detection()) {
  // The flags come first only where LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS exists.
  const int expected = NoNewPrivsFlagIsKnown() ? EINVAL : EPERM;
  EXPECT_THAT(Refuse(Privilege::kNone, Descriptor::kMinusOne, kUnknownFlag),
              Refused(Privilege::kNone, expected));
  EXPECT_THAT(Refuse(Privilege::kNone, Descriptor::kRuleset, kUnknownFlag),
              Refused(Privilege::kNone, expected));
}

KASSAY_CASE(Refusal, FlagsAreTestedBeforeThePrivilege, Cites("LLK-072")) {
  EXPECT_THAT(Refuse(Privilege::kNone, Descriptor::kMinusOne, kUnknownFlag),
              Refused(Privilege::kNone, EINVAL));
  EXPECT_THAT(Refuse(Privilege::kNone, Descriptor::kRuleset, kUnknownFlag | kTsync),
              Refused(Privilege::kNone, EINVAL));
}

KASSAY_CASE(Refusal, UnprivilegedCallerIsRefusedBeforeItsDescriptorIsLookedAt, Cites("LLK-010")) {
  EXPECT_THAT(Refuse(Privilege::kNone, Descriptor::kRuleset, kTsync),
              Refused(Privilege::kNone, EPERM));
  EXPECT_THAT(Refuse(Privilege::kNone, Descriptor::kMinusOne, kTsync),
              Refused(Privilege::kNone, EPERM));
  EXPECT_THAT(Refuse(Privilege::kNone, Descriptor::kRegularFile, kTsync),
              Refused(Privilege::kNone, EPERM));
  EXPECT_THAT(Refuse(Privilege::kNone, Descriptor::kMinusOne, kTsync | kLogSubdomainsOff),
              Refused(Privilege::kNone, EPERM));
}

KASSAY_CASE(Refusal, FlagsAreTestedBeforeTheDescriptor, Cites("LLK-026")) {
  for (const auto privilege : {Privilege::kNoNewPrivsOnly, Privilege::kCapable}) {
    EXPECT_THAT(Refuse(privilege, Descriptor::kMinusOne, kUnknownFlag | kTsync),
                Refused(privilege, EINVAL));
    EXPECT_THAT(Refuse(privilege, Descriptor::kRuleset, kUnknownFlag | kTsync),
                Refused(privilege, EINVAL));
    EXPECT_THAT(Refuse(privilege, Descriptor::kRuleset, (1U << 5) | kTsync),
                Refused(privilege, EINVAL));
  }
}

KASSAY_CASE(Refusal, TsyncAloneNeedsARuleset, Cites("LLK-014", "LLK-021")) {
  for (const auto privilege : {Privilege::kNoNewPrivsOnly, Privilege::kCapable})
    EXPECT_THAT(Refuse(privilege, Descriptor::kMinusOne, kTsync), Refused(privilege, EBADF));
}

KASSAY_CASE(Refusal, OnlyMutingMayGoWithoutARuleset, Cites("LLK-014", "LLK-023")) {
  constexpr auto kPrivilege = Privilege::kNoNewPrivsOnly;
  for (const std::uint32_t flags : {0U, 1U, 2U, 3U, 5U, 6U, 7U, 9U, 10U, 11U, 13U, 14U, 15U}) {
    SCOPED_TRACE(flags);
    EXPECT_THAT(Refuse(kPrivilege, Descriptor::kMinusOne, flags), Refused(kPrivilege, EBADF));
  }
}

KASSAY_CASE(Refusal, OtherNegativeDescriptorsAreNotSpecial, Cites("LLK-024")) {
  constexpr auto kPrivilege = Privilege::kNoNewPrivsOnly;
  EXPECT_THAT(Refuse(kPrivilege, Descriptor::kMinusTwo, kTsync | kLogSubdomainsOff),
              Refused(kPrivilege, EBADF));
  EXPECT_THAT(Refuse(kPrivilege, Descriptor::kMinusTwo, kTsync), Refused(kPrivilege, EBADF));
  EXPECT_THAT(Refuse(kPrivilege, Descriptor::kClosed, kTsync | kLogSubdomainsOff),
              Refused(kPrivilege, EBADF));
}

KASSAY_CASE(Refusal, DescriptorMustBeOfARuleset, Cites("LLK-014", "LLK-025")) {
  constexpr auto kPrivilege = Privilege::kNoNewPrivsOnly;
  EXPECT_THAT(Refuse(kPrivilege, Descriptor::kRegularFile, kTsync), Refused(kPrivilege, EBADFD));
  EXPECT_THAT(Refuse(kPrivilege, Descriptor::kRegularFile, kTsync | kLogSubdomainsOff),
              Refused(kPrivilege, EBADFD));
  EXPECT_THAT(Refuse(kPrivilege, Descriptor::kOPath, kTsync), Refused(kPrivilege, EBADF));
}

KASSAY_CASE(Detection, OfTheNoNewPrivsFlagTellsTheTruth, Cites("LLK-069", "LLK-070").Detection()) {
  if (NoNewPrivsFlagIsKnown()) {
    for (const auto privilege : {Privilege::kNone, Privilege::kCapable})
      EXPECT_THAT(Refuse(privilege, Descriptor::kMinusOne, kNoNewPrivs), Refused(privilege, EBADF));
    return;
  }
  const std::uint32_t tsync = AbiVersion() >= 8 ? kTsync : 0;
  EXPECT_THAT(Refuse(Privilege::kNone, Descriptor::kRuleset, kNoNewPrivs | tsync),
              Refused(Privilege::kNone, EPERM));
  for (const auto privilege : {Privilege::kNoNewPrivsOnly, Privilege::kCapable}) {
    EXPECT_THAT(Refuse(privilege, Descriptor::kRuleset, kNoNewPrivs | tsync),
                Refused(privilege, EINVAL));
    EXPECT_THAT(Refuse(privilege, Descriptor::kMinusOne, kNoNewPrivs), Refused(privilege, EINVAL));
  }
}

KASSAY_CASE(Refusal, LandlockSwitchedOffSaysSoFirst,
            Cites("LLK-071").Profile("landlock_off").Detection()) {
  const RulesetAttr attr{.handled_access_fs = kFsReadFile};
  EXPECT_THAT(CreateRuleset(&attr, 8, 0), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(CreateRuleset(nullptr, 0, kCreateVersion), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(CreateRuleset(nullptr, 4097, kUnknownFlag), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(AddRule(-1, 0, nullptr, kUnknownFlag), IsErrno(EOPNOTSUPP));
  for (const auto privilege : {Privilege::kNone, Privilege::kNoNewPrivsOnly, Privilege::kCapable}) {
    EXPECT_THAT(Refuse(privilege, Descriptor::kMinusOne, kTsync), Refused(privilege, EOPNOTSUPP));
    EXPECT_THAT(Refuse(privilege, Descriptor::kMinusOne, kUnknownFlag),
                Refused(privilege, EOPNOTSUPP));
  }
}

}  // namespace
}  // namespace kassay::landlock
