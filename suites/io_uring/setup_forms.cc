// A ring inherits its creator's restrictions whatever it is set up as, and obeys them whatever it
// was set up as: each form has a way of its own through io_uring_create() and io_submit_sqe().
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/restriction_list.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

using ::testing::ElementsAre;

template <size_t N>
using Seen = std::array<int, N>;

constexpr uint32_t kIoPoll = 1U << 0;
constexpr uint32_t kSetupClamp = 1U << 4;
constexpr uint32_t kTaskrunFlag = 1U << 9;
constexpr uint32_t kCqe32 = 1U << 11;
constexpr uint32_t kNoMmap = 1U << 14;
constexpr uint32_t kRegisteredFdOnly = 1U << 15;

struct Form {
  const char* name;
  uint32_t flags;
  int close = -EBADF;  // what CLOSE of no descriptor gives when it may run
};
constexpr std::array<Form, 11> kForms{{
    {"plain", 0},
    {"SUBMIT_ALL", kSubmitAll},
    {"CLAMP", kSetupClamp},
    {"COOP_TASKRUN", kCoopTaskrun | kTaskrunFlag},
    {"SINGLE_ISSUER", kSingleIssuer},
    {"DEFER_TASKRUN", kSingleIssuer | kDeferTaskrun},
    {"IOPOLL", kIoPoll, -EINVAL},  // no polled operation
    {"NO_SQARRAY", kNoSqArray},
    {"CQE32", kCqe32},
    {"SQE128", kSqe128},
    {"SQE_MIXED", kSqeMixed},
}};

// NOP and CLOSE on a ring of that form; the first CQE is looked at only, so that 32 bytes of it do
// not matter.
Seen<2> LookAt(uint32_t flags) {
  Seen<2> seen{};
  for (size_t i = 0; i < seen.size(); ++i) {
    Ring ring({.flags = flags});
    seen[i] = ring.IsOpen() ? ring.Do(i == 0 ? Nop() : CloseNothing()) : ring.SetupResult();
  }
  return seen;
}

// A ring in memory of ours (IORING_SETUP_NO_MMAP), which may have no descriptor but an index only.
class RingInOurMemory {
 public:
  explicit RingInOurMemory(uint32_t extra_flags)
      : rings_(mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
               kPage),
        sqes_(mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
              kPage) {
    std::memset(rings_.At(0), 0, kPage);
    std::memset(sqes_.At(0), 0, kPage);
    params_.flags = kNoMmap | extra_flags;
    params_.cq_off.user_addr = AddressOf(rings_.At(0));
    params_.sq_off.user_addr = AddressOf(sqes_.At(0));
    const long result = syscall(SYS_io_uring_setup, 4, &params_);
    result_ = result < 0 ? -errno : static_cast<int>(result);
    if (result >= 0 && (extra_flags & kRegisteredFdOnly) == 0) fd_.Reset(result_);
  }
  // Of the first request only.
  [[nodiscard]] int Do(const Sqe& request) {
    if (result_ < 0) return result_;
    std::memcpy(sqes_.At(0), &request, sizeof request);
    *Word(params_.sq_off.array) = 0;
    std::atomic_ref<uint32_t>(*Word(params_.sq_off.tail)).store(1, std::memory_order_release);
    const uint32_t by_index = fd_.IsOpen() ? 0U : uint32_t{kRegisteredRing};
    const long entered =
        syscall(SYS_io_uring_enter, result_, 1, 1, kGetEvents | by_index, nullptr, size_t{0});
    if (entered != 1) return kNotSubmitted;
    Cqe completion;
    std::memcpy(&completion, rings_.At(params_.cq_off.cqes), sizeof completion);
    return completion.res;
  }

 private:
  static constexpr size_t kPage = 4096;
  uint32_t* Word(uint32_t offset) { return reinterpret_cast<uint32_t*>(rings_.At(offset)); }

  Mapping rings_;
  Mapping sqes_;
  Params params_{};
  int result_ = -1;
  UniqueFd fd_;
};

int AllowOnlyClose() { return RestrictionList().AllowOp(kClose).ApplyToTask(); }
int DenyNop() { return DenyOnTask(kNop); }

KASSAY_CASE(SetupForms, EachInheritsTheListOfItsTask, Cites("IOU-040", "IOU-156").Timeout(60)) {
  for (const Form& form : kForms) {
    EXPECT_THAT(LookAt(form.flags), ElementsAre(0, form.close)) << form.name << ", unrestricted";
    EXPECT_THAT(InChild([&form] {
                  if (AllowOnlyClose() != 0) return Seen<2>{1, 1};
                  return LookAt(form.flags);
                }),
                Returned(ElementsAre(IsErrno(EACCES), form.close)))
        << form.name;
  }
}

