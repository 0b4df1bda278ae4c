#include "suites/fs_verity/bpf_listener.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <memory>

namespace kassay::verity {
namespace {

using Program = std::vector<bpf_insn>;

constexpr bpf_insn Insn(int code, int dst, int src, int offset, int immediate) {
  return {static_cast<__u8>(code), static_cast<__u8>(dst), static_cast<__u8>(src),
          static_cast<__s16>(offset), immediate};
}
constexpr bpf_insn Move(int dst, int src) {
  return Insn(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}
constexpr bpf_insn Set(int dst, int value) {
  return Insn(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value);
}
constexpr bpf_insn Alu(int operation, int dst, int value) {
  return Insn(BPF_ALU64 | operation | BPF_K, dst, 0, 0, value);
}
constexpr bpf_insn Load(int dst, int src, int offset) {
  return Insn(BPF_LDX | BPF_MEM | BPF_DW, dst, src, offset, 0);
}
constexpr bpf_insn Store(int dst, int offset, int src) {
  return Insn(BPF_STX | BPF_MEM | BPF_DW, dst, src, offset, 0);
}
constexpr bpf_insn Call(int helper) { return Insn(BPF_JMP | BPF_CALL, 0, 0, 0, helper); }
constexpr bpf_insn CallKernel(int btf_id) {
  return Insn(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, btf_id);
}
constexpr bpf_insn JumpIfNot(int reg, int value, int over) {
  return Insn(BPF_JMP | BPF_JNE | BPF_K, reg, 0, over, value);
}
constexpr bpf_insn Exit() { return Insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }

// r0 = the map's only value; ends the program without it.
void AppendLookup(Program& program, int map) {
  const Program lookup{
      Insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, 0),
      Move(BPF_REG_2, BPF_REG_10),
      Alu(BPF_ADD, BPF_REG_2, -4),
      Insn(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
      Insn(0, 0, 0, 0, 0),
      Call(BPF_FUNC_map_lookup_elem),
      JumpIfNot(BPF_REG_0, 0, 1),
      Exit(),  // r0 is 0: the hook allows
  };
  program.insert(program.end(), lookup.begin(), lookup.end());
}

void Append(Program& program, std::initializer_list<bpf_insn> more) {
  program.insert(program.end(), more);
}

Program Counting(int map) {
  Program program;
  AppendLookup(program, map);
  Append(program,
         {Set(BPF_REG_1, 1), Insn(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_0, BPF_REG_1, 0, BPF_ADD),
          Set(BPF_REG_0, 0), Exit()});
  return program;
}

// On behalf of this process alone: value.result = bpf_get_fsverity_digest(file, value.buffer).
Program Asking(int map, int pid, std::uint32_t size, int digest_function) {
  Program program{
      Load(BPF_REG_6, BPF_REG_1, 0),  // struct file *
      Call(BPF_FUNC_get_current_pid_tgid),
      Alu(BPF_RSH, BPF_REG_0, 32),
      Insn(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 2, pid),
      Set(BPF_REG_0, 0),
      Exit(),
  };
  AppendLookup(program, map);
  constexpr int kDynptr = -24;  // on the stack, 16 bytes
  Append(
      program,
      {Move(BPF_REG_7, BPF_REG_0), Move(BPF_REG_1, BPF_REG_7),
       Alu(BPF_ADD, BPF_REG_1, offsetof(BpfDigest, buffer)), Set(BPF_REG_2, static_cast<int>(size)),
       Set(BPF_REG_3, 0), Move(BPF_REG_4, BPF_REG_10), Alu(BPF_ADD, BPF_REG_4, kDynptr),
       Call(BPF_FUNC_dynptr_from_mem), Move(BPF_REG_1, BPF_REG_6), Move(BPF_REG_2, BPF_REG_10),
       Alu(BPF_ADD, BPF_REG_2, kDynptr), CallKernel(digest_function),
       // An int, in a register of 64 bits.
       Alu(BPF_LSH, BPF_REG_0, 32), Alu(BPF_ARSH, BPF_REG_0, 32), Store(BPF_REG_7, 0, BPF_REG_0),
       Set(BPF_REG_0, 0), Exit()});
  return program;
}

// Of a function of the kernel, in its own type information; or a negative errno.
int IdOfFunction(const char* name) {
  const std::unique_ptr<btf, void (*)(btf*)> types(btf__load_vmlinux_btf(), &btf__free);
  if (!types) return -errno;
  return btf__find_by_name_kind(types.get(), name, BTF_KIND_FUNC);
}

Result<UniqueFd> MakeMap(std::uint32_t value_size) {
  UniqueFd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "kassay", 4, value_size, 1, nullptr));
  if (!map.IsOpen()) return FailErrno("bpf(BPF_MAP_CREATE)");
  return map;
}

Result<UniqueFd> LoadFor(const char* hook, const Program& program) {
  const int hook_id = IdOfFunction(hook);
  if (hook_id < 0) return Fail(std::string("this kernel has no ") + hook);
  std::string log(65536, '\0');
  bpf_prog_load_opts options{};
  options.sz = sizeof options;
  options.expected_attach_type = BPF_LSM_MAC;
  options.attach_btf_id = static_cast<__u32>(hook_id);
  options.log_level = 1;
  options.log_buf = log.data();
  options.log_size = static_cast<__u32>(log.size());
  UniqueFd loaded(
      bpf_prog_load(BPF_PROG_TYPE_LSM, "kassay", "GPL", program.data(), program.size(), &options));
  if (!loaded.IsOpen()) {
    const int error = errno;
    log.resize(log.find('\0') == std::string::npos ? log.size() : log.find('\0'));
    const std::size_t end = log.size() > 400 ? log.size() - 400 : 0;
    return FailErrno(std::string("bpf(BPF_PROG_LOAD) for ") + hook + " (" + log.substr(end) + ")",
                     error);
  }
  return loaded;
}

Result<UniqueFd> AttachProgram(int program) {
  UniqueFd link(bpf_raw_tracepoint_open(nullptr, program));
  if (!link.IsOpen()) return FailErrno("bpf(BPF_RAW_TRACEPOINT_OPEN)");
  return link;
}

}  // namespace

