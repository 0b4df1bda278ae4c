// The language of the filters: which instructions are taken, and that they compute what they say,
// in the interpreter and in the compiler.
#include <unistd.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "suites/io_uring/filter.h"
#include "suites/io_uring/requests.h"
#include "suites/io_uring/ring.h"
#include "suites/support/case.h"
#include "suites/support/scoped_sysctl.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::uring {
namespace {

// A user_data whose first and second word are these, on either byte order.
uint64_t Words(uint32_t first, uint32_t second = 0) {
  const std::array<uint32_t, 2> words{first, second};
  uint64_t value = 0;
  std::memcpy(&value, words.data(), sizeof value);
  return value;
}

// What a NOP meets under `program`: 0, -EACCES, or the error of the registration.
int Verdict(const Program& program, uint64_t user_data = 0) {
  Ring ring;
  if (const int refused = Filter(kNop, program).ApplyTo(ring); refused != 0) return refused;
  return ring.Do(Tagged(Nop(), user_data));
}

constexpr sock_filter Alu(uint32_t operation, uint32_t k) {
  return Statement(BPF_ALU | operation | BPF_K, k);
}
constexpr sock_filter AluX(uint32_t operation) { return Statement(BPF_ALU | operation | BPF_X); }
constexpr sock_filter kTax = Statement(BPF_MISC | BPF_TAX);
constexpr sock_filter kTxa = Statement(BPF_MISC | BPF_TXA);

// `computation` leaves a value in A, with `input` in the first word of user_data; it must be
// `expected`. Asked twice, with allow and deny exchanged, so that no constant verdict passes.
void ExpectComputes(const char* name, const Program& computation, uint32_t input,
                    uint32_t expected) {
  Program allow_if = computation;
  Program deny_if = computation;
  allow_if.insert(allow_if.end(), {Jump(BPF_JEQ | BPF_K, expected, 0, 1), Return(1), Return(0)});
  deny_if.insert(deny_if.end(), {Jump(BPF_JEQ | BPF_K, expected, 0, 1), Return(0), Return(1)});
  EXPECT_EQ(Verdict(allow_if, Words(input)), 0) << name;
  EXPECT_THAT(Verdict(deny_if, Words(input)), IsErrno(EACCES)) << name;
}

struct Computation {
  const char* name;
  Program program;
  uint32_t input;
  uint32_t expected;
};

std::vector<Computation> Arithmetic() {
  const sock_filter in = Load(kUserDataWord);
  const auto with_x = [&](uint32_t operation, uint32_t x) {
    return Program{in, ImmediateX(x), AluX(operation)};
  };
  return {
      {"ADD K", {in, Alu(BPF_ADD, 5)}, 7, 12},
      {"ADD K wraps", {in, Alu(BPF_ADD, 2)}, 0xffffffff, 1},
      {"ADD X", with_x(BPF_ADD, 0x80000000), 0x80000001, 1},
      {"SUB K", {in, Alu(BPF_SUB, 5)}, 3, 0xfffffffe},
      {"SUB X", with_x(BPF_SUB, 3), 5, 2},
      {"MUL K", {in, Alu(BPF_MUL, 0x10001)}, 0x10000, 0x10000},
      {"MUL X", with_x(BPF_MUL, 6), 7, 42},
      {"DIV K is unsigned", {in, Alu(BPF_DIV, 3)}, 0xfffffffe, 0x55555554},
      {"DIV X is unsigned", with_x(BPF_DIV, 0x80000000), 0xffffffff, 1},
      {"AND K", {in, Alu(BPF_AND, 0xff00ff00)}, 0x12345678, 0x12005600},
      {"AND X", with_x(BPF_AND, 0xffff0000), 0x12345678, 0x12340000},
      {"OR K", {in, Alu(BPF_OR, 0x0f)}, 0xf0, 0xff},
      {"OR X", with_x(BPF_OR, 0x80000000), 1, 0x80000001},
      {"XOR K", {in, Alu(BPF_XOR, 0xff)}, 0x0f, 0xf0},
      {"XOR X", with_x(BPF_XOR, 0xffffffff), 0x0000ffff, 0xffff0000},
      {"LSH K", {in, Alu(BPF_LSH, 31)}, 3, 0x80000000},
      {"LSH X", with_x(BPF_LSH, 4), 0x1, 0x10},
      {"RSH K is logical", {in, Alu(BPF_RSH, 31)}, 0x80000000, 1},
      {"RSH X is logical", with_x(BPF_RSH, 4), 0xf0000000, 0x0f000000},
      {"NEG", {in, Statement(BPF_ALU | BPF_NEG)}, 5, 0xfffffffb},
  };
}

std::vector<Computation> Moves() {
  const sock_filter in = Load(kUserDataWord);
  return {
      {"IMM", {Immediate(0x89abcdef)}, 0, 0x89abcdef},
      {"LDX IMM, TXA", {ImmediateX(0x89abcdef), kTxa}, 0, 0x89abcdef},
      {"TAX, TXA", {in, kTax, Immediate(0), kTxa}, 77, 77},
      {"LEN", {Statement(BPF_LD | BPF_W | BPF_LEN)}, 0, kContextSize},
      {"LEN into X", {Statement(BPF_LDX | BPF_W | BPF_LEN), kTxa}, 0, kContextSize},
      {"ST and LD cell 0",
       {in, Statement(BPF_ST, 0), Immediate(0), Statement(BPF_LD | BPF_MEM, 0)},
       5,
       5},
      {"ST and LD cell 15",
       {in, Statement(BPF_ST, 15), Immediate(0), Statement(BPF_LD | BPF_MEM, 15)},
       6,
       6},
      {"STX and LDX cells stay apart",
       {in, kTax, Statement(BPF_STX, 3), Immediate(1), Statement(BPF_ST, 4), ImmediateX(0),
        Statement(BPF_LDX | BPF_MEM, 3), kTxa},
       9,
       9},
      {"RET A", {in, Alu(BPF_ADD, 0)}, 3, 3},
  };
}

// A jump under test decides which of two values A gets.
std::vector<Computation> Jumps() {
  const sock_filter in = Load(kUserDataWord);
  const auto k = [&](uint32_t condition, uint32_t value) {
    return Program{in, Jump(condition | BPF_K, value, 0, 2), Immediate(1), Jump(BPF_JA, 1, 0, 0),
                   Immediate(2)};
  };
  const auto x = [&](uint32_t condition, uint32_t value) {
    return Program{in,           ImmediateX(value),     Jump(condition | BPF_X, 0, 0, 2),
                   Immediate(1), Jump(BPF_JA, 1, 0, 0), Immediate(2)};
  };
  return {
      {"JEQ K equal", k(BPF_JEQ, 7), 7, 1},
      {"JEQ K other", k(BPF_JEQ, 7), 6, 2},
      {"JEQ K compares 32 bits", k(BPF_JEQ, 0x80000007), 7, 2},
      {"JGT K equal", k(BPF_JGT, 7), 7, 2},
      {"JGT K above", k(BPF_JGT, 7), 8, 1},
      {"JGT K is unsigned", k(BPF_JGT, 1), 0x80000000, 1},
      {"JGE K equal", k(BPF_JGE, 7), 7, 1},
      {"JGE K below", k(BPF_JGE, 7), 6, 2},
      {"JGE K is unsigned", k(BPF_JGE, 0x80000000), 1, 2},
      {"JSET K set", k(BPF_JSET, 0x80000000), 0x80000001, 1},
      {"JSET K clear", k(BPF_JSET, 6), 9, 2},
      {"JEQ X equal", x(BPF_JEQ, 7), 7, 1},
      {"JEQ X other", x(BPF_JEQ, 7), 8, 2},
      {"JGT X equal", x(BPF_JGT, 7), 7, 2},
      {"JGT X is unsigned", x(BPF_JGT, 1), 0xffffffff, 1},
      {"JGE X equal", x(BPF_JGE, 7), 7, 1},
      {"JGE X below", x(BPF_JGE, 7), 6, 2},
      {"JSET X set", x(BPF_JSET, 4), 6, 1},
      {"JSET X clear", x(BPF_JSET, 4), 3, 2},
  };
}

// net.core.bpf_jit_enable is read when a program is loaded. Without CONFIG_BPF_JIT there is none,
// and every program is interpreted; with CONFIG_BPF_JIT_ALWAYS_ON none is.
class FilterProgram : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const bool compiled = *GetParam() == '1';
    if (access("/proc/sys/net/core/bpf_jit_enable", F_OK) != 0) {
      if (compiled) KASSAY_ABSENT("no net.core.bpf_jit_enable: CONFIG_BPF_JIT is not set");
      return;
    }
    engine_.emplace("net/core/bpf_jit_enable", GetParam());
    if (engine_->Ok()) return;
    if (!compiled)
      KASSAY_ABSENT("net.core.bpf_jit_enable takes no 0: CONFIG_BPF_JIT_ALWAYS_ON is set");
    KASSAY_UNMET("net.core.bpf_jit_enable cannot be set here");
  }

 private:
  std::optional<ScopedSysctl> engine_;
};
INSTANTIATE_TEST_SUITE_P(Engine, FilterProgram, ::testing::Values("0", "1"),
                         [](const auto& engine) {
                           return std::string(*engine.param == '0' ? "Interpreted" : "Compiled");
                         });

