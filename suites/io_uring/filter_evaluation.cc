// What a filter's verdict means for the request: stacking on one opcode, DENY_REST, the place of
// the filter between preparation and execution.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstring>
#include <filesystem>
#include <string>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

using ::testing::ElementsAre;

template <size_t N>
using Seen = std::array<int, N>;

// A path in /tmp that does not exist; removed afterwards if a case made it exist.
class AbsentPath {
 public:
  explicit AbsentPath(const char* name) : path_(std::string("/tmp/kassay-iou-") + name) {
    Remove();
  }
  AbsentPath(const AbsentPath&) = delete;
  AbsentPath& operator=(const AbsentPath&) = delete;
  ~AbsentPath() { Remove(); }
  [[nodiscard]] const char* Get() const { return path_.c_str(); }
  [[nodiscard]] bool Exists() const { return access(path_.c_str(), F_OK) == 0; }

 private:
  void Remove() const {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path_;
};

// With `value` in the first word of user_data, as the programs of AllowIfWord see it.
Sqe NopWithWord(uint32_t value) {
  Sqe nop = Nop();
  std::memcpy(&nop.user_data, &value, sizeof value);
  return nop;
}

KASSAY_CASE(FilterStack, AllOfAnOpcodeMustAllow, Cites("IOU-083")) {
  Ring newest_allows;
  ASSERT_EQ(DenyOn(newest_allows, kNop), 0);
  ASSERT_EQ(Filter(kNop, AllowAll()).ApplyTo(newest_allows), 0);
  EXPECT_THAT(newest_allows.Do(Nop()), IsErrno(EACCES)) << "only the newest ran";

  Ring oldest_allows;
  ASSERT_EQ(Filter(kNop, AllowAll()).ApplyTo(oldest_allows), 0);
  EXPECT_EQ(oldest_allows.Do(Nop()), 0);
  ASSERT_EQ(DenyOn(oldest_allows, kNop), 0);
  EXPECT_THAT(oldest_allows.Do(Nop()), IsErrno(EACCES)) << "only the oldest ran";
}

KASSAY_CASE(FilterStack, EachOfManyCanDeny, Cites("IOU-083")) {
  Ring ring;
  for (const uint32_t value : {1U, 2U, 3U}) {
    ASSERT_EQ(Filter(kNop, DenyIfWord(kUserDataWord, value)).ApplyTo(ring), 0);
  }
  EXPECT_EQ(ring.Do(NopWithWord(0)), 0);
  EXPECT_THAT(ring.Do(NopWithWord(1)), IsErrno(EACCES)) << "the first of three";
  EXPECT_THAT(ring.Do(NopWithWord(2)), IsErrno(EACCES)) << "the middle one";
  EXPECT_THAT(ring.Do(NopWithWord(3)), IsErrno(EACCES)) << "the last";
  EXPECT_EQ(ring.Do(NopWithWord(4)), 0);
}

// Whatever a filter allows with, the older ones are asked as well.
KASSAY_CASE(FilterStack, NoVerdictEndsTheWalkButDenial, Cites("IOU-083", "IOU-080")) {
  for (const uint32_t verdict : {1U, 2U, 0x100U, 0x7fff0000U, 0x80000000U, ~0U}) {
    Ring ring;
    ASSERT_EQ(DenyOn(ring, kNop), 0);
    ASSERT_EQ(Filter(kNop, Always(verdict)).ApplyTo(ring), 0);
    EXPECT_THAT(ring.Do(Nop()), IsErrno(EACCES)) << "above a denial: " << verdict;
    Ring allowing;
    ASSERT_EQ(Filter(kNop, Always(verdict)).ApplyTo(allowing), 0);
    EXPECT_EQ(allowing.Do(Nop()), 0) << verdict;
  }
}

KASSAY_CASE(FilterStack, ThatAllAllowAllows, Cites("IOU-083")) {
  Ring ring;
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Filter(kNop, AllowAll()).ApplyTo(ring), 0);
  EXPECT_EQ(ring.Do(Nop()), 0);
}

