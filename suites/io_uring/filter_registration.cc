// Registering a filter: its argument, field by field, and to which ring it goes.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <thread>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/privilege.h"
#include "suites/io_uring/requests.h"
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

const Program kAllow = AllowAll();
const Program kDeny = DenyAll();

int Register(const Ring& ring, BpfRequest& request) {
  return ring.Register(kRegisterBpfFilter, &request, 1);
}

KASSAY_CASE(FilterRegistration, CountMustBeOne, Cites("IOU-060")) {
  Ring ring;
  BpfRequest request = RequestFor(kNop, kDeny);
  EXPECT_THAT(ring.Register(kRegisterBpfFilter, &request, 0), IsErrno(EINVAL));
  EXPECT_THAT(ring.Register(kRegisterBpfFilter, &request, 2), IsErrno(EINVAL));
  EXPECT_THAT(ring.Register(kRegisterBpfFilter, nullptr, 0), IsErrno(EINVAL));
  EXPECT_EQ(ring.Do(Nop()), 0);
  EXPECT_THAT(InChild([&] {
                return Seen<2>{RegisterRingless(kRegisterBpfFilter, &request, 0),
                               RegisterRingless(kRegisterBpfFilter, &request, 2)};
              }),
              Returned(Each(IsErrno(EINVAL))));
  EXPECT_THAT(InChild([&] {
                if (DropCapability(CAP_SYS_ADMIN) != 0) return Seen<2>{1};
                return Seen<2>{RegisterRingless(kRegisterBpfFilter, &request, 0),
                               RegisterRingless(kRegisterBpfFilter, nullptr, 1)};
              }),
              Returned(Each(IsErrno(EACCES))));
}

KASSAY_CASE(FilterRegistration, NeedsPrivilegeForTheTaskOnly, Cites("IOU-061")) {
  EXPECT_THAT(InChild([] {
                if (SwitchToUser() != 0) return Seen<5>{1};
                Ring ring;
                const int on_ring = DenyOn(ring, kNop);
                const int denied = ring.Do(Nop());
                const int on_task = DenyOnTask(kNop);
                return Seen<5>{on_ring, denied, on_task, Ring().Do(Nop()), ring.Do(CloseNothing())};
              }),
              Returned(ElementsAre(0, IsErrno(EACCES), IsErrno(EACCES), 0, IsErrno(EBADF))));
}

KASSAY_CASE(FilterRegistration, OnTheTaskTakesNoNewPrivs, Cites("IOU-061")) {
  EXPECT_THAT(InChild([] {
                if (SwitchToUser() != 0 || SetNoNewPrivs() != 0) return Seen<2>{1};
                const int on_task = DenyOnTask(kNop);
                return Seen<2>{on_task, Ring().Do(Nop())};
              }),
              Returned(ElementsAre(0, IsErrno(EACCES))));
}

KASSAY_CASE(FilterRegistration, OnTheTaskTakesRootOfAUserNamespace, Cites("IOU-061")) {
  AllowUnprivilegedUserNamespaces();
  EXPECT_THAT(InChild([] {
                if (EnterUserNamespaceAsUser() != 0) return Seen<2>{1};
                const int on_task = DenyOnTask(kNop);
                return Seen<2>{on_task, Ring().Do(Nop())};
              }),
              Returned(ElementsAre(0, IsErrno(EACCES))));
  EXPECT_THAT(InChild([] {
                if (EnterUserNamespaceAsUser() != 0 || DropCapability(CAP_SYS_ADMIN) != 0) return 1;
                return DenyOnTask(kNop);
              }),
              Returned(IsErrno(EACCES)));
}

// Being restricted already is no privilege to restrict further.
KASSAY_CASE(FilterRegistration, OnARestrictedTaskNeedsPrivilegeAgain, Cites("IOU-061", "IOU-153")) {
  EXPECT_THAT(InChild([] {
                if (DenyOnTask(kNop) != 0 || DropCapability(CAP_SYS_ADMIN) != 0) return Seen<3>{1};
                const int second = DenyOnTask(kClose);
                Ring ring;
                return Seen<3>{second, ring.Do(Nop()), ring.Do(CloseNothing())};
              }),
              Returned(ElementsAre(IsErrno(EACCES), IsErrno(EACCES), IsErrno(EBADF))));
}

