#include "harness/verdict/complaint.h"

#include <gmock/gmock.h>

namespace kassay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(LogText, IsWhatStandsBehindLevelTimeAndCaller) {
  EXPECT_EQ(LogText("<4>[   12.345678] WARNING: x"), "WARNING: x");
  EXPECT_EQ(LogText("[   12.345678] BUG: x"), "BUG: x");
  EXPECT_EQ(LogText("[   12.345678][    T1] BUG: x"), "BUG: x");
  EXPECT_EQ(LogText("[   12.345678] [   C0] BUG: x"), "BUG: x");
  EXPECT_EQ(LogText("Kernel panic"), "Kernel panic");
  EXPECT_EQ(LogText("[drm] x"), "[drm] x");
  EXPECT_EQ(LogText("[   1.0] [drm] x"), "[drm] x");
  EXPECT_EQ(LogText(""), "");
  EXPECT_EQ(LogText("<"), "<");
  EXPECT_EQ(LogText("["), "[");
}

TEST(Complaint, KnowsTheKernelsReports) {
  for (const char* text : {
           "WARNING: possible circular locking dependency detected",
           "WARNING: CPU: 1 PID: 77 at fs/namespace.c:12 x+0x1/0x2",
           "WARNING: suspicious RCU usage",
           "BUG: KASAN: slab-use-after-free in x+0x1/0x2",
           "BUG: sleeping function called from invalid context at mm/x.c:1",
           "BUG kmalloc-64 (Not tainted): Poison overwritten",
           "kernel BUG at fs/namespace.c:1!",
           "Oops: Oops: 0002 [#1] SMP NOPTI",
           "general protection fault, probably for non-canonical address 0xdead",
           "Kernel panic - not syncing: Fatal exception",
           "UBSAN: array-index-out-of-bounds in x.c:1:2",
           "refcount_t: underflow; use-after-free.",
           "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
           "rcu: INFO: rcu_sched self-detected stall on CPU",
           "INFO: task ring:77 blocked for more than 122 seconds.",
           "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [ring:77]",
           "list_del corruption. prev->next should be x",
       }) {
    EXPECT_THAT(KernelComplaints({text}), ElementsAre(text));
  }
}

TEST(Complaint, LeavesOrdinaryLinesAlone) {
  for (const char* text : {
           "kassay: io_uring.Ring.Denies",
           "ring[77]: segfault at 0 ip 0000 sp 0000 error 4 in ring[1000+2000]",
           "traps: ring[77] general protection fault ip:1 sp:2 error:0 in ring",
           "traps: ring[77] trap invalid opcode ip:1 sp:2 error:0 in ring",
           "x86/fpu: Supporting XSAVE feature",
           "device-mapper: verity: 254:0: data block 0 is corrupted",
           "module: loading out-of-tree module taints kernel.",
           "audit: type=1400 audit(1.0:2): avc: denied { map_create } for BUG: x",
           "rcu: Hierarchical SRCU implementation.",
           "Disabling lock debugging due to kernel taint",
           "",
       }) {
    EXPECT_THAT(KernelComplaints({text}), IsEmpty()) << text;
  }
}

TEST(Complaint, IsFoundOnAConsole) {
  const std::string console = "[ 1.0] fine\r\n[ 2.0] Kernel panic - not syncing: x\r\ntail";
  EXPECT_THAT(KernelComplaints(PlainLines(console)),
              ElementsAre("[ 2.0] Kernel panic - not syncing: x"));
}

TEST(PlainLines, AreCutAndFreeOfControlCharacters) {
  EXPECT_THAT(PlainLines("a\x1b[31mb\r\n\n123456789", 8), ElementsAre("a?[31mb", "", "12345678"));
  EXPECT_TRUE(PlainLines("").empty());
}

TEST(Taint, LettersAndBits) {
  EXPECT_EQ(TaintLetters(1U << 9 | 1U << 12 | 1U << 13), "WOE");
  EXPECT_EQ(TaintBits("WOE"), 1U << 9 | 1U << 12 | 1U << 13);
  EXPECT_EQ(TaintBits("?"), 0U);
  EXPECT_EQ(TaintLetters(std::uint64_t{1} << 40), "#40");
  EXPECT_EQ(TaintLetters(0), "");
}

}  // namespace
}  // namespace kassay
