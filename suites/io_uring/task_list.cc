// A task's list of restrictions: who may give it, what it must look like, what its rings get of it.
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <vector>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/privilege.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/restriction_list.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

template <size_t N>
using Seen = std::array<int, N>;

int OnlyNopOnTask() { return RestrictionList().AllowOp(kNop).ApplyToTask(); }
int OnlyEnableOnTask() {
  return RestrictionList().AllowRegister(kRegisterEnableRings).ApplyToTask();
}
int RegisterTaskHead(const TaskRestrictionHead& head) {
  return RegisterRingless(kRegisterRestrictions, &head, 1);
}

KASSAY_CASE(TaskList, NeedsPrivilegeOrNoNewPrivs, Cites("IOU-030")) {
  EXPECT_THAT(InChild([] {
                if (SwitchToUser() != 0) return Seen<4>{1};
                const int refused = OnlyNopOnTask();
                const int effect = Ring().Do(CloseNothing());
                if (SetNoNewPrivs() != 0) return Seen<4>{1};
                const int taken = OnlyNopOnTask();
                return Seen<4>{refused, effect, taken, Ring().Do(CloseNothing())};
              }),
              Returned(ElementsAre(IsErrno(EACCES), IsErrno(EBADF), 0, IsErrno(EACCES))));
}

KASSAY_CASE(TaskList, IsAllowedToRootOfAUserNamespace, Cites("IOU-030")) {
  AllowUnprivilegedUserNamespaces();
  EXPECT_THAT(InChild([] {
                if (EnterUserNamespaceAsUser() != 0) return Seen<2>{1};
                const int taken = OnlyNopOnTask();
                return Seen<2>{taken, Ring().Do(CloseNothing())};
              }),
              Returned(ElementsAre(0, IsErrno(EACCES))));
}

KASSAY_CASE(TaskList, IsRefusedInAUserNamespaceWithoutItsCapability, Cites("IOU-030")) {
  AllowUnprivilegedUserNamespaces();
  EXPECT_THAT(InChild([] {
                if (EnterUserNamespaceAsUser() != 0 || DropCapability(CAP_SYS_ADMIN) != 0) return 1;
                return OnlyNopOnTask();
              }),
              Returned(IsErrno(EACCES)));
}

KASSAY_CASE(TaskList, NeedsTheCapabilityNotTheUid, Cites("IOU-031")) {
  EXPECT_THAT(InChild([] { return OnlyNopOnTask(); }), Returned(0));
  EXPECT_THAT(InChild([] {
                if (DropCapability(CAP_SYS_ADMIN) != 0) return Seen<2>{1};
                const int refused = OnlyNopOnTask();
                return Seen<2>{refused, Ring().Do(CloseNothing())};
              }),
              Returned(ElementsAre(IsErrno(EACCES), IsErrno(EBADF))));
}

KASSAY_CASE(TaskList, SecondIsRefusedBeforeAnythingElseIsChecked, Cites("IOU-032")) {
  EXPECT_THAT(InChild([] {
                if (OnlyNopOnTask() != 0) return Seen<5>{1};
                const int good = OnlyNopOnTask();
                const int null = RegisterRingless(kRegisterRestrictions, nullptr, 0);
                const int bad = RegisterTaskHead({.flags = 1});
                if (DropCapability(CAP_SYS_ADMIN) != 0) return Seen<5>{1};
                return Seen<5>{good, null, bad, OnlyNopOnTask(),
                               RegisterRingless(kRegisterRestrictions, nullptr, 0)};
              }),
              Returned(Each(IsErrno(EPERM))));
}

KASSAY_CASE(TaskList, PrivilegeIsCheckedBeforeTheArguments, Cites("IOU-032")) {
  EXPECT_THAT(InChild([] {
                if (DropCapability(CAP_SYS_ADMIN) != 0) return Seen<3>{1};
                return Seen<3>{RegisterRingless(kRegisterRestrictions, nullptr, 0),
                               RegisterRingless(kRegisterRestrictions, nullptr, 1),
                               RegisterTaskHead({.flags = 1})};
              }),
              Returned(Each(IsErrno(EACCES))));
}

KASSAY_CASE(TaskList, CountMustBeOne, Cites("IOU-033", "IOU-032")) {
  EXPECT_THAT(InChild([] {
                const TaskRestrictionHead head;
                return Seen<4>{RegisterRingless(kRegisterRestrictions, &head, 0),
                               RegisterRingless(kRegisterRestrictions, &head, 2),
                               RegisterRingless(kRegisterRestrictions, nullptr, 0),
                               RegisterRingless(kRegisterRestrictions, nullptr, 2)};
              }),
              Returned(Each(IsErrno(EINVAL))));
}

