// A live machine whose agent answers; destroying it leaves nothing behind. A Lab makes them
// (lab.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

// A program to run in the guest, as root, a child of PID 1, with /dev/null as standard input.
struct GuestCommand {
  std::vector<std::string> argv;  // argv[0] is an absolute path in the guest
  std::chrono::milliseconds limit{30000};
  std::string log_name;  // written into the kernel log before the program starts
};

struct GuestOutcome {
  enum class End {
    kExited,      // status is the exit code
    kSignalled,   // status is the signal
    kTimedOut,    // outlived its limit and was killed (the kernel still answers)
    kKernelDied,  // panic, triple fault, reset or power-off: the machine ended or its console
                  // shows a panic
    kSilent,      // the agent no longer answers and the kernel did not say why: a hang
    kLied,        // the guest broke the protocol; `detail` says how
  };
  End end = End::kSilent;
  int status = 0;
  std::string detail;                // one line for a person
  std::vector<std::string> records;  // lines from the record descriptor, each under kMaxRecordBytes
  std::string output;                // standard output and error, last part if there was too much
  std::vector<std::string>
      kernel_log;  // the kernel's lines since the program began, "<level>[seconds] text"
  std::uint64_t taint_before = 0;  // /proc/sys/kernel/tainted
  std::uint64_t taint_after = 0;
  std::string console;  // serial console since the program began, last part if there was too much
};

class Guest {
 public:
  virtual ~Guest() = default;
  // Blocks until the program ended, the kernel died or the limit (plus a grace for the agent)
  // passed. An Error is the harness's own fault; what the kernel did is in the outcome. `on_record`
  // sees each record as it arrives. Returns Interruption() soon after Interrupted() became true
  // (harness/base/interrupt.h).
  [[nodiscard]] virtual Result<GuestOutcome> Run(
      const GuestCommand& command, const std::function<void(const std::string&)>& on_record) = 0;
};

}  // namespace kassay
