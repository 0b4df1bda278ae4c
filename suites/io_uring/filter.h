// BPF filters: the program (classic BPF, as for seccomp) and its registration.
//
//   Filter(kSocket, AllowIfWord(kDataWord, AF_UNIX)).Strict(12).ApplyTo(ring)
//
// Every registration starts from a fresh request: the kernel writes its pdu_size back into it.
#pragma once

#include <linux/filter.h>

#include <utility>
#include <vector>

#include "suites/io_uring/ring.h"
#include "suites/io_uring/uapi.h"

namespace kassay::uring {

using Program = std::vector<sock_filter>;

// Offsets of the context's words.
inline constexpr uint32_t kUserDataWord = 0;
inline constexpr uint32_t kHeadWord = 8;  // opcode, flags, pdu_size and the first byte of padding
inline constexpr uint32_t kDataWord = 16;
inline constexpr uint32_t kContextSize = 40;

inline constexpr sock_filter Statement(uint32_t code, uint32_t k = 0) {
  return BPF_STMT(static_cast<uint16_t>(code), k);
}
inline constexpr sock_filter Jump(uint32_t code, uint32_t k, uint8_t if_true, uint8_t if_false) {
  return BPF_JUMP(static_cast<uint16_t>(BPF_JMP | code), k, if_true, if_false);
}
inline constexpr sock_filter Load(uint32_t offset) {
  return Statement(BPF_LD | BPF_W | BPF_ABS, offset);
}
inline constexpr sock_filter Return(uint32_t value) { return Statement(BPF_RET | BPF_K, value); }
inline constexpr sock_filter ReturnA() { return Statement(BPF_RET | BPF_A); }
inline constexpr sock_filter Immediate(uint32_t value) {
  return Statement(BPF_LD | BPF_IMM, value);
}
inline constexpr sock_filter ImmediateX(uint32_t value) {
  return Statement(BPF_LDX | BPF_W | BPF_IMM, value);
}

inline Program Always(uint32_t verdict) { return {Return(verdict)}; }
inline Program AllowAll() { return Always(1); }
inline Program DenyAll() { return Always(0); }
inline Program AllowIfWord(uint32_t offset, uint32_t value) {
  return {Load(offset), Jump(BPF_JEQ | BPF_K, value, 0, 1), Return(1), Return(0)};
}
inline Program DenyIfWord(uint32_t offset, uint32_t value) {
  return {Load(offset), Jump(BPF_JEQ | BPF_K, value, 0, 1), Return(0), Return(1)};
}

// A request for `program`, which must live until it is registered.
inline BpfRequest RequestFor(unsigned op, const Program& program, uint32_t flags = 0,
                             uint8_t pdu_size = 0) {
  BpfRequest request;
  request.filter.opcode = op;
  request.filter.flags = flags;
  request.filter.length = static_cast<uint32_t>(program.size());
  request.filter.pdu_size = pdu_size;
  request.filter.program = reinterpret_cast<uintptr_t>(program.data());
  return request;
}

class Filter {
 public:
  Filter(unsigned op, Program program) : op_(op), program_(std::move(program)) {}
  Filter DenyRest() && {
    flags_ |= kDenyRest;
    return std::move(*this);
  }
  // The program was written for this size of the operation's data; any other kernel refuses it.
  Filter Strict(uint8_t pdu_size) && {
    flags_ |= kSizeStrict;
    pdu_size_ = pdu_size;
    return std::move(*this);
  }

  [[nodiscard]] int ApplyTo(const Ring& ring) const { return Apply(ring.Fd()); }
  [[nodiscard]] int ApplyToTask() const { return Apply(-1); }

 private:
  [[nodiscard]] int Apply(int fd) const {
    BpfRequest request = RequestFor(op_, program_, flags_, pdu_size_);
    return RegisterCall(fd, kRegisterBpfFilter, &request, 1);
  }

  unsigned op_;
  Program program_;
  uint32_t flags_ = 0;
  uint8_t pdu_size_ = 0;
};

// -EACCES for everything of this operation.
inline int DenyOn(const Ring& ring, unsigned op) { return Filter(op, DenyAll()).ApplyTo(ring); }
inline int DenyOnTask(unsigned op) { return Filter(op, DenyAll()).ApplyToTask(); }

}  // namespace kassay::uring
