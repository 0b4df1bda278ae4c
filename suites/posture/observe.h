// What the running system shows of an option, by reading it or by trying it. Each observer answers
// "on" or "off", or "unseen: why" where this system cannot tell.
#pragma once

#include <string>

namespace kassay::posture {

[[nodiscard]] std::string ReadTrimmed(const std::string& path);  // "" if it cannot be read
[[nodiscard]] std::string BootLog();                             // the kernel log from its start

[[nodiscard]] std::string HeapInitOnAlloc();   // mm/mm_init.c:report_meminit
[[nodiscard]] std::string HeapInitOnFree();    // the same
[[nodiscard]] std::string BucketCaches();      // /proc/slabinfo
[[nodiscard]] std::string StrictDevMem();      // drivers/char/mem.c:range_is_allowed
[[nodiscard]] std::string ModuleSignatures();  // /sys/module/module/parameters/sig_enforce
[[nodiscard]] std::string ModuleSignaturesForced();
[[nodiscard]] std::string LockdownLsm();         // /sys/kernel/security/lockdown
[[nodiscard]] std::string LandlockLsm();         // landlock_create_ruleset(2)
[[nodiscard]] std::string Yama();                // /proc/sys/kernel/yama
[[nodiscard]] std::string DmesgRestricted();     // kernel.dmesg_restrict
[[nodiscard]] std::string UnprivilegedBpfOff();  // kernel.unprivileged_bpf_disabled
[[nodiscard]] std::string LegacyTiocsti();       // dev.tty.legacy_tiocsti
[[nodiscard]] std::string VsyscallEmulated();    // /proc/self/maps
[[nodiscard]] std::string UserfaultfdPresent();  // vm.unprivileged_userfaultfd
[[nodiscard]] std::string IoUringPresent();      // kernel.io_uring_disabled
[[nodiscard]] std::string KexecPresent();        // kernel.kexec_load_disabled
[[nodiscard]] std::string UserNamespaces();      // /proc/self/ns/user
[[nodiscard]] std::string SelinuxPresent();      // /sys/kernel/security/lsm or /proc/filesystems
[[nodiscard]] std::string AuditPresent();        // netlink(7) NETLINK_AUDIT
[[nodiscard]] std::string BpfSyscall();          // bpf(2)
[[nodiscard]] std::string BpfJit();              // net.core.bpf_jit_enable

}  // namespace kassay::posture
