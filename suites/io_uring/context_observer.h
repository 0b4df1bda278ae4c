// Reads what a filter sees, bit by bit: a program that allows exactly if one bit of the context is
// set, which bit being named by the request's own user_data.
#pragma once

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/ring.h"

namespace kassay::uring {

inline constexpr size_t kContextWords = kContextSize / 4;

// The first word of user_data selects: bit in the low five bits, word of the context above. The
// second word is free for the caller.
inline Program SelectedBit() {
  constexpr uint32_t kAnd = BPF_ALU | BPF_AND | BPF_K;
  Program program{Load(kUserDataWord), Statement(kAnd, 31), Statement(BPF_MISC | BPF_TAX),
                  Load(kUserDataWord), Statement(BPF_ALU | BPF_RSH | BPF_K, 5)};
  constexpr uint32_t kBlock = 3;
  for (uint32_t word = 1; word < kContextWords; ++word) {
    const uint32_t to_end = (kContextWords - 1 - word) * kBlock;
    program.insert(program.end(),
                   {Jump(BPF_JEQ | BPF_K, word, 0, 2), Load(word * 4), Jump(BPF_JA, to_end, 0, 0)});
  }
  program.insert(program.end(),
                 {Statement(BPF_ALU | BPF_RSH | BPF_X), Statement(kAnd, 1), ReturnA()});
  return program;
}

// The word at `offset` (4..36) of the context of `request`, which runs 32 times on `ring`, whose
// filters for the request's opcode must be SelectedBit() alone. `before_each` may submit something
// else first. The request must not succeed with a descriptor, and must not fail before it is
// filtered.
inline uint32_t ObserveWord(Ring& ring, Sqe request, uint32_t offset,
                            const std::function<void()>& before_each = {}) {
  uint32_t seen = 0;
  for (uint32_t bit = 0; bit < 32; ++bit) {
    if (before_each) before_each();
    const uint32_t selector = (offset / 4) << 5 | bit;
    std::memcpy(&request.user_data, &selector, sizeof selector);
    if (ring.Do(request) != -EACCES) seen |= 1U << bit;
  }
  return seen;
}

// The words 8 to 36 of the context: head, one of padding, six of data.
using ContextTail = std::array<uint32_t, 8>;
inline ContextTail ObserveTail(Ring& ring, const Sqe& request,
                               const std::function<void()>& before_each = {}) {
  ContextTail tail{};
  for (size_t i = 0; i < tail.size(); ++i) {
    tail[i] = ObserveWord(ring, request, kHeadWord + 4 * static_cast<uint32_t>(i), before_each);
  }
  return tail;
}

// The word at offset 8 from its four bytes, in the machine's order.
inline uint32_t HeadWord(uint8_t opcode, uint8_t flags, uint8_t pdu_size) {
  const std::array<uint8_t, 4> bytes{opcode, flags, pdu_size, 0};
  uint32_t word = 0;
  std::memcpy(&word, bytes.data(), sizeof word);
  return word;
}

// The flags byte that the filter of `op` sees, for state that only a fresh ring has: `scenario`
// gets a ring a bit and returns the result of the request of interest.
inline int ObserveFlags(uint8_t op, const std::function<int(Ring&)>& scenario) {
  int seen = 0;
  for (int bit = 0; bit < 8; ++bit) {
    Ring ring;
    const uint32_t mask = HeadWord(0, static_cast<uint8_t>(1 << bit), 0);
    const Program program{Load(kHeadWord), Statement(BPF_ALU | BPF_AND | BPF_K, mask), ReturnA()};
    if (Filter(op, program).ApplyTo(ring) != 0) return -1;
    const int result = scenario(ring);
    if (result <= kNotSubmitted) return -1;
    if (result != -EACCES) seen |= 1 << bit;
  }
  return seen;
}

}  // namespace kassay::uring
