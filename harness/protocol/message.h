// What host and agent say to each other, one message a frame. Decode() checks every length, number
// and enumerator; what it lets through is within the bounds below.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "harness/base/result.h"
#include "harness/protocol/frame.h"
#include "harness/protocol/records.h"

namespace kassay::protocol {

// Grows with every change of a message; the host refuses an agent with another one.
inline constexpr std::uint32_t kVersion = 2;

inline constexpr std::size_t kMaxArguments = 256;
inline constexpr std::size_t kMaxArgumentBytes = 4096;
inline constexpr std::size_t kMaxOutputBytes = std::size_t{32} << 10;  // of one message
inline constexpr std::size_t kMaxKernelLineBytes = 8192;  // PRINTKRB_RECORD_MAX is 1024, escaped x4
inline constexpr std::size_t kMaxTextBytes = 4096;
inline constexpr std::size_t kMaxModules = 256;
inline constexpr std::uint64_t kMaxLimitMs = std::uint64_t{24} * 3600 * 1000;

// --- from the host ---

// Run a program. What a restored machine cannot know comes along: the time, and randomness.
struct RunRequest {
  std::vector<std::string> argv;
  std::uint64_t limit_ms = 0;
  std::string log_name;             // at most kMaxCaseNameBytes
  std::uint64_t wall_clock_ns = 0;  // CLOCK_REALTIME of the host
  std::array<char, 64> entropy{};   // for the random pool
  friend bool operator==(const RunRequest&, const RunRequest&) = default;
};

struct Ping {
  std::uint64_t token = 0;
  friend bool operator==(const Ping&, const Ping&) = default;
};

// --- from the agent ---

struct ModuleFailure {
  std::string path;
  std::int32_t error_number = 0;
  friend bool operator==(const ModuleFailure&, const ModuleFailure&) = default;
};

// Once, when the guest is ready for its first command.
struct Hello {
  std::uint32_t version = kVersion;
  std::string kernel_release;
  std::uint64_t uptime_ms = 0;  // CLOCK_BOOTTIME
  std::vector<ModuleFailure> module_failures;
  std::vector<std::string> troubles;  // what could not be set up, a line each
  friend bool operator==(const Hello&, const Hello&) = default;
};

struct Pong {
  std::uint64_t token = 0;
  friend bool operator==(const Pong&, const Pong&) = default;
};

// A line of the record descriptor, without its newline.
struct Record {
  std::string line;
  friend bool operator==(const Record&, const Record&) = default;
};

// A piece of the program's output, as it came.
struct Output {
  std::string bytes;
  friend bool operator==(const Output&, const Output&) = default;
};

// The program is over. After it come KernelLine and then Done, nothing else.
struct Ended {
  enum class How : std::uint8_t { kExited, kSignalled, kTimedOut, kNotStarted };
  How how = How::kExited;
  std::int32_t status = 0;  // exit code 0..255, signal 1..64, errno of the exec; 0 for a timeout
  std::string detail;  // processes that a SIGKILL did not end, with where they hang; else empty
  friend bool operator==(const Ended&, const Ended&) = default;
};

// One record of /dev/kmsg that the kernel itself wrote (facility 0).
struct KernelLine {
  std::uint8_t level = 0;  // 0 to 7
  std::uint64_t microseconds = 0;
  std::string text;
  friend bool operator==(const KernelLine&, const KernelLine&) = default;
};

struct Done {
  std::uint64_t taint_before = 0;
  std::uint64_t taint_after = 0;
  std::uint64_t lost_kernel_lines = 0;  // overwritten in the kernel's ring before they were read
  friend bool operator==(const Done&, const Done&) = default;
};

using Message =
    std::variant<RunRequest, Ping, Hello, Pong, Record, Output, Ended, KernelLine, Done>;

// Whole frame. What exceeds a bound is the caller's mistake and must have been cut before.
[[nodiscard]] std::string Encode(const Message& message);

// Fails on an unknown type, on missing or surplus bytes, and on anything out of its bounds.
[[nodiscard]] Result<Message> Decode(const Frame& frame);

}  // namespace kassay::protocol