KASSAY_CASE(FilterRegistration, UnreadableArgumentIsAFault, Cites("IOU-062")) {
  Ring ring;
  EXPECT_THAT(ring.Register(kRegisterBpfFilter, nullptr, 1), IsErrno(EFAULT));
  EXPECT_THAT(ring.Register(kRegisterBpfFilter, reinterpret_cast<void*>(16), 1), IsErrno(EFAULT));
  const Mapping pages(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 8192);
  ASSERT_EQ(mprotect(pages.At(4096), 4096, PROT_NONE), 0);
  const BpfRequest request = RequestFor(kNop, kDeny);
  const size_t visible = sizeof request - 8;
  std::memcpy(pages.At(4096 - visible), &request, visible);
  EXPECT_THAT(ring.Register(kRegisterBpfFilter, pages.At(4096 - visible), 1), IsErrno(EFAULT));
  EXPECT_EQ(ring.Do(Nop()), 0);
}

KASSAY_CASE(FilterRegistration, UnknownAndReservedFieldsAreInvalid, Cites("IOU-063", "IOU-153")) {
  struct Variant {
    const char* name;
    void (*spoil)(BpfRequest&);
  };
  const std::array<Variant, 18> variants{{
      {"cmd_type 0", [](BpfRequest& r) { r.command = 0; }},
      {"cmd_type 2", [](BpfRequest& r) { r.command = 2; }},
      {"cmd_type 0x101", [](BpfRequest& r) { r.command = 0x101; }},
      {"cmd_flags", [](BpfRequest& r) { r.command_flags = 1; }},
      {"cmd_flags high", [](BpfRequest& r) { r.command_flags = 0x8000; }},
      {"resv", [](BpfRequest& r) { r.resv = 1; }},
      {"opcode 256+45", [](BpfRequest& r) { r.filter.opcode = 256 + kSocket; }},
      {"opcode ~0", [](BpfRequest& r) { r.filter.opcode = ~0U; }},
      {"flags 4", [](BpfRequest& r) { r.filter.flags = 4; }},
      {"flags 5", [](BpfRequest& r) { r.filter.flags = 5; }},
      {"flags high", [](BpfRequest& r) { r.filter.flags = 1U << 31; }},
      {"filter resv 0", [](BpfRequest& r) { r.filter.resv[0] = 1; }},
      {"filter resv 1", [](BpfRequest& r) { r.filter.resv[1] = 1; }},
      {"filter resv 2", [](BpfRequest& r) { r.filter.resv[2] = 0x80; }},
      {"resv2 0", [](BpfRequest& r) { r.filter.resv2[0] = 1; }},
      {"resv2 1", [](BpfRequest& r) { r.filter.resv2[1] = uint64_t{1} << 63; }},
      {"resv2 3", [](BpfRequest& r) { r.filter.resv2[3] = 1; }},
      {"resv2 4", [](BpfRequest& r) { r.filter.resv2[4] = uint64_t{1} << 32; }},
  }};
  Ring ring;
  for (const Variant& variant : variants) {
    BpfRequest request = RequestFor(kSocket, kDeny, 0, 7);
    variant.spoil(request);
    EXPECT_THAT(Register(ring, request), IsErrno(EINVAL)) << variant.name;
    EXPECT_EQ(request.filter.pdu_size, 7) << variant.name;
  }
  const UniqueFd socket(ring.Do(Socket()));
  EXPECT_TRUE(socket.IsOpen()) << "a refused filter was installed";
  BpfRequest good = RequestFor(kSocket, kDeny, 0, 7);
  EXPECT_EQ(Register(ring, good), 0);
  EXPECT_EQ(good.filter.pdu_size, 12);
  EXPECT_THAT(ring.Do(Socket()), IsErrno(EACCES));
}