void ExpectAllCompute(const std::vector<Computation>& computations) {
  for (const auto& [name, program, input, expected] : computations) {
    ExpectComputes(name, program, input, expected);
  }
}

KASSAY_CASE_P(FilterProgram, ComputesArithmetic, Cites("IOU-076")) {
  ExpectAllCompute(Arithmetic());
}

KASSAY_CASE_P(FilterProgram, MovesValues, Cites("IOU-076", "IOU-081")) {
  ExpectAllCompute(Moves());
}

KASSAY_CASE_P(FilterProgram, Jumps, Cites("IOU-076")) {
  ExpectAllCompute(::kassay::uring::Jumps());
}

KASSAY_CASE_P(FilterProgram, DeniesWith0AndAllowsWithEverythingElse, Cites("IOU-080", "IOU-082")) {
  EXPECT_THAT(Verdict(Always(0)), IsErrno(EACCES));
  for (const uint32_t verdict : {1U, 2U, 0x100U, 0x10000U, 0x7fff0000U, 0x80000000U, 0xffffffffU}) {
    EXPECT_EQ(Verdict(Always(verdict)), 0) << verdict;
    EXPECT_EQ(Verdict({Load(kUserDataWord), ReturnA()}, Words(verdict)), 0) << "in A: " << verdict;
  }
  EXPECT_THAT(Verdict({Load(kUserDataWord), ReturnA()}, Words(0, 1)), IsErrno(EACCES));

  EXPECT_THAT(Verdict({Immediate(5), ImmediateX(0), AluX(BPF_DIV), Return(1)}), IsErrno(EACCES));
  EXPECT_EQ(Verdict({Immediate(5), ImmediateX(1), AluX(BPF_DIV), Return(1)}), 0);
  EXPECT_THAT(Verdict({ReturnA()}), IsErrno(EACCES)) << "A starts as 0";
  EXPECT_THAT(Verdict({kTxa, ReturnA()}), IsErrno(EACCES)) << "X starts as 0";
}