// On the task: the stack is copied whole to the rings, and a stacked filter keeps the older ones.
KASSAY_CASE(FilterStack, OfATaskIsKeptWhole, Cites("IOU-083", "IOU-120")) {
  EXPECT_THAT(InChild([] {
                for (const uint32_t value : {1U, 2U}) {
                  if (Filter(kNop, DenyIfWord(kUserDataWord, value)).ApplyToTask() != 0)
                    return Seen<5>{1};
                }
                Ring ring;
                const int third = Filter(kNop, DenyIfWord(kUserDataWord, 3)).ApplyTo(ring);
                return Seen<5>{third, ring.Do(NopWithWord(1)), ring.Do(NopWithWord(2)),
                               ring.Do(NopWithWord(3)), ring.Do(NopWithWord(4))};
              }),
              Returned(ElementsAre(0, IsErrno(EACCES), IsErrno(EACCES), IsErrno(EACCES), 0)));
}

KASSAY_CASE(Filter, CoversItsOpcodeOnly, Cites("IOU-084")) {
  Ring ring;
  open_how how{.flags = O_RDONLY};
  ASSERT_EQ(DenyOn(ring, kOpenAt), 0);
  EXPECT_THAT(ring.Do(OpenAt("/proc/self/exe", O_RDONLY)), IsErrno(EACCES));
  const UniqueFd opened(ring.Do(OpenAt2("/proc/self/exe", &how)));
  EXPECT_TRUE(opened.IsOpen());
  EXPECT_EQ(ring.Do(Nop()), 0);
  ASSERT_EQ(DenyOn(ring, kNop), 0);
  const UniqueFd socket(ring.Do(Socket()));
  EXPECT_TRUE(socket.IsOpen());
}

KASSAY_CASE(Filter, OpcodeItSeesIsItsOwn, Cites("IOU-084", "IOU-093")) {
  for (const Sqe& request : {Nop(), CloseNothing(), Read(-1, nullptr, 0)}) {
    Ring ring;
    const Program opcode_matches{Load(kHeadWord), Statement(BPF_ALU | BPF_AND | BPF_K, 0xff),
                                 Jump(BPF_JEQ | BPF_K, request.opcode, 0, 1), Return(1), Return(0)};
    static_assert(std::endian::native == std::endian::little, "the opcode is the lowest byte");
    ASSERT_EQ(Filter(request.opcode, opcode_matches).ApplyTo(ring), 0);
    EXPECT_NE(ring.Do(request), -EACCES) << +request.opcode;
  }
}

KASSAY_CASE(DenyRest, ClosesWhatHasNoFilterAndLeavesWhatHas, Cites("IOU-085")) {
  Ring ring;
  ASSERT_EQ(Filter(kClose, AllowAll()).ApplyTo(ring), 0);
  EXPECT_TRUE(UniqueFd(ring.Do(Socket())).IsOpen());
  ASSERT_EQ(Filter(kNop, AllowAll()).DenyRest().ApplyTo(ring), 0);
  EXPECT_EQ(ring.Do(Nop()), 0);
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EBADF));
  EXPECT_THAT(ring.Do(Socket()), IsErrno(EACCES));
  EXPECT_THAT(ring.Do(OpenAt("/proc/self/exe", O_RDONLY)), IsErrno(EACCES));
}

KASSAY_CASE(DenyRest, IsNotImplied, Cites("IOU-085")) {
  Ring ring;
  ASSERT_EQ(Filter(kNop, AllowAll()).Strict(0).ApplyTo(ring), 0);
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EBADF));
  EXPECT_TRUE(UniqueFd(ring.Do(Socket())).IsOpen());
}

