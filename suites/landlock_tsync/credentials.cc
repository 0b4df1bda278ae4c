// Only the Landlock part of the credentials travels: everything else in a sibling's credentials
// stays its own. Source: restrict_one_thread in security/landlock/tsync.c (a sibling with
// credentials of its own prepares a copy of those).
#include <grp.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <sys/capability.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "suites/landlock_tsync/sibling.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"
#include "suites/support/user_namespace.h"

namespace kassay::landlock {
namespace {

using ::testing::Eq;

// Everything of a thread's credentials that can be read. Raw calls: libc's change all threads.
struct Credentials {
  std::array<uid_t, 4> uids{};  // real, effective, saved, file system
  std::array<gid_t, 4> gids{};
  std::array<gid_t, 8> groups{};
  int group_count = 0;
  std::array<std::uint32_t, 6> capabilities{};  // effective, permitted, inheritable: low, high
  std::uint64_t bounding = 0;
  std::uint64_t ambient = 0;
  int securebits = 0;
  long thread_keyring = 0;  // serial, or -errno where there is none
  long session_keyring = 0;
  bool operator==(const Credentials&) const = default;
};

void PrintTo(const Credentials& seen, std::ostream* os) {
  using ::testing::PrintToString;
  *os << "{uids " << PrintToString(seen.uids) << ", gids " << PrintToString(seen.gids)
      << ", groups " << PrintToString(seen.groups) << ", capabilities "
      << PrintToString(seen.capabilities) << ", bounding " << seen.bounding << ", ambient "
      << seen.ambient << ", securebits " << seen.securebits << ", thread keyring "
      << seen.thread_keyring << ", session keyring " << seen.session_keyring << "}";
}

Credentials Read() {
  Credentials seen;
  syscall(SYS_getresuid, &seen.uids[0], &seen.uids[1], &seen.uids[2]);
  seen.uids[3] = static_cast<uid_t>(syscall(SYS_setfsuid, -1));
  syscall(SYS_getresgid, &seen.gids[0], &seen.gids[1], &seen.gids[2]);
  seen.gids[3] = static_cast<gid_t>(syscall(SYS_setfsgid, -1));
  seen.group_count =
      static_cast<int>(syscall(SYS_getgroups, seen.groups.size(), seen.groups.data()));
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  syscall(SYS_capget, &header, data.data());
  seen.capabilities = {data[0].effective, data[1].effective,   data[0].permitted,
                       data[1].permitted, data[0].inheritable, data[1].inheritable};
  for (int capability = 0; capability < 64; ++capability) {
    if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1) seen.bounding |= 1ULL << capability;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1)
      seen.ambient |= 1ULL << capability;
  }
  seen.securebits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
  seen.thread_keyring =
      OrErrno(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 0));
  seen.session_keyring =
      OrErrno(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
  return seen;
}

// Makes every part of the calling thread's credentials its own.
int MakeDistinct(uid_t id) {
  syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
  syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 1);
  prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0);
  prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP, 0, 0, 0);
  const std::array<gid_t, 2> groups{id + 1, id + 2};
  syscall(SYS_setgroups, groups.size(), groups.data());
  syscall(SYS_setresgid, id, id + 10, id + 20);
  syscall(SYS_setresuid, id, id + 10, id + 20);
  syscall(SYS_setfsgid, id + 30);
  syscall(SYS_setfsuid, id + 30);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  data[0].permitted = (1U << CAP_NET_RAW) | (1U << CAP_SETPCAP) | (1U << CAP_CHOWN);
  data[0].effective = 1U << CAP_CHOWN;
  data[0].inheritable = 1U << CAP_NET_RAW;
  syscall(SYS_capset, &header, data.data());
  return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0);
}

struct Outcome {
  long result;
  Seen before, after;
  Credentials caller_before, caller_after, sibling_before, sibling_after;
};

template <typename Prepare>
ChildResult<Outcome> InProcess(Prepare prepare, std::uint32_t flags) {
  const Scratch scratch;
  return InChild([&] {
    Sibling sibling;
    prepare(sibling);
    Outcome outcome{};
    outcome.before = sibling.Look(scratch.File());
    outcome.caller_before = Read();
    outcome.sibling_before = sibling.Do(Read);
    outcome.result = RestrictSelf(Ruleset(kFsReadFile).Get(), flags);
    outcome.caller_after = Read();
    outcome.sibling_after = sibling.Do(Read);
    outcome.after = sibling.Look(scratch.File());
    return outcome;
  });
}

void ExpectOnlyLandlockTravelled(const ChildResult<Outcome>& seen) {
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->before, Eq(kFree));
  EXPECT_THAT(seen.value->after, Eq(kNoRead));
  EXPECT_THAT(seen.value->caller_after, Eq(seen.value->caller_before));
  EXPECT_THAT(seen.value->sibling_after, Eq(seen.value->sibling_before));
}

