#include "harness/guest/leftovers.h"

#include <dirent.h>

#include <cctype>
#include <memory>
#include <sstream>

#include "harness/guest/small_file.h"
#include "harness/protocol/message.h"

namespace kassay::guest {
namespace {

// "[<0>] io_ring_exit_work+0x12/0x34" a line, outermost last; the first few functions say enough.
std::string Stack(const std::string& folder) {
  std::istringstream lines(ReadSmallFile(folder + "/stack", 8192));
  std::string text;
  std::string line;
  for (int i = 0; i < 6 && std::getline(lines, line); ++i) {
    const std::size_t name = line.rfind(' ');
    text += (i == 0 ? " at " : " < ") + line.substr(name == std::string::npos ? 0 : name + 1);
  }
  return text;
}

std::string DescribeProcess(const std::string& pid) {
  constexpr unsigned long kKernelThread = 0x00200000;  // PF_KTHREAD, include/linux/sched.h
  const std::string folder = "/proc/" + pid;
  // "PID (NAME) STATE PPID PGRP SESSION TTY TPGID FLAGS ..", proc_pid_stat(5); NAME may hold ")".
  const std::string stat = ReadSmallFile(folder + "/stat", 4096);
  const std::size_t open = stat.find('(');
  const std::size_t close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  std::istringstream rest(stat.substr(close + 1));
  std::string state;
  long ignored = 0;
  unsigned long flags = 0;
  rest >> state >> ignored >> ignored >> ignored >> ignored >> ignored >> flags;
  if (!rest || (flags & kKernelThread) != 0 || state == "Z" || state == "X") return {};
  return "pid " + pid + " " + stat.substr(open, close - open + 1) + " in state " + state +
         Stack(folder);
}

}  // namespace

std::string DescribeLeftovers() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), &::closedir);
  std::string text;
  while (folder && text.size() < protocol::kMaxTextBytes) {
    const dirent* entry = ::readdir(folder.get());  // NOLINT(concurrency-mt-unsafe): one thread
    if (entry == nullptr) break;
    const std::string pid = entry->d_name;
    if (std::isdigit(static_cast<unsigned char>(pid[0])) == 0 || pid == "1") continue;
    if (const std::string process = DescribeProcess(pid); !process.empty())
      text += (text.empty() ? "" : "; ") + process;
  }
  return text.substr(0, protocol::kMaxTextBytes);
}

}  // namespace kassay::guest