KASSAY_CASE(DenyRest, KeepsTheVerdictOfEarlierFilters, Cites("IOU-085")) {
  Ring ring;
  ASSERT_EQ(DenyOn(ring, kClose), 0);
  ASSERT_EQ(Filter(kSocket, DenyIfWord(kDataWord, AF_INET)).ApplyTo(ring), 0);
  ASSERT_EQ(Filter(kNop, AllowAll()).DenyRest().ApplyTo(ring), 0);
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EACCES));
  EXPECT_THAT(ring.Do(Socket(AF_INET)), IsErrno(EACCES));
  EXPECT_TRUE(UniqueFd(ring.Do(Socket(AF_UNIX))).IsOpen());
}

KASSAY_CASE(DenyRest, CannotBeReopened, Cites("IOU-087")) {
  Ring ring;
  ASSERT_EQ(Filter(kNop, AllowAll()).DenyRest().ApplyTo(ring), 0);
  EXPECT_EQ(Filter(kSocket, AllowAll()).ApplyTo(ring), 0);
  EXPECT_THAT(ring.Do(Socket()), IsErrno(EACCES));
  EXPECT_EQ(Filter(kSocket, AllowAll()).DenyRest().ApplyTo(ring), 0);
  EXPECT_THAT(ring.Do(Socket()), IsErrno(EACCES));
  EXPECT_EQ(ring.Do(Nop()), 0);
}

KASSAY_CASE(DenyRest, GoesWithADenyingProgram, Cites("IOU-088")) {
  Ring ring;
  ASSERT_EQ(Filter(kNop, DenyAll()).DenyRest().ApplyTo(ring), 0);
  EXPECT_THAT(ring.Do(Nop()), IsErrno(EACCES));
  EXPECT_THAT(ring.Do(CloseNothing()), IsErrno(EACCES));
}

KASSAY_CASE(DenyRest, OfATaskHoldsOnItsRingsAndBelowFurtherFilters, Cites("IOU-087", "IOU-120")) {
  EXPECT_THAT(InChild([] {
                if (Filter(kNop, AllowAll()).DenyRest().ApplyToTask() != 0) return Seen<5>{1};
                Ring plain;
                Ring stacked;
                const int reopen = Filter(kClose, AllowAll()).ApplyTo(stacked);
                return Seen<5>{plain.Do(Nop()), plain.Do(CloseNothing()), reopen,
                               stacked.Do(CloseNothing()), stacked.Do(Socket())};
              }),
              Returned(ElementsAre(0, IsErrno(EACCES), 0, IsErrno(EACCES), IsErrno(EACCES))));
}

