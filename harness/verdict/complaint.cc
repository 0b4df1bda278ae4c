#include "harness/verdict/complaint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace kassay {
namespace {

// What a complaint begins with, from the places that print it:
constexpr std::array<std::string_view, 28> kBeginnings{
    // kernel/panic.c:__warn, kernel/locking/lockdep.c (each of its reports), kernel/rcu
    "WARNING: ",
    // arch/x86/mm/fault.c, mm/kasan, mm/kfence, mm/kmsan, kernel/kcsan, kernel/sched/core.c,
    // mm/page_alloc.c:bad_page, "BUG kmalloc-64 (Not tainted): ..." of mm/slub.c:slab_bug
    "BUG: ",
    "BUG ",
    // lib/bug.c:report_bug, arch/x86/kernel/traps.c and dumpstack.c
    "kernel BUG at ",
    "Oops: ",
    "Oops[",
    "general protection fault",
    "divide error",
    "invalid opcode",
    "stack segment",
    "double fault",
    "PANIC: double fault",
    "unchecked MSR access error",
    "kernel tried to execute",
    // kernel/panic.c:vpanic
    "Kernel panic - not syncing",
    // lib/ubsan.c:ubsan_prologue
    "UBSAN: ",
    // lib/refcount.c comes with a WARNING; lib/list_debug.c
    "refcount_t: ",
    "list_add corruption",
    "list_del corruption",
    // kernel/watchdog.c
    "watchdog: BUG: ",
    "watchdog: Watchdog detected hard LOCKUP",
    "watchdog: CPU",
    // kernel/hung_task.c ("INFO: task %s:%d blocked for more than %ld seconds"), older lockdep
    "INFO: task ",
    "INFO: possible ",
    "INFO: trying to register non-static key",
    "INFO: rcu",
    // mm/usercopy.c
    "usercopy: Kernel memory ",
    // mm/kmemleak.c:print_unreferenced
    "kmemleak: unreferenced object",
};

// kernel/rcu/tree_stall.h prints "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:" and
// "rcu: INFO: rcu_preempt self-detected stall on CPU"; kernel/rcu/tasks.h "INFO: rcu_tasks detected
// stalls on tasks:".
bool IsRcuStall(std::string_view text) {
  return text.starts_with("rcu: INFO: ") && text.find("stall") != std::string_view::npos;
}

// `text` is a line without "<level>[seconds] " in front.
bool IsKernelComplaint(std::string_view text) {
  return IsRcuStall(text) || std::ranges::any_of(kBeginnings, [&](std::string_view beginning) {
           return text.starts_with(beginning);
         });
}

// "[   12.345678] " or "[    T123] " or "[   C0] "; `text` is moved behind it.
bool SkipBracket(std::string_view& text, std::string_view allowed) {
  if (!text.starts_with('[')) return false;
  const size_t end = text.find(']');
  if (end > 24) return false;  // none at all, too
  if (text.substr(1, end - 1).find_first_not_of(allowed) != std::string_view::npos) return false;
  text.remove_prefix(end + 1);
  if (text.starts_with(' ')) text.remove_prefix(1);
  return true;
}

// kernel/panic.c:taint_flags, in the order of the bits.
constexpr std::string_view kTaintLetters = "PFSRMBUDAWCIOELKXTNJ";

}  // namespace

std::string_view LogText(std::string_view line) {
  if (line.starts_with('<')) {
    const size_t end = line.find('>');
    if (end <= 4) line.remove_prefix(end + 1);
  }
  if (SkipBracket(line, "0123456789. ")) SkipBracket(line, "0123456789CT ");
  return line;
}

std::vector<std::string> KernelComplaints(const std::vector<std::string>& lines) {
  std::vector<std::string> complaints;
  std::ranges::copy_if(lines, std::back_inserter(complaints), IsKernelComplaint, LogText);
  return complaints;
}

std::vector<std::string> PlainLines(std::string_view text, std::size_t max_bytes) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, std::min(end, max_bytes)));
    while (line.ends_with('\r')) line.pop_back();
    const auto is_control = [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; };
    std::ranges::replace_if(line, is_control, '?');
    lines.push_back(std::move(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string TaintLetters(std::uint64_t taint) {
  std::string letters;
  for (size_t bit = 0; bit < 64; ++bit) {
    if ((taint >> bit & 1U) == 0) continue;
    letters +=
        bit < kTaintLetters.size() ? std::string(1, kTaintLetters[bit]) : fmt::format("#{}", bit);
  }
  return letters;
}

std::uint64_t TaintBits(std::string_view letters) {
  std::uint64_t bits = 0;
  for (const char letter : letters) {
    if (const size_t bit = kTaintLetters.find(letter); bit != std::string_view::npos)
      bits |= std::uint64_t{1} << bit;
  }
  return bits;
}

}  // namespace kassay