KASSAY_CASE(SetupForms, EachInheritsTheFiltersOfItsTask, Cites("IOU-120", "IOU-157").Timeout(60)) {
  for (const Form& form : kForms) {
    EXPECT_THAT(InChild([&form] {
                  if (DenyNop() != 0) return Seen<2>{1, 1};
                  return LookAt(form.flags);
                }),
                Returned(ElementsAre(IsErrno(EACCES), form.close)))
        << form.name;
  }
}

KASSAY_CASE(SetupForms, AttachedRingInheritsToo, Cites("IOU-156").Timeout(60)) {
  EXPECT_THAT(
      InChild([] {
        Ring free({.flags = kSqPoll});
        if (!free.IsOpen() || AllowOnlyClose() != 0) return Seen<3>{1, 1, 1};
        Ring attached({.flags = kSqPoll | kAttachWq, .wq_fd = static_cast<uint32_t>(free.Fd())});
        const int nop = attached.Do(Nop());
        return Seen<3>{nop, attached.Do(CloseNothing()), free.Do(Nop())};
      }),
      Returned(ElementsAre(IsErrno(EACCES), IsErrno(EBADF), 0)));
}

KASSAY_CASE(SetupForms, RingInTheCallersMemoryInheritsToo, Cites("IOU-156", "IOU-157")) {
  for (const uint32_t flags : {0U, kRegisteredFdOnly}) {
    EXPECT_EQ(RingInOurMemory(flags).Do(Nop()), 0) << "unrestricted, flags " << flags;
    for (int (*restrict_task)() : {+[] { return AllowOnlyClose(); }, +[] { return DenyNop(); }}) {
      EXPECT_THAT(InChild([=] {
                    if (restrict_task() != 0) return Seen<2>{1, 1};
                    const int nop = RingInOurMemory(flags).Do(Nop());
                    return Seen<2>{nop, RingInOurMemory(flags).Do(CloseNothing())};
                  }),
                  Returned(ElementsAre(IsErrno(EACCES), IsErrno(EBADF))))
          << "flags " << flags;
    }
  }
}

// Its own list and filter, without a task's.
KASSAY_CASE(SetupForms, EachObeysItsOwnListAndFilter, Cites("IOU-156", "IOU-157").Timeout(60)) {
  for (const Form& form : kForms) {
    Ring listed({.flags = form.flags | kDisabled});
    ASSERT_TRUE(listed.IsOpen()) << form.name << ": " << listed.SetupResult();
    ASSERT_EQ(RestrictionList().AllowOp(kClose).ApplyTo(listed), 0) << form.name;
    ASSERT_EQ(listed.Enable(), 0) << form.name;
    EXPECT_THAT(listed.Do(Nop()), IsErrno(EACCES)) << form.name << ", list";
    Ring filtered({.flags = form.flags});
    ASSERT_EQ(DenyOn(filtered, kNop), 0) << form.name;
    EXPECT_THAT(filtered.Do(Nop()), IsErrno(EACCES)) << form.name << ", filter";
  }
}

// A disabled ring cannot wake its poll thread, but another ring of the same thread can: the thread
// looks at all of its rings.
KASSAY_CASE(SetupForms, PollThreadLeavesADisabledRingAlone, Cites("IOU-002").Timeout(60)) {
  Ring awake({.flags = kSqPoll});
  Ring ring({.flags = kSqPoll | kAttachWq | kDisabled, .wq_fd = static_cast<uint32_t>(awake.Fd())});
  ASSERT_TRUE(awake.IsOpen() && ring.IsOpen()) << ring.SetupResult();
  ring.Queue(Nop());
  EXPECT_THAT(ring.Enter(1, 0, kSqWakeup), IsErrno(EBADFD));
  for (int round = 0; round < 3; ++round) EXPECT_EQ(awake.Do(Nop()), 0);
  EXPECT_FALSE(ring.Reap().has_value()) << "a request ran on a disabled ring";
  EXPECT_EQ(ring.Queued(), 1U);
  ASSERT_EQ(RestrictionList().AllowOp(kClose).ApplyTo(ring), 0);
  ASSERT_EQ(ring.Enable(), 0);
  ring.Enter(1, 0, kSqWakeup);
  const auto completion = ring.Wait();
  ASSERT_TRUE(completion.has_value());
  EXPECT_THAT(completion->res, IsErrno(EACCES));
}

}  // namespace
}  // namespace kassay::uring
