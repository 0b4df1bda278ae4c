// What a filter sees of a request. Requests that would succeed get a descriptor that does not exist
// or a path that does not, so that nothing happens and the result is never EACCES by itself.
#include <arpa/inet.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "suites/io_uring/context_observer.h"
#include "suites/io_uring/filter.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

using ::testing::ElementsAre;

constexpr const char* kMissing = "/kassay/does/not/exist";

Ring Observing(unsigned op) {
  Ring ring;
  EXPECT_EQ(Filter(op, SelectedBit()).ApplyTo(ring), 0);
  return ring;
}

// Two words as they lie in memory.
std::array<uint32_t, 2> Halves(uint64_t value) {
  std::array<uint32_t, 2> words{};
  std::memcpy(words.data(), &value, sizeof value);
  return words;
}

KASSAY_CASE(FilterContext, ShowsAllOfUserData, Cites("IOU-093")) {
  constexpr uint64_t kTag = 0x0102030405060708;
  const auto [first, second] = Halves(kTag);
  for (const uint64_t other : {uint64_t{0x0102030405060709}, uint64_t{0x8102030405060708},
                               uint64_t{0x0102030305060708}, uint64_t{0x0102030485060708}}) {
    Ring ring;
    ASSERT_EQ(Filter(kNop, {Load(0), Jump(BPF_JEQ | BPF_K, first, 0, 3), Load(4),
                            Jump(BPF_JEQ | BPF_K, second, 0, 1), Return(1), Return(0)})
                  .ApplyTo(ring),
              0);
    EXPECT_EQ(ring.Do(Tagged(Nop(), kTag)), 0);
    EXPECT_THAT(ring.Do(Tagged(Nop(), other)), IsErrno(EACCES)) << std::hex << other;
  }
}

KASSAY_CASE(FilterContext, ShowsTheSecondWordOfUserDataBitByBit, Cites("IOU-093")) {
  Ring ring = Observing(kNop);
  uint64_t tag = 0;
  constexpr uint32_t kPattern = 0xa5c31e78;
  std::memcpy(reinterpret_cast<std::byte*>(&tag) + 4, &kPattern, sizeof kPattern);
  EXPECT_EQ(ObserveWord(ring, Tagged(Nop(), tag), 4), kPattern);
}

KASSAY_CASE(FilterContext, IsZeroWhereARequestFillsNothing, Cites("IOU-094", "IOU-097")) {
  Ring nop = Observing(kNop);
  EXPECT_THAT(ObserveTail(nop, Nop()), ElementsAre(HeadWord(kNop, 0, 0), 0, 0, 0, 0, 0, 0, 0));
  Ring read = Observing(kRead);
  char buffer[8];
  EXPECT_THAT(ObserveTail(read, Read(-1, buffer, sizeof buffer)),
              ElementsAre(HeadWord(kRead, 0, 0), 0, 0, 0, 0, 0, 0, 0));
}

// The context lies on the kernel's stack: what the filter of an earlier request saw must not shine
// through.
KASSAY_CASE(FilterContext, ShowsNothingOfEarlierRequests, Cites("IOU-094")) {
  open_how poison{.flags = ~uint64_t{0}, .mode = ~uint64_t{0}, .resolve = ~uint64_t{0}};
  Ring ring = Observing(kNop);
  ASSERT_EQ(Filter(kOpenAt2, AllowAll()).ApplyTo(ring), 0);
  ASSERT_EQ(Filter(kSocket, SelectedBit()).ApplyTo(ring), 0);
  const auto submit_poison = [&] { ring.Do(Tagged(OpenAt2(kMissing, &poison), ~uint64_t{0})); };
  EXPECT_THAT(ObserveTail(ring, Nop(), submit_poison),
              ElementsAre(HeadWord(kNop, 0, 0), 0, 0, 0, 0, 0, 0, 0));
  // No such family, hence no socket: EAFNOSUPPORT.
  EXPECT_THAT(ObserveTail(ring, Socket(0x7f, 3, 0x55), submit_poison),
              ElementsAre(HeadWord(kSocket, 0, 12), 0, 0x7f, 3, 0x55, 0, 0, 0));
}

KASSAY_CASE(FilterContext, ShowsFamilyTypeAndProtocolOfASocket, Cites("IOU-098")) {
  Ring ring = Observing(kSocket);
  EXPECT_THAT(ObserveTail(ring, Socket(0x7f, SOCK_STREAM, 6)),
              ElementsAre(HeadWord(kSocket, 0, 12), 0, 0x7f, SOCK_STREAM, 6, 0, 0, 0));
  EXPECT_THAT(
      ObserveTail(ring, Socket(-2, SOCK_SEQPACKET, -3)),
      ElementsAre(HeadWord(kSocket, 0, 12), 0, 0xfffffffe, SOCK_SEQPACKET, 0xfffffffd, 0, 0, 0));
}