KASSAY_CASE(TaskList, NullIsAFault, Cites("IOU-034")) {
  EXPECT_THAT(InChild([] {
                return Seen<2>{
                    RegisterRingless(kRegisterRestrictions, nullptr, 1),
                    RegisterRingless(kRegisterRestrictions, reinterpret_cast<void*>(8), 1)};
              }),
              Returned(Each(IsErrno(EFAULT))));
}

KASSAY_CASE(TaskList, ReservedFieldsMustBeZero, Cites("IOU-035", "IOU-037")) {
  EXPECT_THAT(
      InChild([] {
        return Seen<6>{
            RegisterTaskHead({.flags = 1}),        RegisterTaskHead({.flags = 0x8000}),
            RegisterTaskHead({.resv = {1, 0, 0}}), RegisterTaskHead({.resv = {0, 1, 0}}),
            RegisterTaskHead({.resv = {0, 0, 1}}), RegisterTaskHead({.resv = {0, 0, 1U << 31}}),
        };
      }),
      Returned(Each(IsErrno(EINVAL))));
}

KASSAY_CASE(TaskList, LengthIsLimitedByTheKindsOfEntries, Cites("IOU-036")) {
  QueryOpcodes kernel{};
  ASSERT_EQ(QueryKernel(&kernel), 0);
  const unsigned most = kRestrictionKinds + kernel.register_opcodes + kernel.request_opcodes;
  EXPECT_THAT(InChild([&] { return RestrictionList().AllowOpTimes(kNop, most + 1).ApplyToTask(); }),
              Returned(IsErrno(EINVAL)));
  EXPECT_THAT(InChild([&] { return RestrictionList().AllowOpTimes(kNop, most).ApplyToTask(); }),
              Returned(0));
  EXPECT_THAT(
      InChild([&] {
        if (RestrictionList().AllowOpTimes(kNop, most - 1).AllowOp(kClose).ApplyToTask() != 0)
          return 1;
        return Ring().Do(CloseNothing());
      }),
      Returned(IsErrno(EBADF)))
      << "the last entry of the longest list";
  EXPECT_THAT(InChild([&] {
                TaskRestrictionHead head{.count = 0xffff};
                return RegisterTaskHead(head);
              }),
              Returned(IsErrno(EINVAL)));
}

KASSAY_CASE(TaskList, BadEntriesAreRefused, Cites("IOU-036")) {
  QueryOpcodes kernel{};
  ASSERT_EQ(QueryKernel(&kernel), 0);
  EXPECT_THAT(InChild([&] {
                return Seen<3>{
                    RestrictionList().AllowOp(kNop).Add(kRestrictionKinds, 0).ApplyToTask(),
                    RestrictionList().AllowRegister(kernel.register_opcodes).ApplyToTask(),
                    RestrictionList().AllowOp(kernel.request_opcodes).ApplyToTask()};
              }),
              Returned(Each(IsErrno(EINVAL))));
}

KASSAY_CASE(TaskList, UnreadableEntriesAreAFault, Cites("IOU-036", "IOU-037")) {
  const Mapping pages(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 8192);
  ASSERT_EQ(mprotect(pages.At(4096), 4096, PROT_NONE), 0);
  const std::vector<std::byte> argument =
      RestrictionList().AllowOp(kNop).AllowOp(kClose).TaskArgument();
  std::byte* const at = pages.At(4096 - (argument.size() - sizeof(Restriction)));
  std::memcpy(at, argument.data(), argument.size() - sizeof(Restriction));
  EXPECT_THAT(InChild([&] {
                const int fault = RegisterRingless(kRegisterRestrictions, at, 1);
                return Seen<3>{fault, Ring().Do(Socket()) >= 0 ? 0 : 1, OnlyNopOnTask()};
              }),
              Returned(ElementsAre(IsErrno(EFAULT), 0, 0)));
}

