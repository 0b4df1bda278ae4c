// The objects that tokens are for. Results are descriptors, or -errno; Succeeds* close what they
// made and give 0.
#pragma once

#include <ostream>

#include "suites/selinux_bpf_token/bpf_abi.h"

namespace kassay::bpf {

inline constexpr int kNoToken = -1000;  // do not set BPF_F_TOKEN_FD at all

[[nodiscard]] long CreateMap(std::uint32_t type, int token, std::uint32_t entries = 1,
                             std::uint32_t flags = 0);
// Two instructions: return 0. A kprobe program wants CAP_PERFMON, an XDP program CAP_NET_ADMIN.
[[nodiscard]] long LoadProgram(std::uint32_t type, int token);
[[nodiscard]] long LoadBtf(int token);
[[nodiscard]] long CreateToken(int bpffs, std::uint32_t flags = 0, std::size_t size = kAttrSize);
// 0 or -errno.
[[nodiscard]] long GetTokenInfo(int token, TokenInfo* info);

// Closes a descriptor; 0, or the error it is.
[[nodiscard]] int Succeeded(long fd_or_error);

// Once each of what every kernel with BPF and networking has: 0 or -errno. Tracing programs are not
// among them (tracing.cc).
struct Uses {
  int array = 1, ringbuf = 1, filter = 1, xdp = 1, btf = 1;
  bool operator==(const Uses&) const = default;
};
[[nodiscard]] Uses UseAll(int token);
inline constexpr Uses kAllWork{0, 0, 0, 0, 0};
[[nodiscard]] Uses AllFail(int error_number);
void PrintTo(const Uses& uses, std::ostream* os);

}  // namespace kassay::bpf