KASSAY_CASE(FilterContext, ShowsTheTypeOfASocketWithoutItsFlags, Cites("IOU-098")) {
  Ring ring = Observing(kSocket);
  EXPECT_EQ(ObserveWord(ring, Socket(0x7f, SOCK_STREAM | SOCK_CLOEXEC), 20), SOCK_STREAM);
  EXPECT_EQ(ObserveWord(ring, Socket(0x7f, SOCK_DGRAM | SOCK_NONBLOCK), 20), SOCK_DGRAM);
}

// The same as a policy has it: no stream sockets, but datagrams.
KASSAY_CASE(FilterContext, RuleOnTheTypeOfASocketCannotBeDodged, Cites("IOU-098")) {
  Ring ring;
  ASSERT_EQ(Filter(kSocket, DenyIfWord(20, SOCK_STREAM)).Strict(12).ApplyTo(ring), 0);
  EXPECT_THAT(ring.Do(Socket(AF_UNIX, SOCK_STREAM)), IsErrno(EACCES));
  EXPECT_TRUE(UniqueFd(ring.Do(Socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC))).IsOpen());
  const UniqueFd dodged(ring.Do(Socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)));
  EXPECT_FALSE(dodged.IsOpen()) << "with CLOEXEC";
}

// Flags, mode and resolve as the filter of OPENAT or OPENAT2 sees them.
struct SeenOpen {
  uint64_t flags, mode, resolve;
  bool operator==(const SeenOpen&) const = default;
  friend std::ostream& operator<<(std::ostream& os, const SeenOpen& seen) {
    return os << std::hex << "flags " << seen.flags << " mode " << seen.mode << " resolve "
              << seen.resolve;
  }
};
SeenOpen ObserveOpen(const Sqe& request) {
  Ring ring = Observing(request.opcode);
  const ContextTail tail = ObserveTail(ring, request);
  EXPECT_EQ(tail[1], 0U);
  SeenOpen seen{};
  std::memcpy(&seen, &tail[2], sizeof seen);
  return seen;
}

// x86-64's numbers; O_LARGEFILE is 0 in user space there, and 0x8000 in the kernel.
constexpr uint64_t kLargeFile = 0x8000;

KASSAY_CASE(FilterContext, ShowsNormalisedArgumentsOfOpenAt, Cites("IOU-099")) {
  EXPECT_EQ(ObserveOpen(OpenAt(kMissing, O_RDONLY, 0777)), (SeenOpen{kLargeFile, 0, 0}));
  EXPECT_EQ(ObserveOpen(OpenAt(kMissing, O_WRONLY | O_APPEND | O_NOFOLLOW)),
            (SeenOpen{kLargeFile | O_WRONLY | O_APPEND | O_NOFOLLOW, 0, 0}));
  EXPECT_EQ(ObserveOpen(OpenAt(kMissing, O_PATH | O_RDWR, 0640)), (SeenOpen{O_PATH, 0, 0}));
  EXPECT_EQ(ObserveOpen(OpenAt(kMissing, static_cast<int>(0x80000000), 0)),
            (SeenOpen{kLargeFile, 0, 0}));
}

KASSAY_CASE(FilterContext, ShowsTheModeOfOpenAtWhereItMayCreate, Cites("IOU-099").Timeout(60)) {
  EXPECT_EQ(ObserveOpen(OpenAt(kMissing, O_RDWR | O_CREAT | O_CLOEXEC, 0170640)),
            (SeenOpen{kLargeFile | O_RDWR | O_CREAT | O_CLOEXEC, 0640, 0}));
}

KASSAY_CASE(FilterContext, ShowsArgumentsOfOpenAt2Unchanged, Cites("IOU-100")) {
  const open_how how{.flags = 0x123400000000, .mode = 0xffff, .resolve = 0xff00};
  EXPECT_EQ(ObserveOpen(OpenAt2(kMissing, &how)),
            (SeenOpen{0x123400000000 | kLargeFile, 0xffff, 0xff00}));
  const open_how wide{
      .flags = O_PATH | uint64_t{1} << 63, .mode = uint64_t{1} << 40, .resolve = uint64_t{1} << 63};
  EXPECT_EQ(ObserveOpen(OpenAt2(kMissing, &wide)),
            (SeenOpen{O_PATH | uint64_t{1} << 63, uint64_t{1} << 40, uint64_t{1} << 63}));
}