KASSAY_CASE(TaskList, RefusedLeavesTheTaskFree, Cites("IOU-037")) {
  EXPECT_THAT(InChild([] {
                RegisterRingless(kRegisterRestrictions, nullptr, 1);
                RegisterTaskHead({.flags = 1});
                const int refused = RestrictionList().AllowOp(kNop).Add(9, 0).ApplyToTask();
                Ring free;
                const int close = free.Do(CloseNothing());
                const int probe = free.Probe();
                const int taken = OnlyNopOnTask();
                return Seen<5>{refused, close, probe, taken, Ring().Do(CloseNothing())};
              }),
              Returned(ElementsAre(IsErrno(EINVAL), IsErrno(EBADF), 0, 0, IsErrno(EACCES))));
}

KASSAY_CASE(TaskList, EmptyClosesEverythingButSetup, Cites("IOU-038")) {
  EXPECT_THAT(
      InChild([] {
        if (RestrictionList().ApplyToTask() != 0) return Seen<3>{1};
        Ring ring;
        return Seen<3>{ring.IsOpen() ? 0 : ring.SetupResult(), ring.Do(Nop()), ring.Probe()};
      }),
      Returned(ElementsAre(0, IsErrno(EACCES), IsErrno(EACCES))));
}

KASSAY_CASE(TaskList, OpensWhatItNamesOnEveryLaterRing, Cites("IOU-040", "IOU-017")) {
  EXPECT_THAT(InChild([] {
                if (RestrictionList()
                        .AllowOp(kNop)
                        .RequireFlags(kAsync)
                        .AllowFlags(kLink)
                        .AllowRegister(kRegisterProbe)
                        .AllowRegister(kRegisterEnableRings)
                        .ApplyToTask() != 0) {
                  return Seen<6>{1};
                }
                Ring ring;
                return Seen<6>{ring.Do(Nop()),
                               ring.Do(WithFlags(Nop(), kAsync)),
                               Ring().Do(WithFlags(Nop(), kAsync | kLink)),
                               ring.Do(WithFlags(CloseNothing(), kAsync)),
                               ring.Probe(),
                               ring.Register(kRegisterFiles)};
              }),
              Returned(ElementsAre(IsErrno(EACCES), 0, 0, IsErrno(EACCES), 0, IsErrno(EACCES))));
}

// The bits of the list are copied from the task to the ring whole: around the ends of 32- and
// 64-bit words.
KASSAY_CASE(TaskList, OpensEachOperationByItself, Cites("IOU-040", "IOU-151")) {
  for (const unsigned listed : {0U, 31U, 32U, 62U, 63U, 64U}) {
    EXPECT_THAT(InChild([=] {
                  if (RestrictionList().AllowOp(listed).ApplyToTask() != 0) return Seen<3>{1};
                  Ring ring({.flags = kSqe128});
                  const auto denied = [&](unsigned op) {
                    return ring.Do({.opcode = static_cast<uint8_t>(op)}) == -EACCES ? 1 : 0;
                  };
                  return Seen<3>{denied(listed), denied(listed == 0 ? 1 : listed - 1),
                                 denied(listed == 64 ? 0 : listed + 1)};
                }),
                Returned(ElementsAre(0, 1, 1)))
        << listed;
  }
}

KASSAY_CASE(TaskList, DoesNotTouchOlderRings, Cites("IOU-040")) {
  EXPECT_THAT(InChild([] {
                Ring before;
                if (RestrictionList().ApplyToTask() != 0) return Seen<4>{1};
                Ring after;
                return Seen<4>{before.Do(Nop()), before.Probe(), after.Do(Nop()), after.Probe()};
              }),
              Returned(ElementsAre(0, 0, IsErrno(EACCES), IsErrno(EACCES))));
}

KASSAY_CASE(TaskList, OlderRingStaysFreeInAForkedChild, Cites("IOU-040")) {
  EXPECT_THAT(
      InChild([] {
        Ring before;
        if (RestrictionList().ApplyToTask() != 0) return Seen<2>{1};
        const auto in_child = InChild([&] { return Seen<2>{before.Do(Nop()), Ring().Do(Nop())}; });
        return in_child.value.value_or(Seen<2>{2});
      }),
      Returned(ElementsAre(0, IsErrno(EACCES))));
}

// A disabled ring is exempt from its own list, so that it can be set up; from the task's it must
// not be.
KASSAY_CASE(TaskList, OfRegistrationsBindsADisabledRing, Cites("IOU-041")) {
  EXPECT_THAT(InChild([] {
                if (OnlyEnableOnTask() != 0) return Seen<4>{1};
                Ring ring({.flags = kDisabled});
                const int while_disabled = ring.Probe();
                const int filter = DenyOn(ring, kNop);
                const int enable = ring.Enable();
                return Seen<4>{while_disabled, filter, enable, ring.Probe()};
              }),
              Returned(ElementsAre(IsErrno(EACCES), IsErrno(EACCES), 0, IsErrno(EACCES))));
}