KASSAY_CASE(FilterRegistration, LengthIsBounded, Cites("IOU-064", "IOU-153")) {
  Ring ring;
  Program longest(BPF_MAXINSNS, Load(kUserDataWord));
  longest.back() = Return(0);
  BpfRequest too_long = RequestFor(kNop, longest);
  too_long.filter.length = BPF_MAXINSNS + 1;
  EXPECT_THAT(Register(ring, too_long), IsErrno(EINVAL));
  BpfRequest wrapping = RequestFor(kNop, kDeny);
  wrapping.filter.length = 0x10001;  // the low half alone would be this one instruction
  EXPECT_THAT(Register(ring, wrapping), IsErrno(EINVAL));
  too_long.filter.length = ~0U;
  EXPECT_THAT(Register(ring, too_long), IsErrno(EINVAL));
  too_long.filter.length = 0;
  EXPECT_THAT(Register(ring, too_long), IsErrno(EINVAL));
  EXPECT_EQ(ring.Do(Nop()), 0);
  EXPECT_EQ(Filter(kNop, longest).ApplyTo(ring), 0);
  EXPECT_THAT(ring.Do(Nop()), IsErrno(EACCES));
}

KASSAY_CASE(FilterRegistration, ProgramMustBeReadable, Cites("IOU-065", "IOU-153")) {
  Ring ring;
  BpfRequest request = RequestFor(kNop, kDeny, kDenyRest);
  request.filter.program = 0;
  EXPECT_THAT(Register(ring, request), IsErrno(EINVAL));
  request = RequestFor(kNop, kDeny, kDenyRest);
  request.filter.program = 8;
  EXPECT_THAT(Register(ring, request), IsErrno(EFAULT));
  EXPECT_EQ(ring.Do(Nop()), 0);
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EBADF)) << "DENY_REST of a refused filter";
}

struct SizeAnswer {
  unsigned op;
  uint8_t size;
  uint32_t flags;
  int result;
};

KASSAY_CASE(FilterRegistration, SizeMayBeSmallerUnlessStrictAndNeverLarger,
            Cites("IOU-066", "IOU-067", "IOU-070")) {
  const std::array<SizeAnswer, 24> answers{{
      {kSocket, 12, 0, 0},
      {kSocket, 12, kSizeStrict, 0},
      {kSocket, 0, 0, 0},
      {kSocket, 11, 0, 0},
      {kSocket, 0, kSizeStrict, -EMSGSIZE},
      {kSocket, 11, kSizeStrict, -EMSGSIZE},
      {kSocket, 13, 0, -EMSGSIZE},
      {kSocket, 13, kSizeStrict, -EMSGSIZE},
      {kSocket, 255, 0, -EMSGSIZE},
      {kSocket, 12, kSizeStrict | kDenyRest, 0},
      {kOpenAt, 24, kSizeStrict, 0},
      {kOpenAt, 12, kSizeStrict, -EMSGSIZE},
      {kOpenAt, 12, 0, 0},
      {kOpenAt, 25, 0, -EMSGSIZE},
      {kOpenAt2, 24, kSizeStrict, 0},
      {kOpenAt2, 23, kSizeStrict, -EMSGSIZE},
      {kOpenAt2, 23, 0, 0},
      {kOpenAt2, 25, 0, -EMSGSIZE},
      {kNop, 0, kSizeStrict, 0},
      {kNop, 0, 0, 0},
      {kNop, 1, 0, -EMSGSIZE},
      {kNop, 1, kSizeStrict, -EMSGSIZE},
      {kNop, 24, 0, -EMSGSIZE},
      {kClose, 12, 0, -EMSGSIZE},
  }};
  for (const SizeAnswer& answer : answers) {
    const Ring ring;
    BpfRequest request = RequestFor(answer.op, kAllow, answer.flags, answer.size);
    EXPECT_EQ(Register(ring, request), answer.result)
        << "request " << answer.op << ", size " << +answer.size << ", flags " << answer.flags;
    const int kernel_size = answer.op == kSocket                       ? 12
                            : answer.op == kNop || answer.op == kClose ? 0
                                                                       : 24;
    EXPECT_EQ(request.filter.pdu_size, kernel_size);
  }
}

