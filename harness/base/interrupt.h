// Ctrl-C as a value. The first SIGINT, SIGTERM or SIGHUP asks the program to stop; whatever waits
// (for a guest, for a download, for a child) has InterruptFd() in its poll set and returns
// Interruption() to its caller. A second signal kills the program in the ordinary way.
#pragma once

#include "harness/base/result.h"

namespace kassay {

// Called once, by main, before any thread is started.
void InstallInterruptHandlers();

// True from the first signal on.
[[nodiscard]] bool Interrupted();

// A descriptor that polls readable from the first signal on and stays so. Never read from it, never
// close it. Works (and never becomes readable by itself) without InstallInterruptHandlers().
[[nodiscard]] int InterruptFd();

// What the signal handler does; safe in a signal handler and from any thread.
void RequestInterrupt();

// Makes the state fresh again, for unit tests of one process.
void ClearInterruptForTesting();

[[nodiscard]] inline Error Interruption() { return {"interrupted", ErrorKind::kInterrupted}; }

}  // namespace kassay
