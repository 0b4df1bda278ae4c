// A program run to its end, bounded in time and in what it may print.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/process/child_process.h"
#include "harness/base/process/pipe.h"
#include "harness/base/result.h"

namespace kassay {

struct Limits {
  // Nothing: it may take as long as it wants.
  std::optional<std::chrono::milliseconds> time = std::chrono::seconds(10);
  std::size_t output_bytes = std::size_t{8} << 20;  // of each stream that is kept; more ends it
  // On Ctrl-C, from SIGTERM to SIGKILL; 0: SIGKILL at once.
  std::chrono::milliseconds grace{0};
};

struct Ending {
  WaitStatus status;
  bool timed_out = false;  // outlived its limit and was killed
  bool cut = false;        // said more than it may and was killed

  [[nodiscard]] bool Succeeded() const { return status.Succeeded() && !timed_out && !cut; }
  // WaitStatus::Words(), or "did not end within its time limit", "printed more than it may".
  [[nodiscard]] std::string Words() const;
};

// Takes what a program says as it comes; false: that is enough, end it.
using Sink = std::function<bool(std::string_view)>;

// A pipe that a program writes to, and what takes the bytes here.
struct Stream {
  Pipe pipe;
  Sink sink;
};
[[nodiscard]] Result<Stream> MakeStream(Sink sink);

// Waits for the program's end and gives each stream's bytes to its sink meanwhile. Fails with
// Interruption() on Ctrl-C. When it returns, the program has ended, and its group too if it has one
// of its own.
[[nodiscard]] Result<Ending> Supervise(ChildProcess& child, std::vector<Stream>& streams,
                                       const Limits& limits);

// Runs a program with standard output and error in one stream. Fails if it cannot be started, and
// as Supervise() does.
[[nodiscard]] Result<Ending> StreamProgram(const Command& command, const Limits& limits, Sink sink);

struct ProgramOutcome {
  Ending ending;
  std::string standard_output;
  std::string standard_error;
};

// The same with both streams kept apart. The program inherits the writing ends of `more`, under the
// same numbers.
[[nodiscard]] Result<ProgramOutcome> RunProgram(const Command& command, const Limits& limits = {},
                                                std::vector<Stream> more = {});

}  // namespace kassay
