// A program on the host, bounded in time and in what it may print.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

struct Program {
  std::vector<std::string> argv;                   // argv[0] is a path, or a name in PATH
  std::map<std::string, std::string> environment;  // added to ours
  std::chrono::milliseconds limit{10000};
  std::size_t max_output_bytes = std::size_t{8} << 20;  // of each stream; more is cut and reported
  // Called with each whole line of the record descriptor ($KASSAY_RECORD_FD); without it there is
  // no such descriptor.
  std::function<void(std::string)> on_record;
};

struct ProgramOutcome {
  bool timed_out = false;  // outlived its limit and was killed with its process group
  bool cut = false;        // printed more than max_output_bytes
  int exit_code = -1;      // -1 if a signal ended it
  int signal = 0;          // 0 if it exited
  std::string standard_output;
  std::string standard_error;

  [[nodiscard]] bool Succeeded() const { return exit_code == 0 && !timed_out && !cut; }
  // "exited with 3", "was killed by SIGSEGV", "did not end within its time limit", ...
  [[nodiscard]] std::string HowItEnded() const;
};

// Fails if the program cannot be started, and with Interruption() on Ctrl-C (the program is killed
// then). Standard input is /dev/null. No process of its group outlives the call.
[[nodiscard]] Result<ProgramOutcome> RunProgram(const Program& program);

// "SIGSEGV", or "signal 77".
[[nodiscard]] std::string SignalName(int signal);

}  // namespace kassay
