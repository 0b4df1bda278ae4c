// What the serial console says about the kernel's health.
#pragma once

#include <string>
#include <string_view>

#include "harness/base/process/pipe.h"

namespace kassay {

// What carries the console from QEMU. A machine's serial port writes byte by byte and drops what is
// not taken: a socket's buffer is full after 278 such bytes, this pipe holds at least 64 KiB of
// them. QEMU's user owns it, for QEMU opens it by its name in /proc.
[[nodiscard]] Result<Pipe> MakeConsolePipe();

// The line with which the kernel said that it panicked (kernel/panic.c:panic), without its time
// stamp; empty if it did not.
[[nodiscard]] std::string PanicLine(std::string_view console);

// The first line of a report that explains why a kernel no longer answers: an oops, a BUG, a soft
// or hard lockup, a stall of RCU; empty if there is none.
[[nodiscard]] std::string DistressLine(std::string_view console);

// Both, of a console that ends in a panic: what went wrong first, and the panic; empty without one.
[[nodiscard]] std::string DeathLine(std::string_view console);

// The last `lines` lines, at most `bytes` of them, for an error message.
[[nodiscard]] std::string LastLines(std::string_view console, std::size_t lines,
                                    std::size_t bytes = 4096);

}  // namespace kassay