KASSAY_CASE(TaskList, OfRegistrationsCanForbidEnabling, Cites("IOU-042")) {
  EXPECT_THAT(InChild([] {
                if (RestrictionList().AllowRegister(kRegisterProbe).ApplyToTask() != 0)
                  return Seen<3>{1};
                Ring ring({.flags = kDisabled});
                const int probe = ring.Probe();
                const int enable = ring.Enable();
                ring.Queue(Nop());
                return Seen<3>{probe, enable, ring.Enter(1)};
              }),
              Returned(ElementsAre(0, IsErrno(EACCES), IsErrno(EBADFD))));
}

KASSAY_CASE(TaskList, OfRegistrationsBindsCallsWithoutARing, Cites("IOU-043")) {
  EXPECT_THAT(
      InChild([] {
        Ring target;
        if (OnlyEnableOnTask() != 0) return Seen<5>{1};
        QueryOpcodes kernel{};
        const int query = QueryKernel(&kernel);
        const int filter = DenyOnTask(kNop);
        const Sqe message = MsgRing(target.Fd(), 1, 2);
        const int send = RegisterRingless(kRegisterSendMsgRing, &message, 1);
        const int list = OnlyNopOnTask();
        return Seen<5>{query, filter, send, list, target.Reap() ? 1 : 0};
      }),
      Returned(ElementsAre(IsErrno(EACCES), IsErrno(EACCES), IsErrno(EACCES), IsErrno(EACCES), 0)));
}

KASSAY_CASE(TaskList, OpensTheCallsWithoutARingThatItNames, Cites("IOU-043")) {
  EXPECT_THAT(InChild([] {
                Ring target;
                if (RestrictionList()
                        .AllowRegister(kRegisterBpfFilter)
                        .AllowRegister(kRegisterQuery)
                        .AllowRegister(kRegisterSendMsgRing)
                        .ApplyToTask() != 0) {
                  return Seen<5>{1};
                }
                QueryOpcodes kernel{};
                const int query = QueryKernel(&kernel);
                const Sqe message = MsgRing(target.Fd(), 1, 2);
                const int send = RegisterRingless(kRegisterSendMsgRing, &message, 1);
                const auto arrived = target.Wait();
                const int filter = DenyOnTask(kNop);
                return Seen<5>{query, send, arrived ? arrived->res : -1, filter, Ring().Do(Nop())};
              }),
              Returned(ElementsAre(0, 0, 2, 0, IsErrno(EACCES))));
}

KASSAY_CASE(TaskList, OfRequestsLeavesAllRegistrationsFree, Cites("IOU-044")) {
  EXPECT_THAT(InChild([] {
                if (OnlyNopOnTask() != 0) return Seen<5>{1};
                QueryOpcodes kernel{};
                const Ring disabled({.flags = kDisabled});
                return Seen<5>{QueryKernel(&kernel), disabled.Probe(), DenyOn(disabled, kNop),
                               disabled.Enable(), Ring().Probe()};
              }),
              Returned(Each(0)));
}

KASSAY_CASE(TaskList, IsTheOnlyListThatItsRingsTake, Cites("IOU-045")) {
  EXPECT_THAT(InChild([] {
                if (OnlyNopOnTask() != 0) return Seen<4>{1};
                Ring ring({.flags = kDisabled});
                const int list = RestrictionList().AllowOp(kClose).ApplyTo(ring);
                const int enable = ring.Enable();
                return Seen<4>{list, enable, ring.Do(Nop()), ring.Do(CloseNothing())};
              }),
              Returned(ElementsAre(IsErrno(EBUSY), 0, 0, IsErrno(EACCES))));
}

KASSAY_CASE(TaskList, OfRegistrationsThatNamesListsStillAllowsNoSecond, Cites("IOU-045")) {
  EXPECT_THAT(InChild([] {
                if (RestrictionList().AllowRegister(kRegisterRestrictions).ApplyToTask() != 0)
                  return 1;
                return RestrictionList().AllowOp(kClose).ApplyTo(Ring({.flags = kDisabled}));
              }),
              Returned(IsErrno(EBUSY)));
}

