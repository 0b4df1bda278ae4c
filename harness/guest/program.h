// Runs one program to its end, whatever it does.
#pragma once

#include "harness/guest/port.h"
#include "harness/protocol/message.h"

namespace kassay::guest {

// Runs it in a session of its own, sends its records and output while it runs, and its Ended when
// it and every process that it left behind are gone (or cannot be killed). Answers pings meanwhile.
// The caller is PID 1.
void RunProgram(const protocol::RunRequest& request, Port& port);

}  // namespace kassay::guest