KASSAY_CASE(FilterInstructions, LoadWordsWithinTheContext, Cites("IOU-078")) {
  for (uint32_t offset = 0; offset < kContextSize; ++offset) {
    const int result = Verdict({Load(offset), Return(1)});
    if (offset % 4 == 0) {
      EXPECT_EQ(result, 0) << offset;
    } else {
      EXPECT_THAT(result, IsErrno(EINVAL)) << offset;
    }
  }
  for (const uint32_t offset : {40U, 44U, 64U, 0xfffffffcU, 0xfffff000U /* SKF_AD_OFF */}) {
    EXPECT_THAT(Verdict({Load(offset), Return(1)}), IsErrno(EINVAL)) << offset;
  }
}

KASSAY_CASE(FilterInstructions, OfOtherFamiliesAreRefused, Cites("IOU-077")) {
  const std::array<sock_filter, 14> refused{
      Alu(BPF_MOD, 3),
      AluX(BPF_MOD),
      Statement(BPF_LD | BPF_H | BPF_ABS, 0),
      Statement(BPF_LD | BPF_B | BPF_ABS, 0),
      Statement(BPF_LD | BPF_W | BPF_IND, 0),
      Statement(BPF_LD | BPF_H | BPF_IND, 0),
      Statement(BPF_LD | BPF_B | BPF_IND, 0),
      Statement(BPF_LDX | BPF_B | BPF_MSH, 0),
      Statement(BPF_LDX | BPF_W | BPF_ABS, 0),
      Statement(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_PROTOCOL)),
      Statement(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_CPU)),
      Statement(BPF_RET | BPF_X),
      Statement(0xffff),
      Statement(BPF_JMP | 0x50),
  };
  for (const sock_filter& instruction : refused) {
    EXPECT_THAT(Verdict({instruction, Return(1)}), IsErrno(EINVAL)) << "code " << instruction.code;
    EXPECT_THAT(Verdict({Return(1), instruction, Return(1)}), IsErrno(EINVAL))
        << "never reached, code " << instruction.code;
  }
}

KASSAY_CASE(FilterInstructions, MakeAWholeProgram, Cites("IOU-079")) {
  const auto refused = [](const char* name, const Program& program) {
    EXPECT_THAT(Verdict(program), IsErrno(EINVAL)) << name;
  };
  refused("division by a constant 0", {Alu(BPF_DIV, 0), Return(1)});
  refused("left shift by 32", {Alu(BPF_LSH, 32), Return(1)});
  refused("right shift by 32", {Alu(BPF_RSH, 32), Return(1)});
  refused("store to cell 16", {Statement(BPF_ST, 16), Return(1)});
  refused("store of X to cell 16", {Statement(BPF_STX, 16), Return(1)});
  refused("load from cell 16", {Statement(BPF_LD | BPF_MEM, 16), Return(1)});
  refused("load of an unset cell", {Statement(BPF_LD | BPF_MEM, 0), Return(1)});
  refused("cell set on one branch only", {Jump(BPF_JEQ | BPF_K, 0, 0, 1), Statement(BPF_ST, 0),
                                          Statement(BPF_LD | BPF_MEM, 0), Return(1)});
  refused("no return at the end", {Return(1), Load(0)});
  refused("jump past the end", {Jump(BPF_JA, 1, 0, 0), Return(1)});
  refused("true branch past the end", {Jump(BPF_JEQ | BPF_K, 0, 1, 0), Return(1)});
  refused("false branch past the end", {Jump(BPF_JEQ | BPF_K, 0, 0, 1), Return(1)});
  EXPECT_EQ(Verdict({Alu(BPF_LSH, 31), Alu(BPF_RSH, 31), Statement(BPF_ST, 15), Return(1)}), 0);
}

}  // namespace
}  // namespace kassay::uring
