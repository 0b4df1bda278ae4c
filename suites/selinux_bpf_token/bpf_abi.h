// bpf(2) as of Linux 7.0 (include/uapi/linux/bpf.h), as far as tokens need it: the headers of the
// build host know no tokens. Every command has its own view of one 168-byte attribute.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kassay::bpf {

enum Command : int {
  kMapCreate = 0,
  kProgLoad = 5,
  kObjGetInfoByFd = 15,
  kBtfLoad = 18,
  kTokenCreate = 36,
};

inline constexpr std::uint32_t kFlagReadOnly = 1U << 3;   // BPF_F_RDONLY: the descriptor
inline constexpr std::uint32_t kFlagWriteOnly = 1U << 4;  // BPF_F_WRONLY
inline constexpr std::uint32_t kFlagTokenFd = 1U << 16;   // BPF_F_TOKEN_FD

inline constexpr std::uint32_t kMapTypeArray = 2;
inline constexpr std::uint32_t kMapTypeRingbuf = 27;
inline constexpr std::uint32_t kProgTypeSocketFilter = 1;
inline constexpr std::uint32_t kProgTypeKprobe = 2;
inline constexpr std::uint32_t kProgTypeXdp = 6;

inline constexpr std::size_t kAttrSize = 168;

struct MapCreateAttr {
  std::uint32_t map_type, key_size, value_size, max_entries, map_flags;
  std::uint32_t unused[14];
  std::int32_t map_token_fd;
  std::uint32_t rest[22];
};
static_assert(sizeof(MapCreateAttr) == kAttrSize);
static_assert(offsetof(MapCreateAttr, map_flags) == 16);
static_assert(offsetof(MapCreateAttr, map_token_fd) == 76);

struct ProgLoadAttr {
  std::uint32_t prog_type, insn_cnt;
  std::uint64_t insns, license;
  std::uint32_t log_level, log_size;
  std::uint64_t log_buf;
  std::uint32_t kern_version, prog_flags;
  std::uint32_t unused[5];
  std::uint32_t expected_attach_type;
  std::uint32_t unused2[18];
  std::int32_t prog_token_fd;
  std::uint32_t rest[5];
};
static_assert(sizeof(ProgLoadAttr) == kAttrSize);
static_assert(offsetof(ProgLoadAttr, prog_flags) == 44);
static_assert(offsetof(ProgLoadAttr, expected_attach_type) == 68);
static_assert(offsetof(ProgLoadAttr, prog_token_fd) == 144);

struct BtfLoadAttr {
  std::uint64_t btf, btf_log_buf;
  std::uint32_t btf_size, btf_log_size, btf_log_level, btf_log_true_size, btf_flags;
  std::int32_t btf_token_fd;
  std::uint32_t rest[32];
};
static_assert(sizeof(BtfLoadAttr) == kAttrSize);
static_assert(offsetof(BtfLoadAttr, btf_flags) == 32);
static_assert(offsetof(BtfLoadAttr, btf_token_fd) == 36);

struct TokenCreateAttr {
  std::uint32_t flags, bpffs_fd;
  std::uint32_t rest[40];
};
static_assert(sizeof(TokenCreateAttr) == kAttrSize);
static_assert(offsetof(TokenCreateAttr, bpffs_fd) == 4);

struct InfoByFdAttr {
  std::uint32_t bpf_fd, info_len;
  std::uint64_t info;
  std::uint32_t rest[38];
};
static_assert(sizeof(InfoByFdAttr) == kAttrSize);

struct TokenInfo {  // struct bpf_token_info
  std::uint64_t allowed_cmds, allowed_maps, allowed_progs, allowed_attachs;
  bool operator==(const TokenInfo&) const = default;
};
static_assert(sizeof(TokenInfo) == 32);

}  // namespace kassay::bpf