KASSAY_CASE(FilterRegistration, WrongSizeInstallsNothing, Cites("IOU-066", "IOU-153")) {
  Ring ring;
  EXPECT_THAT(Filter(kNop, DenyAll()).Strict(1).DenyRest().ApplyTo(ring), IsErrno(EMSGSIZE));
  EXPECT_EQ(ring.Do(Nop()), 0);
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EBADF));
}

KASSAY_CASE(FilterRegistration, SizeIsAllThatIsWrittenBack, Cites("IOU-067")) {
  const Ring ring;
  BpfRequest request = RequestFor(kSocket, kAllow, kDenyRest, 3);
  const BpfRequest before = request;
  ASSERT_EQ(Register(ring, request), 0);
  EXPECT_EQ(request.filter.pdu_size, 12);
  request.filter.pdu_size = before.filter.pdu_size;
  EXPECT_EQ(std::memcmp(&request, &before, sizeof request), 0);
}

KASSAY_CASE(FilterRegistration, SizeIsCheckedBeforeTheProgram, Cites("IOU-068", "IOU-067")) {
  const Ring ring;
  BpfRequest request = RequestFor(kSocket, kAllow, 0, 13);
  request.filter.program = 8;
  EXPECT_THAT(Register(ring, request), IsErrno(EMSGSIZE));
  EXPECT_EQ(request.filter.pdu_size, 12);
  request = RequestFor(kSocket, kAllow, 0, 0);
  request.filter.program = 8;
  EXPECT_THAT(Register(ring, request), IsErrno(EFAULT));
  EXPECT_EQ(request.filter.pdu_size, 12);
}

KASSAY_CASE(FilterRegistration, ArgumentMustBeWritable, Cites("IOU-069", "IOU-153")) {
  Ring ring;
  const Mapping page(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
  const BpfRequest request = RequestFor(kClose, kDeny, kDenyRest);
  std::memcpy(page.At(0), &request, sizeof request);
  ASSERT_EQ(mprotect(page.At(0), 4096, PROT_READ), 0);
  EXPECT_THAT(ring.Register(kRegisterBpfFilter, page.At(0), 1), IsErrno(EFAULT));
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EBADF));
  EXPECT_EQ(ring.Do(Nop()), 0);
}

KASSAY_CASE(FilterRegistration, ConnectHasDataOrSize0, Cites("IOU-071")) {
  const Ring ring;
  BpfRequest request = RequestFor(kConnect, kAllow, kSizeStrict, 24);
  const int result = Register(ring, request);
  RecordEvidence("size of CONNECT's data", std::to_string(request.filter.pdu_size));
  if (result == 0) {
    EXPECT_EQ(request.filter.pdu_size, 24);
    EXPECT_THAT(Filter(kConnect, kAllow).Strict(0).ApplyTo(ring), IsErrno(EMSGSIZE));
  } else {
    EXPECT_THAT(result, IsErrno(EMSGSIZE));
    EXPECT_EQ(request.filter.pdu_size, 0);
    EXPECT_EQ(Filter(kConnect, kAllow).Strict(0).ApplyTo(ring), 0);
  }
}

