// Descriptors of BPF objects that change hands: whoever receives one over a socket is judged again,
// by the mode of the descriptor (security/selinux/hooks.c:selinux_file_receive, bpf_fd_pass). A
// refused descriptor is cut off the message (net/core/scm.c:scm_detach_fds).
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "harness/base/unique_fd.h"
#include "suites/selinux_bpf_token/bpf_objects.h"
#include "suites/selinux_bpf_token/fd_passing.h"
#include "suites/selinux_bpf_token/policy.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::selinux {
namespace {

using ::testing::Eq;
using ::testing::IsEmpty;

enum class Object { kMap, kReadOnlyMap, kWriteOnlyMap, kProgram };

long Make(Object object) {
  switch (object) {
    case Object::kMap:
      return bpf::CreateMap(bpf::kMapTypeArray, bpf::kNoToken);
    case Object::kReadOnlyMap:
      return bpf::CreateMap(bpf::kMapTypeArray, bpf::kNoToken, 1, bpf::kFlagReadOnly);
    case Object::kWriteOnlyMap:
      return bpf::CreateMap(bpf::kMapTypeArray, bpf::kNoToken, 1, bpf::kFlagWriteOnly);
    case Object::kProgram:
      return bpf::LoadProgram(bpf::kProgTypeSocketFilter, bpf::kNoToken);
  }
  return -EINVAL;
}

struct Passed {
  long sent = 0;  // 0, or the errno of what came before
  bool arrived = false;
  bool cut_off = false;  // MSG_CTRUNC
  bool operator==(const Passed&) const = default;
};
void PrintTo(const Passed& passed, std::ostream* os) {
  *os << "sent: " << ErrnoName(static_cast<int>(-passed.sent))
      << (passed.arrived ? ", arrived" : ", did not arrive") << (passed.cut_off ? ", cut off" : "");
}
constexpr Passed kArrives{0, true, false};
constexpr Passed kIsCutOff{0, false, true};

// An object of grant_t's, sent, and received as `receiver`.
ChildResult<Passed> PassTo(const char* receiver, Object object) {
  return InChild([=] {
    int ends[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return Passed{-errno};
    const UniqueFd from(ends[0]);
    const UniqueFd to(ends[1]);
    if (const long error = Become("grant_t"); error != 0) return Passed{error};
    const long made = Make(object);
    if (made < 0) return Passed{made};
    const UniqueFd descriptor(static_cast<int>(made));
    char byte = 'x';
    if (const long error = SendWithFd(from.Get(), &byte, 1, descriptor.Get()); error != 0)
      return Passed{error};
    if (const long error = Become(receiver); error != 0) return Passed{error};
    const Received received = ReceiveWithFd(to.Get(), &byte, 1);
    return Passed{received.bytes == 1 ? 0 : received.bytes, received.fd.IsOpen(), received.cut_off};
  });
}

class DescriptorsOverASocket : public EitherPolicy {};
KASSAY_EITHER_POLICY(DescriptorsOverASocket);

// On grant_t's objects u_nomapread may read, u_nomapwrite may write, u_noprogrun may run.
KASSAY_CASE_P(DescriptorsOverASocket, ArriveWhereTheirModeIsGranted, Cites("SEL-066")) {
  EXPECT_THAT(PassTo("grant_t", Object::kMap), Returned(Eq(kArrives)));
  EXPECT_THAT(PassTo("kern_t", Object::kMap), Returned(Eq(kArrives)));
  EXPECT_THAT(PassTo("u_nomapread", Object::kReadOnlyMap), Returned(Eq(kArrives)));
  EXPECT_THAT(PassTo("u_nomapwrite", Object::kWriteOnlyMap), Returned(Eq(kArrives)));
  EXPECT_THAT(PassTo("u_noprogrun", Object::kProgram), Returned(Eq(kArrives)));
  EXPECT_THAT(Denials(), IsEmpty());
}

KASSAY_CASE_P(DescriptorsOverASocket, AreCutOffWhereItIsNot, Cites("SEL-066")) {
  EXPECT_THAT(PassTo("u_nomapwrite", Object::kReadOnlyMap), Returned(Eq(kIsCutOff)));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_read", "u_nomapwrite", "grant_t", "bpf")));
  EXPECT_THAT(PassTo("u_nomapread", Object::kWriteOnlyMap), Returned(Eq(kIsCutOff)));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_write", "u_nomapread", "grant_t", "bpf")));
  // Both are needed for a descriptor of both modes; the record names what is missing.
  EXPECT_THAT(PassTo("u_nomapread", Object::kMap), Returned(Eq(kIsCutOff)));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_write", "u_nomapread", "grant_t", "bpf")));
  EXPECT_THAT(PassTo("u_nomapwrite", Object::kMap), Returned(Eq(kIsCutOff)));
  EXPECT_THAT(Denials(), AreOnly(Avc("map_read", "u_nomapwrite", "grant_t", "bpf")));
  EXPECT_THAT(PassTo("u_all", Object::kProgram), Returned(Eq(kIsCutOff)));
  EXPECT_THAT(Denials(), AreOnly(Avc("prog_run", "u_all", "grant_t", "bpf")));
}

}  // namespace
}  // namespace kassay::selinux
