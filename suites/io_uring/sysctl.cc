// kernel.io_uring_disabled and kernel.io_uring_group: who may set up rings at all.
#include <grp.h>
#include <unistd.h>

#include <array>
#include <string>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/privilege.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/scoped_sysctl.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

constexpr const char* kDisabledSysctl = "kernel/io_uring_disabled";
constexpr const char* kGroupSysctl = "kernel/io_uring_group";

int SetUpRing() {
  const Ring ring;
  return ring.IsOpen() ? 0 : ring.SetupResult();
}
ChildResult<int> SetUpRingAsUser(uid_t uid = kUnprivilegedUid) {
  return InChild([=] { return SwitchToUser(uid) == 0 ? SetUpRing() : 1; });
}

KASSAY_CASE(Sysctl, ZeroAllowsEverybody, Cites("IOU-054")) {
  const ScopedSysctl disabled(kDisabledSysctl, "0");
  ASSERT_TRUE(disabled.Ok());
  EXPECT_EQ(SetUpRing(), 0);
  EXPECT_THAT(SetUpRingAsUser(), Returned(0));
}

KASSAY_CASE(Sysctl, OneAllowsTheCapabilityAndTheGroup, Cites("IOU-054")) {
  const ScopedSysctl disabled(kDisabledSysctl, "1");
  ASSERT_TRUE(disabled.Ok());
  EXPECT_EQ(SetUpRing(), 0);
  EXPECT_THAT(InChild([] { return DropCapability(CAP_SYS_ADMIN) == 0 ? SetUpRing() : 1; }),
              Returned(IsErrno(EPERM)));
  EXPECT_THAT(SetUpRingAsUser(), Returned(IsErrno(EPERM)));
  const ScopedSysctl group(kGroupSysctl, std::to_string(kUnprivilegedUid));
  ASSERT_TRUE(group.Ok());
  EXPECT_THAT(SetUpRingAsUser(), Returned(0));
  EXPECT_THAT(SetUpRingAsUser(kUnprivilegedUid + 1), Returned(IsErrno(EPERM)));
}

KASSAY_CASE(Sysctl, OneTakesASupplementaryGroupButNoCapabilityOfANamespace, Cites("IOU-054")) {
  AllowUnprivilegedUserNamespaces();
  const ScopedSysctl disabled(kDisabledSysctl, "1");
  const ScopedSysctl group(kGroupSysctl, "4321");
  ASSERT_TRUE(disabled.Ok() && group.Ok());
  EXPECT_THAT(
      InChild([] {
        const gid_t member = 4321;
        if (setgroups(1, &member) != 0 || setresgid(77, 77, 77) != 0 || setresuid(77, 77, 77) != 0)
          return 1;
        return SetUpRing();
      }),
      Returned(0));
  EXPECT_THAT(InChild([] { return EnterUserNamespaceAsUser() == 0 ? SetUpRing() : 1; }),
              Returned(IsErrno(EPERM)));
}

KASSAY_CASE(Sysctl, TwoForbidsRootAsWellButNotOlderRings, Cites("IOU-054")) {
  Ring older;
  const ScopedSysctl disabled(kDisabledSysctl, "2");
  ASSERT_TRUE(disabled.Ok());
  EXPECT_THAT(SetUpRing(), IsErrno(EPERM));
  const ScopedSysctl group(kGroupSysctl, std::to_string(kUnprivilegedUid));
  EXPECT_THAT(SetUpRingAsUser(), Returned(IsErrno(EPERM))) << "a member of the group";
  EXPECT_EQ(older.Do(Nop()), 0);
}

KASSAY_CASE(Sysctl, ThreeIsNoValue, Cites("IOU-054")) {
  ScopedSysctl disabled(kDisabledSysctl, "0");
  ASSERT_TRUE(disabled.Ok());
  EXPECT_FALSE(disabled.Set("3"));
  EXPECT_EQ(errno, EINVAL);
  EXPECT_FALSE(disabled.Set("-1"));
  EXPECT_EQ(SetUpRing(), 0);
}

KASSAY_CASE(Sysctl, DoesNotGateRegistrations, Cites("IOU-053")) {
  Ring older;
  const ScopedSysctl disabled(kDisabledSysctl, "2");
  ASSERT_TRUE(disabled.Ok());
  EXPECT_EQ(DenyOn(older, kNop), 0);
  EXPECT_THAT(older.Do(Nop()), IsErrno(EACCES));
  EXPECT_THAT(InChild([] {
                return std::array<int, 3>{RegisterRingless(kRegisterBpfFilter, nullptr, 1),
                                          DenyOnTask(kNop), SetUpRing()};
              }),
              Returned(::testing::ElementsAre(IsErrno(EFAULT), 0, IsErrno(EPERM))));
}

}  // namespace
}  // namespace kassay::uring