KASSAY_CASE(Filter, ErrorsOfPreparationWin, Cites("IOU-090")) {
  Ring ring;
  for (const uint8_t op : {kOpenAt, kSocket, kClose, kNop, kTimeout})
    ASSERT_EQ(DenyOn(ring, op), 0);
  EXPECT_THAT(ring.Do(OpenAt(reinterpret_cast<const char*>(8), O_RDONLY)), IsErrno(EFAULT));
  Sqe request = Socket();
  request.addr = 5;
  EXPECT_THAT(ring.Do(request), IsErrno(EINVAL));
  request = Socket();
  request.ioprio = 5;
  EXPECT_THAT(ring.Do(request), IsErrno(EINVAL));
  request = Nop();
  request.personality = 99;
  EXPECT_THAT(ring.Do(request), IsErrno(EINVAL));
  EXPECT_THAT(ring.Do(WithFlags(CloseNothing(), kBufferSelect)), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(ring.Do(WithFlags(Nop(), kInvalidSqeFlag)), IsErrno(EINVAL));
  EXPECT_THAT(ring.Do({.opcode = 200}), IsErrno(EINVAL));
  const __kernel_timespec second{1, 0};
  request = Timeout(&second);
  request.addr3 = 1;  // an unused field
  EXPECT_THAT(ring.Do(request), IsErrno(EINVAL));
  EXPECT_THAT(ring.Do(Timeout(&second)), IsErrno(EACCES)) << "well-formed, and denied";
}

KASSAY_CASE(Filter, DeniedRequestsHaveNoEffect, Cites("IOU-091")) {
  const AbsentPath file("file");
  const AbsentPath directory("directory");
  Ring ring;
  for (const uint8_t op : {kOpenAt, kMkdirAt, kWrite, kMsgRing, kPipe})
    ASSERT_EQ(DenyOn(ring, op), 0);
  EXPECT_THAT(ring.Do(OpenAt(file.Get(), O_CREAT | O_RDWR, 0600)), IsErrno(EACCES));
  EXPECT_FALSE(file.Exists());
  EXPECT_THAT(ring.Do(OpenAt(file.Get(), O_RDONLY)), IsErrno(EACCES)) << "of a missing file";
  EXPECT_THAT(ring.Do(MkdirAt(directory.Get())), IsErrno(EACCES));
  EXPECT_FALSE(directory.Exists());

  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  EXPECT_THAT(ring.Do(Write(writing.Get(), "x", 1)), IsErrno(EACCES));
  char byte = 0;
  EXPECT_THAT(read(reading.Get(), &byte, 1), SyscallFailsWithErrno(EAGAIN));

  Ring target;
  EXPECT_THAT(ring.Do(MsgRing(target.Fd(), 1, 2)), IsErrno(EACCES));
  EXPECT_FALSE(target.Reap());

  int new_pipe[2] = {-7, -7};
  EXPECT_THAT(ring.Do(PipeRequest(&new_pipe)), IsErrno(EACCES));
  EXPECT_THAT(new_pipe, ElementsAre(-7, -7));
}

KASSAY_CASE(Filter, AllowedRequestsHaveTheirEffect, Cites("IOU-091")) {
  const AbsentPath file("file");
  const AbsentPath directory("directory");
  Ring ring;
  for (const uint8_t op : {kOpenAt, kMkdirAt, kMsgRing}) {
    ASSERT_EQ(Filter(op, AllowAll()).ApplyTo(ring), 0);
  }
  EXPECT_TRUE(UniqueFd(ring.Do(OpenAt(file.Get(), O_CREAT | O_RDWR, 0600))).IsOpen());
  EXPECT_TRUE(file.Exists());
  EXPECT_EQ(ring.Do(MkdirAt(directory.Get())), 0);
  EXPECT_TRUE(directory.Exists());
  Ring target;
  EXPECT_EQ(ring.Do(MsgRing(target.Fd(), 1, 2)), 0);
  const auto message = target.Wait();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->res, 2);
}

// What OPENAT2 asks for is nonsense, and yet the denial comes first; without the filter it is
// EINVAL.
KASSAY_CASE(Filter, DeniesOpenAt2BeforeItsArgumentIsJudged, Cites("IOU-092")) {
  open_how nonsense{.flags = 0x123400000000, .mode = 0xffff, .resolve = 0xff00};
  Ring ring;
  EXPECT_THAT(ring.Do(OpenAt2("/proc/self/exe", &nonsense)), IsErrno(EINVAL));
  ASSERT_EQ(DenyOn(ring, kOpenAt2), 0);
  EXPECT_THAT(ring.Do(OpenAt2("/proc/self/exe", &nonsense)), IsErrno(EACCES));
}

KASSAY_CASE(Filter, DoesNotSeeMessagesWithoutARing, Cites("IOU-086")) {
  EXPECT_THAT(InChild([] {
                Ring target;
                if (DenyOnTask(kMsgRing) != 0) return Seen<4>{1};
                const Sqe message = MsgRing(target.Fd(), 5, 42);
                const int by_request = Ring().Do(message);
                const int silent = target.Reap() ? 1 : 0;
                const int without_ring = RegisterRingless(kRegisterSendMsgRing, &message, 1);
                const auto arrived = target.Wait();
                return Seen<4>{by_request, silent, without_ring, arrived ? arrived->res : -1};
              }),
              Returned(ElementsAre(IsErrno(EACCES), 0, 0, 42)));
}

}  // namespace
}  // namespace kassay::uring