std::string WhyNoBpfModule() {
  std::ifstream list("/sys/kernel/security/lsm");
  std::string modules;
  std::getline(list, modules);
  if (("," + modules + ",").find(",bpf,") == std::string::npos)
    return "/sys/kernel/security/lsm has no bpf";
  const int id = IdOfFunction("bpf_get_fsverity_digest");
  return id > 0 ? "" : "the kernel's type information has no bpf_get_fsverity_digest";
}

Result<SignatureCounter> SignatureCounter::Attach() {
  KASSAY_TRY(UniqueFd map, MakeMap(sizeof(std::uint64_t)));
  KASSAY_TRY(UniqueFd program, LoadFor("bpf_lsm_inode_setintegrity", Counting(map.Get())));
  KASSAY_TRY(UniqueFd link, AttachProgram(program.Get()));
  return SignatureCounter(std::move(map), std::move(program), std::move(link));
}

std::uint64_t SignatureCounter::Calls() const {
  const std::uint32_t key = 0;
  std::uint64_t calls = 0;
  bpf_map_lookup_elem(map_.Get(), &key, &calls);
  return calls;
}

Result<BpfDigest> AskOnOpen(const std::string& path, std::uint32_t size) {
  const int function = IdOfFunction("bpf_get_fsverity_digest");
  if (function < 0) return Fail("this kernel has no bpf_get_fsverity_digest");
  KASSAY_TRY(const UniqueFd map, MakeMap(sizeof(BpfDigest)));
  const std::uint32_t key = 0;
  BpfDigest value;
  value.result = 1;  // not asked
  value.buffer.fill(0x5a);
  bpf_map_update_elem(map.Get(), &key, &value, BPF_ANY);
  const Program asking = Asking(map.Get(), getpid(), size, function);
  KASSAY_TRY(const UniqueFd program, LoadFor("bpf_lsm_file_open", asking));
  KASSAY_TRY(const UniqueFd link, AttachProgram(program.Get()));
  const UniqueFd opened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  bpf_map_lookup_elem(map.Get(), &key, &value);
  if (!opened.IsOpen()) return FailErrno("open " + path);
  return value;
}

}  // namespace kassay::verity
