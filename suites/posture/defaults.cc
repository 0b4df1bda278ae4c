// Defaults that this range of releases changed, tried on the running system.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "harness/base/unique_fd.h"
#include "suites/posture/observe.h"
#include "suites/support/case.h"
#include "suites/support/child.h"
#include "suites/support/kernel_config.h"
#include "suites/support/scoped_sysctl.h"
#include "suites/support/syscall_matchers.h"

namespace kassay::posture {
namespace {

class Page {
 public:
  explicit Page(int protection)
      : bytes_(mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {}
  ~Page() { munmap(bytes_, 4096); }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;
  [[nodiscard]] off_t offset() const { return reinterpret_cast<off_t>(bytes_); }
  [[nodiscard]] char first() const { return *static_cast<volatile char*>(bytes_); }

 private:
  void* bytes_;
};

// The result of writing one byte through /proc/PID/mem: 1, or -errno.
int WriteThrough(pid_t pid, off_t offset) {
  const std::string path = "/proc/" + std::to_string(pid) + "/mem";
  const UniqueFd memory(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!memory.IsOpen()) return -errno;
  const ssize_t put = pwrite(memory.Get(), "x", 1, offset);
  return put < 0 ? -errno : static_cast<int>(put);
}

KASSAY_CASE(ProcMem, OwnReadOnlyPagesFollowTheConfiguredPolicy, Cites("HRD-001", "HRD-003")) {
  const RunningConfig config;
  if (!config.problem().empty()) KASSAY_UNMET(config.problem());
  const Page read_only(PROT_READ);
  const Page writable(PROT_READ | PROT_WRITE);
  EXPECT_EQ(WriteThrough(getpid(), writable.offset()), 1)
      << "what may be written directly may be written so";
  EXPECT_EQ(writable.first(), 'x');
  const int seen = WriteThrough(getpid(), read_only.offset());
  RecordEvidence("own read-only page through /proc/PID/mem",
                 seen == 1 ? "is written" : ErrnoName(-seen));
  if (config.IsOn("CONFIG_PROC_MEM_ALWAYS_FORCE")) {
    EXPECT_EQ(seen, 1) << "PROC_MEM_ALWAYS_FORCE: page permissions are overridden";
  } else {
    EXPECT_THAT(seen, IsErrno(EIO));
    EXPECT_EQ(read_only.first(), 0) << "the page must not have changed";
  }
}

// A child that stops itself, traced by us; its page has the same address in both.
KASSAY_CASE(ProcMem, AnActiveTracerMayStillWrite, Cites("HRD-002")) {
  const RunningConfig config;
  if (!config.problem().empty()) KASSAY_UNMET(config.problem());
  const Page read_only(PROT_READ);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    _exit(read_only.first() == 'x' ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSTOPPED(status));
  const int seen = WriteThrough(child, read_only.offset());
  ptrace(PTRACE_CONT, child, nullptr, nullptr);
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (config.IsOn("CONFIG_PROC_MEM_NO_FORCE")) {
    EXPECT_THAT(seen, IsErrno(EIO));
  } else {
    EXPECT_EQ(seen, 1);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the byte did not arrive";
  }
  EXPECT_EQ(read_only.first(), 0) << "the tracer's own copy must not have changed";
}

KASSAY_CASE(SyscallUserDispatch, CanBeSwitchedOff, Cites("HRD-010")) {
  constexpr const char* kSysctl = "/proc/sys/kernel/syscall_user_dispatch";
  if (access(kSysctl, F_OK) != 0) KASSAY_ABSENT("no kernel.syscall_user_dispatch");
  static char selector = 0;
  const auto turn_on = [] {
    return prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector) == 0 ? 0
                                                                                         : -errno;
  };
  EXPECT_EQ(ReadTrimmed(kSysctl), "1");
  EXPECT_THAT(InChild(turn_on), Returned(0));
  const ScopedSysctl off("kernel/syscall_user_dispatch", "0");
  EXPECT_EQ(ReadTrimmed(kSysctl), "0");
  EXPECT_THAT(InChild(turn_on), Returned(IsErrno(EPERM)));
}

KASSAY_CASE(MemoryFailure, UnrecoverableOnesCanPanic, Cites("HRD-011")) {
  constexpr const char* kSysctl = "/proc/sys/vm/panic_on_unrecoverable_memory_failure";
  struct stat status {};
  if (stat(kSysctl, &status) != 0) KASSAY_ABSENT("no vm.panic_on_unrecoverable_memory_failure");
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
  EXPECT_EQ(ReadTrimmed(kSysctl), "0") << "off unless asked for";
}

KASSAY_CASE(Configuration, Sha1CannotSignModulesAnyMore, Cites("HRD-007")) {
  const RunningConfig config;
  if (!config.problem().empty()) KASSAY_UNMET(config.problem());
  EXPECT_EQ(config.Value("CONFIG_MODULE_SIG_SHA1"), "gone");
  if (config.IsOn("CONFIG_MODULE_SIG")) {
    EXPECT_NE(config.Value("CONFIG_MODULE_SIG_HASH"), "sha1");
  }
}

KASSAY_CASE(Configuration, MlDsaKeysAreOfferedWhereVerificationIsThere, Cites("HRD-009")) {
  const RunningConfig config;
  if (!config.problem().empty()) KASSAY_UNMET(config.problem());
  // The key types depend on the verifier; without it the symbols are "is not set" or gone, never
  // on.
  for (const char* size : {"44", "65", "87"}) {
    const std::string symbol = std::string("CONFIG_MODULE_SIG_KEY_TYPE_MLDSA_") + size;
    RecordEvidence(symbol, config.Value(symbol));
    if (config.IsOn(symbol)) {
      EXPECT_TRUE(config.IsOn("CONFIG_CRYPTO_MLDSA")) << symbol;
    }
  }
}

KASSAY_CASE(Configuration, DroppedOptionsAreGone, Cites("HRD-014", "HRD-018")) {
  const RunningConfig config;
  if (!config.problem().empty()) KASSAY_UNMET(config.problem());
  for (const char* symbol :
       {"CONFIG_SLUB_CPU_PARTIAL", "CONFIG_CRYPTO_AES_TI", "CONFIG_CRYPTO_NHPOLY1305"}) {
    EXPECT_EQ(config.Value(symbol), "gone") << symbol;
  }
}

// Values that do not depend on the distribution's start-up scripts, which do not run here.
KASSAY_CASE(Sysctl, DefaultsFollowTheConfiguration, Cites("HRD-012")) {
  const RunningConfig config;
  if (!config.problem().empty()) KASSAY_UNMET(config.problem());
  EXPECT_EQ(ReadTrimmed("/proc/sys/vm/mmap_min_addr"),
            config.Value("CONFIG_DEFAULT_MMAP_MIN_ADDR"));
  EXPECT_EQ(ReadTrimmed("/proc/sys/kernel/dmesg_restrict"),
            config.IsOn("CONFIG_SECURITY_DMESG_RESTRICT") ? "1" : "0");
  // A switch of what is not built in is not there.
  const auto unless_gone = [&](const char* symbol, const char* value) {
    return config.IsOn(symbol) ? value : "";
  };
  EXPECT_EQ(
      ReadTrimmed("/proc/sys/kernel/unprivileged_bpf_disabled"),
      unless_gone("CONFIG_BPF_SYSCALL", config.IsOn("CONFIG_BPF_UNPRIV_DEFAULT_OFF") ? "2" : "0"));
  EXPECT_EQ(ReadTrimmed("/proc/sys/kernel/io_uring_disabled"), unless_gone("CONFIG_IO_URING", "0"));
  EXPECT_EQ(ReadTrimmed("/proc/sys/vm/unprivileged_userfaultfd"),
            unless_gone("CONFIG_USERFAULTFD", "0"));
}

}  // namespace
}  // namespace kassay::posture