KASSAY_CASE(FilterContext, LetsAPolicyOpenForReadingOnly, Cites("IOU-099", "IOU-100")) {
  Ring ring;
  for (const uint8_t op : {kOpenAt, kOpenAt2}) {
    const Program read_only{Load(kDataWord),
                            Statement(BPF_ALU | BPF_AND | BPF_K, O_ACCMODE | O_CREAT),
                            Jump(BPF_JEQ | BPF_K, O_RDONLY, 0, 1), Return(1), Return(0)};
    ASSERT_EQ(Filter(op, read_only).Strict(24).ApplyTo(ring), 0);
  }
  open_how reading{.flags = O_RDONLY};
  open_how writing{.flags = O_RDWR};
  EXPECT_TRUE(UniqueFd(ring.Do(OpenAt("/proc/self/exe", O_RDONLY))).IsOpen());
  EXPECT_TRUE(UniqueFd(ring.Do(OpenAt2("/proc/self/exe", &reading))).IsOpen());
  EXPECT_THAT(ring.Do(OpenAt("/dev/null", O_RDWR)), IsErrno(EACCES));
  EXPECT_THAT(ring.Do(OpenAt2("/dev/null", &writing)), IsErrno(EACCES));
}

ContextTail ObserveConnect(const void* address, uint32_t size, bool poison = false) {
  Ring ring = Observing(kConnect);
  sockaddr_in6 full{};
  std::memset(&full, 0xff, sizeof full);
  full.sin6_family = AF_INET6;
  const auto submit_poison = [&] {
    ring.Do(Tagged(Connect(-1, &full, sizeof full), ~uint64_t{0}));
  };
  return poison ? ObserveTail(ring, Connect(-1, address, size), submit_poison)
                : ObserveTail(ring, Connect(-1, address, size));
}

sockaddr_in Inet() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(0x1234);
  address.sin_addr.s_addr = htonl(0x7f000001);
  return address;
}
sockaddr_in6 Inet6() {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(0x1234);
  for (uint8_t i = 0; i < 16; ++i) address.sin6_addr.s6_addr[i] = static_cast<uint8_t>(0x10 + i);
  return address;
}
// A port in network order with its two bytes of padding, as a word.
uint32_t PortWord(uint16_t port) {
  const uint16_t halves[2] = {htons(port), 0};
  uint32_t word = 0;
  std::memcpy(&word, halves, sizeof word);
  return word;
}
const uint32_t kConnectHead = HeadWord(kConnect, 0, 24);

KASSAY_CASE(FilterContext, ShowsAnIpv4Address, Cites("IOU-101")) {
  const sockaddr_in address = Inet();
  EXPECT_THAT(ObserveConnect(&address, sizeof address),
              ElementsAre(kConnectHead, 0, AF_INET, PortWord(0x1234), htonl(0x7f000001), 0, 0, 0));
}

KASSAY_CASE(FilterContext, ShowsAnIpv6Address, Cites("IOU-101")) {
  const sockaddr_in6 address = Inet6();
  std::array<uint32_t, 4> words{};
  std::memcpy(words.data(), &address.sin6_addr, sizeof words);
  EXPECT_THAT(ObserveConnect(&address, sizeof address),
              ElementsAre(kConnectHead, 0, AF_INET6, PortWord(0x1234), words[0], words[1], words[2],
                          words[3]));
}

KASSAY_CASE(FilterContext, ShowsAShortIpv6Address, Cites("IOU-155")) {
  const sockaddr_in6 address = Inet6();
  std::array<uint32_t, 4> words{};
  std::memcpy(words.data(), &address.sin6_addr, sizeof words);
  EXPECT_THAT(ObserveConnect(&address, 24), ElementsAre(kConnectHead, 0, AF_INET6, PortWord(0x1234),
                                                        words[0], words[1], words[2], words[3]));
}

KASSAY_CASE(FilterContext, ShowsOnlyTheFamilyOfATruncatedAddress, Cites("IOU-101")) {
  const sockaddr_in address = Inet();
  const sockaddr_in6 address6 = Inet6();
  for (const uint32_t size : {2U, 8U, 15U}) {
    EXPECT_THAT(ObserveConnect(&address, size),
                ElementsAre(kConnectHead, 0, AF_INET, 0, 0, 0, 0, 0))
        << size;
  }
  EXPECT_THAT(ObserveConnect(&address6, 23), ElementsAre(kConnectHead, 0, AF_INET6, 0, 0, 0, 0, 0));
}

KASSAY_CASE(FilterContext, ShowsNothingOfAnAddressThatIsNotThere, Cites("IOU-101", "IOU-094")) {
  const sockaddr_in address = Inet();
  for (const uint32_t size : {0U, 1U}) {
    EXPECT_THAT(ObserveConnect(&address, size, true),
                ElementsAre(kConnectHead, 0, 0, 0, 0, 0, 0, 0))
        << size;
  }
  EXPECT_THAT(ObserveConnect(&address, 2, true),
              ElementsAre(kConnectHead, 0, AF_INET, 0, 0, 0, 0, 0));
  sockaddr other{};
  other.sa_family = AF_UNIX;
  std::memset(other.sa_data, 'x', sizeof other.sa_data);
  EXPECT_THAT(ObserveConnect(&other, sizeof other, true),
              ElementsAre(kConnectHead, 0, AF_UNIX, 0, 0, 0, 0, 0));
}

}  // namespace
}  // namespace kassay::uring
