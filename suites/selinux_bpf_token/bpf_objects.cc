#include "suites/selinux_bpf_token/bpf_objects.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "suites/support/syscall_matchers.h"

namespace kassay::bpf {
namespace {

template <typename Attr>
long Call(Command command, Attr& attr, std::size_t size = kAttrSize) {
  const long result = syscall(SYS_bpf, command, &attr, size);
  return result < 0 ? -errno : result;
}

std::uint64_t Address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

}  // namespace

long CreateMap(std::uint32_t type, int token, std::uint32_t entries, std::uint32_t flags) {
  MapCreateAttr attr{};
  attr.map_flags = flags;
  attr.map_type = type;
  if (type == kMapTypeRingbuf) {
    attr.max_entries = 4096;
  } else {
    attr.key_size = 4;
    attr.value_size = 64;
    attr.max_entries = entries;
  }
  if (token != kNoToken) {
    attr.map_flags |= kFlagTokenFd;
    attr.map_token_fd = token;
  }
  return Call(kMapCreate, attr);
}

long LoadProgram(std::uint32_t type, int token) {
  // BPF_MOV64_IMM(r0, 0); BPF_EXIT (Documentation/bpf/standardization/instruction-set.rst)
  static constexpr std::array<std::uint64_t, 2> kReturnZero{0xb7, 0x95};
  ProgLoadAttr attr{};
  attr.prog_type = type;
  attr.insn_cnt = kReturnZero.size();
  attr.insns = Address(kReturnZero.data());
  attr.license = Address("GPL");
  if (token != kNoToken) {
    attr.prog_flags = kFlagTokenFd;
    attr.prog_token_fd = token;
  }
  return Call(kProgLoad, attr);
}

long LoadBtf(int token) {
  // One type, `int` (Documentation/bpf/btf.rst): header, type, strings.
  struct Blob {
    std::uint16_t magic = 0xeb9f;
    std::uint8_t version = 1, flags = 0;
    std::uint32_t header_size = 24, type_offset = 0, type_size = 16, string_offset = 16,
                  string_size = 5;
    std::uint32_t name_offset = 1, info = 1U << 24, size = 4, encoding = (1U << 24) | 32;
    std::array<char, 8> strings{'\0', 'i', 'n', 't', '\0'};
  };
  static constexpr Blob kBlob;
  static constexpr std::size_t kBlobSize = offsetof(Blob, strings) + 5;
  BtfLoadAttr attr{};
  attr.btf = Address(&kBlob);
  attr.btf_size = kBlobSize;
  if (token != kNoToken) {
    attr.btf_flags = kFlagTokenFd;
    attr.btf_token_fd = token;
  }
  return Call(kBtfLoad, attr);
}

long CreateToken(int bpffs, std::uint32_t flags, std::size_t size) {
  TokenCreateAttr attr{};
  attr.flags = flags;
  attr.bpffs_fd = static_cast<std::uint32_t>(bpffs);
  return Call(kTokenCreate, attr, size);
}

long GetTokenInfo(int token, TokenInfo* info) {
  InfoByFdAttr attr{};
  attr.bpf_fd = static_cast<std::uint32_t>(token);
  attr.info_len = sizeof *info;
  attr.info = Address(info);
  return Call(kObjGetInfoByFd, attr);
}

int Succeeded(long fd_or_error) {
  if (fd_or_error < 0) return static_cast<int>(fd_or_error);
  close(static_cast<int>(fd_or_error));
  return 0;
}

Uses UseAll(int token) {
  Uses uses;
  uses.array = Succeeded(CreateMap(kMapTypeArray, token));
  uses.ringbuf = Succeeded(CreateMap(kMapTypeRingbuf, token));
  uses.filter = Succeeded(LoadProgram(kProgTypeSocketFilter, token));
  uses.xdp = Succeeded(LoadProgram(kProgTypeXdp, token));
  uses.btf = Succeeded(LoadBtf(token));
  return uses;
}

Uses AllFail(int error_number) {
  return {-error_number, -error_number, -error_number, -error_number, -error_number};
}

void PrintTo(const Uses& uses, std::ostream* os) {
  *os << "{array map " << ErrnoName(-uses.array) << ", ring buffer " << ErrnoName(-uses.ringbuf)
      << ", socket filter " << ErrnoName(-uses.filter) << ", XDP " << ErrnoName(-uses.xdp)
      << ", BTF " << ErrnoName(-uses.btf) << "}";
}

}  // namespace kassay::bpf