KASSAY_CASE(FilterRegistration, EveryRequestTakesOneWithItsOwnSize, Cites("IOU-072", "IOU-070")) {
  QueryOpcodes kernel{};
  ASSERT_EQ(QueryKernel(&kernel), 0);
  ASSERT_GE(kernel.request_opcodes, kOpCount70);
  for (unsigned op = 0; op < kOpCount70; ++op) {
    const Ring ring;
    BpfRequest request = RequestFor(op, kAllow);
    EXPECT_EQ(Register(ring, request), 0) << op;
    if (op == kConnect) continue;
    const int size = op == kSocket ? 12 : op == kOpenAt || op == kOpenAt2 ? 24 : 0;
    EXPECT_EQ(request.filter.pdu_size, size) << op;
  }
  const Ring ring;
  EXPECT_EQ(Filter(kernel.request_opcodes - 1, kAllow).ApplyTo(ring), 0);
  EXPECT_THAT(Filter(kernel.request_opcodes, kAllow).ApplyTo(ring), IsErrno(EINVAL));
  EXPECT_THAT(InChild([&] { return Filter(kernel.request_opcodes, AllowAll()).ApplyToTask(); }),
              Returned(IsErrno(EINVAL)));
}

KASSAY_CASE(FilterRegistration, NeedsARing, Cites("IOU-073")) {
  BpfRequest request = RequestFor(kNop, kDeny);
  const UniqueFd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_THAT(RegisterCall(file.Get(), kRegisterBpfFilter, &request, 1), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(RegisterCall(999, kRegisterBpfFilter, &request, 1), IsErrno(EBADF));
  EXPECT_THAT(RegisterCall(-2, kRegisterBpfFilter, &request, 1), IsErrno(EBADF));
}

KASSAY_CASE(FilterRegistration, ReachesARegisteredRingByItsIndex, Cites("IOU-074", "IOU-150")) {
  EXPECT_THAT(InChild([] {
                // Descriptor 0 and index 0 must not be confused.
                const UniqueFd file(open("/proc/self/exe", O_RDONLY));
                if (dup2(file.Get(), 0) != 0) return Seen<6>{1};
                Ring ring;
                RingFdUpdate update{.offset = 0, .data = static_cast<uint64_t>(ring.Fd())};
                if (ring.Register(kRegisterRingFds, &update, 1) != 1) return Seen<6>{2};
                BpfRequest request = RequestFor(kNop, kDeny);
                constexpr uint32_t kByIndex = kRegisterBpfFilter | kUseRegisteredRing;
                const int by_descriptor = RegisterCall(0, kRegisterBpfFilter, &request, 1);
                const int before = ring.Do(Nop());
                const int empty_index = RegisterCall(1, kByIndex, &request, 1);
                const int beyond = RegisterCall(16, kByIndex, &request, 1);
                const int by_index = RegisterCall(0, kByIndex, &request, 1);
                return Seen<6>{by_descriptor, before,   empty_index,
                               beyond,        by_index, ring.Do(Nop())};
              }),
              Returned(ElementsAre(IsErrno(EOPNOTSUPP), 0, IsErrno(EBADF), IsErrno(EINVAL), 0,
                                   IsErrno(EACCES))));
}

KASSAY_CASE(FilterRegistration, BelongsToTheOneIssuer, Cites("IOU-075")) {
  const auto from_another_thread = [](const Ring& ring) {
    int result = 1;
    std::thread([&] { result = DenyOn(ring, kNop); }).join();
    return result;
  };
  Ring issued({.flags = kSingleIssuer});
  EXPECT_THAT(from_another_thread(issued), IsErrno(EEXIST));
  EXPECT_EQ(issued.Do(Nop()), 0);
  EXPECT_EQ(DenyOn(issued, kNop), 0);
  EXPECT_THAT(issued.Do(Nop()), IsErrno(EACCES));

  Ring disabled({.flags = kSingleIssuer | kDisabled});
  EXPECT_EQ(from_another_thread(disabled), 0);
  ASSERT_EQ(disabled.Enable(), 0);
  EXPECT_THAT(disabled.Do(Nop()), IsErrno(EACCES));
  EXPECT_THAT(from_another_thread(disabled), IsErrno(EEXIST));

  Ring shared;
  EXPECT_EQ(from_another_thread(shared), 0);
  EXPECT_THAT(shared.Do(Nop()), IsErrno(EACCES));
}

}  // namespace
}  // namespace kassay::uring
