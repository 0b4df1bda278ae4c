// How this suite finds out what the kernel has. Everything that needs a privilege or would stay
// with the task is asked in a child.
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/privilege.h"
#include "suites/io_uring/restriction_list.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

std::string Name(int result) {
  return result < 0 ? "-" + ErrnoName(-result) : std::to_string(result);
}

// Present if the child's answer is `expected`.
template <typename Body>
ProbeAnswer Ask(const std::string& question, int expected, Body body) {
  const ChildResult<int> seen = InChild(body);
  const std::string detail = question + ": " + (seen.value ? Name(*seen.value) : seen.Describe());
  return seen.value == expected ? Present(detail) : Missing(detail);
}

// Without privilege every answer would be EACCES and say nothing.
int AskRingless(uint32_t opcode) {
  if (const int failed = SetNoNewPrivs(); failed != 0) return failed;
  return RegisterRingless(opcode, nullptr, 1);
}

KASSAY_PROBE("io_uring") {
  return Ask("io_uring_setup and one NOP", 0, [] {
    Ring ring;
    return ring.IsOpen() ? ring.Do({.opcode = kNop}) : ring.SetupResult();
  });
}

KASSAY_PROBE("io_uring_ring_restrictions") {
  return Ask("register(ring, RESTRICTIONS, one entry)", 0, [] {
    const Ring ring({.flags = kDisabled});
    return ring.IsOpen() ? RestrictionList().AllowOp(kNop).ApplyTo(ring) : ring.SetupResult();
  });
}

KASSAY_PROBE("io_uring_split_restrictions") {
  return Ask("register(ring, PROBE) under a list of requests only", 0, [] {
    const Ring ring({.flags = kDisabled});
    if (!ring.IsOpen()) return ring.SetupResult();
    if (const int failed = RestrictionList().AllowOp(kNop).ApplyTo(ring); failed != 0)
      return failed;
    if (const int failed = ring.Enable(); failed != 0) return failed;
    return ring.Probe();
  });
}

KASSAY_PROBE("io_uring_task_restrictions") {
  return Ask("register(-1, RESTRICTIONS, NULL, 1)", -EFAULT,
             [] { return AskRingless(kRegisterRestrictions); });
}

KASSAY_PROBE("io_uring_bpf_filter") {
  return Ask("register(-1, BPF_FILTER, NULL, 1)", -EFAULT,
             [] { return AskRingless(kRegisterBpfFilter); });
}

KASSAY_PROBE("io_uring_bpf_connect_data") {
  return Ask("register(ring, BPF_FILTER, CONNECT with 24 bytes of data, strictly)", 0, [] {
    const Ring ring;
    return ring.IsOpen() ? Filter(kConnect, AllowAll()).Strict(24).ApplyTo(ring)
                         : ring.SetupResult();
  });
}

KASSAY_PROBE("io_uring_query") {
  QueryOpcodes answer{};
  const int result = QueryKernel(&answer);
  const std::string detail = "register(-1, QUERY, opcodes): " + Name(result);
  return result == 0 ? Present(detail) : Missing(detail);
}

KASSAY_PROBE("io_uring_query_size_limit") {
  return Ask("register(-1, QUERY, two pages)", -E2BIG, [] {
    const auto size = static_cast<uint32_t>(2 * sysconf(_SC_PAGESIZE));
    const Mapping buffer(
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), size);
    QueryHeader header;
    header.query_data = reinterpret_cast<uintptr_t>(buffer.At(0));
    header.size = size;
    const int result = RegisterRingless(kRegisterQuery, &header, 0);
    return result != 0 ? result : header.result;
  });
}

}  // namespace
}  // namespace kassay::uring