KASSAY_CASE(TaskList, OfRegistrationsWithoutListsDeniesThem, Cites("IOU-041")) {
  EXPECT_THAT(InChild([] {
                if (OnlyEnableOnTask() != 0) return 1;
                return RestrictionList().AllowOp(kClose).ApplyTo(Ring({.flags = kDisabled}));
              }),
              Returned(IsErrno(EACCES)));
}

KASSAY_CASE(TaskList, OfARingJoinsTheFiltersOfItsTask, Cites("IOU-046")) {
  EXPECT_THAT(
      InChild([] {
        if (DenyOnTask(kSocket) != 0) return Seen<5>{1};
        Ring ring({.flags = kDisabled});
        const int list = RestrictionList().AllowOp(kNop).AllowOp(kSocket).ApplyTo(ring);
        const int enable = ring.Enable();
        return Seen<5>{list, enable, ring.Do(Nop()), ring.Do(Socket()), ring.Do(CloseNothing())};
      }),
      Returned(ElementsAre(0, 0, 0, IsErrno(EACCES), IsErrno(EACCES))));
}

KASSAY_CASE(TaskList, AfterAFilterIsRefused, Cites("IOU-047")) {
  EXPECT_THAT(InChild([] {
                if (DenyOnTask(kSocket) != 0) return Seen<3>{1};
                const int list = OnlyNopOnTask();
                Ring ring;
                return Seen<3>{list, ring.Do(Socket()), ring.Do(CloseNothing())};
              }),
              Returned(ElementsAre(IsErrno(EPERM), IsErrno(EACCES), IsErrno(EBADF))));
}

KASSAY_CASE(TaskList, BeforeAFilterWorks, Cites("IOU-047")) {
  EXPECT_THAT(InChild([] {
                if (RestrictionList().AllowOp(kNop).AllowOp(kSocket).ApplyToTask() != 0)
                  return Seen<4>{1};
                const int filter = DenyOnTask(kSocket);
                Ring ring;
                return Seen<4>{filter, ring.Do(Nop()), ring.Do(Socket()), ring.Do(CloseNothing())};
              }),
              Returned(ElementsAre(0, 0, IsErrno(EACCES), IsErrno(EACCES))));
}

// A refused first filter must not leave an empty set of restrictions behind, which would refuse the
// list.
KASSAY_CASE(TaskList, AfterARefusedFilterIsTaken, Cites("IOU-037", "IOU-153")) {
  EXPECT_THAT(InChild([] {
                const int refused = Filter(kNop, {}).ApplyToTask();
                const int fault = RegisterRingless(kRegisterBpfFilter, nullptr, 1);
                return Seen<4>{refused, fault, OnlyNopOnTask(), Ring().Do(CloseNothing())};
              }),
              Returned(ElementsAre(IsErrno(EINVAL), IsErrno(EFAULT), 0, IsErrno(EACCES))));
}

KASSAY_CASE(TaskList, WorksEndToEndWithoutPrivilege, Cites("IOU-058")) {
  EXPECT_THAT(
      InChild([] {
        if (SwitchToUser() != 0 || SetNoNewPrivs() != 0) return Seen<5>{1};
        const int list = RestrictionList().AllowOp(kNop).AllowOp(kClose).ApplyToTask();
        const int filter = DenyOnTask(kNop);
        Ring ring;
        return Seen<5>{list, filter, ring.Do(Nop()), ring.Do(CloseNothing()), ring.Do(Socket())};
      }),
      Returned(ElementsAre(0, 0, IsErrno(EACCES), IsErrno(EBADF), IsErrno(EACCES))));
}

KASSAY_CASE(TaskList, RegisteredRingBitChangesNothingWithoutARing, Cites("IOU-059")) {
  EXPECT_THAT(InChild([] {
                return Seen<2>{
                    RegisterRingless(kRegisterBpfFilter | kUseRegisteredRing, nullptr, 1),
                    RegisterRingless(kRegisterRestrictions | kUseRegisteredRing, nullptr, 1)};
              }),
              Returned(Each(IsErrno(EFAULT))));
  EXPECT_THAT(InChild([] {
                const std::vector<std::byte> list = RestrictionList().AllowOp(kNop).TaskArgument();
                const int taken =
                    RegisterRingless(kRegisterRestrictions | kUseRegisteredRing, list.data(), 1);
                return Seen<2>{taken, Ring().Do(CloseNothing())};
              }),
              Returned(ElementsAre(0, IsErrno(EACCES))));
}

}  // namespace
}  // namespace kassay::uring