KASSAY_CASE(Credentials, SiblingKeepsItsOwn, Cites("LLK-045", "LLK-068")) {
  const auto seen =
      InProcess([](Sibling& sibling) { sibling.Do([] { return MakeDistinct(1234); }); }, kTsync);
  ExpectOnlyLandlockTravelled(seen);
  // That the two differed at all, in each part.
  const Credentials& caller = seen.value->caller_before;
  const Credentials& sibling = seen.value->sibling_before;
  EXPECT_THAT(caller.uids, ::testing::Each(Eq(0U)));
  EXPECT_THAT(sibling.uids, Eq(std::array<uid_t, 4>{1234, 1244, 1254, 1264}));
  EXPECT_THAT(sibling.gids, Eq(std::array<gid_t, 4>{1234, 1244, 1254, 1264}));
  EXPECT_THAT(sibling.group_count, Eq(2));
  EXPECT_THAT(sibling.capabilities[0], Eq(1U << CAP_CHOWN));
  EXPECT_THAT(sibling.bounding, ::testing::Ne(caller.bounding));
  EXPECT_THAT(sibling.ambient, Eq(1U << CAP_NET_RAW));
  EXPECT_THAT(sibling.securebits, ::testing::Ne(caller.securebits));
  // A kernel without CONFIG_KEYS has none to mix up.
  if (caller.session_keyring != -ENOSYS) {
    EXPECT_THAT(sibling.thread_keyring, ::testing::Gt(0));
    EXPECT_THAT(sibling.session_keyring, ::testing::Ne(caller.session_keyring));
  }
}

// Alike in every id, and yet not the same: who hands the caller's credentials to such a sibling
// gives it back what it had dropped.
KASSAY_CASE(Credentials, SiblingWithTheSameIdsStaysWithoutWhatItDropped,
            Cites("LLK-045", "LLK-068")) {
  const auto seen = InProcess(
      [](Sibling& sibling) {
        sibling.Do([] { return DropCapability(CAP_SYS_ADMIN) + DropCapability(CAP_NET_ADMIN); });
      },
      kTsync);
  ExpectOnlyLandlockTravelled(seen);
  EXPECT_THAT(seen.value->sibling_before.uids, Eq(seen.value->caller_before.uids));
  EXPECT_THAT(seen.value->sibling_before.capabilities,
              ::testing::Ne(seen.value->caller_before.capabilities));
}

KASSAY_CASE(Credentials, CallerKeepsItsOwn, Cites("LLK-045")) {
  // The caller made itself distinct; the sibling is still root with everything.
  const auto seen = InProcess([](Sibling&) { MakeDistinct(4321); }, kTsync);
  ASSERT_TRUE(seen.value) << seen.Describe();
  // CAP_SYS_ADMIN went too, and nothing set no_new_privs: refused, and nothing mixed.
  EXPECT_THAT(seen.value->result, IsErrno(EPERM));
  EXPECT_THAT(seen.value->caller_after, Eq(seen.value->caller_before));
  EXPECT_THAT(seen.value->sibling_after, Eq(seen.value->sibling_before));
  EXPECT_THAT(seen.value->after, Eq(kFree));
  const auto with_no_new_privs = InProcess(
      [](Sibling&) {
        MakeDistinct(4321);
        SetNoNewPrivs();
      },
      kTsync);
  ASSERT_TRUE(with_no_new_privs.value) << with_no_new_privs.Describe();
  EXPECT_THAT(with_no_new_privs.value->result, Eq(0));
  EXPECT_THAT(with_no_new_privs.value->after, Eq(kNoReadNnp));
  EXPECT_THAT(with_no_new_privs.value->caller_after, Eq(with_no_new_privs.value->caller_before));
  EXPECT_THAT(with_no_new_privs.value->sibling_before.uids, ::testing::Each(Eq(0U)));
  EXPECT_THAT(with_no_new_privs.value->sibling_after, Eq(with_no_new_privs.value->sibling_before));
}

KASSAY_CASE(Credentials, SharedOnesStayEqualAndBecomeSeparateOnChange, Cites("LLK-068")) {
  // Threads that shared the caller's credentials get its new ones; a later change by one of them
  // must not reach the others.
  const Scratch scratch;
  struct Two {
    long result;
    Seen changed, other;
    Credentials caller_before, caller_after, other_before, other_after;
    uid_t changed_uid;
  };
  const auto seen = InChild([&] {
    Siblings siblings = StartSiblings(2);
    Two two{};
    two.caller_before = Read();
    two.other_before = siblings[1]->Do(Read);
    two.result = RestrictSelf(Ruleset(kFsReadFile).Get(), kTsync);
    siblings[0]->Do([] { return syscall(SYS_setresuid, 77, 77, 77); });
    two.changed_uid = siblings[0]->Do([] { return static_cast<uid_t>(syscall(SYS_getuid)); });
    two.changed = siblings[0]->Look(scratch.File());
    two.other = siblings[1]->Look(scratch.File());
    two.caller_after = Read();
    two.other_after = siblings[1]->Do(Read);
    return two;
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_THAT(seen.value->result, Eq(0));
  EXPECT_THAT(seen.value->changed_uid, Eq(77U));
  EXPECT_THAT(seen.value->changed, Eq(kNoRead));
  EXPECT_THAT(seen.value->other, Eq(kNoRead));
  EXPECT_THAT(seen.value->caller_after, Eq(seen.value->caller_before));
  EXPECT_THAT(seen.value->other_after, Eq(seen.value->other_before));
}

}  // namespace
}  // namespace kassay::landlock
