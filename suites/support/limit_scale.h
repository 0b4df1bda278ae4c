// How much longer everything may take on this machine: kassay's --limit-scale, for limits that
// stand inside a case.
#pragma once

namespace kassay {

// For main() alone: takes kLimitScaleOption (harness/protocol/records.h) from the command line, for
// this process and for the helpers that it starts.
void TakeLimitScale(int argc, char** argv);

// `limit_seconds` times the scale, for poll(2): at most INT_MAX. Without a scale, or with one that
// is no number between 0.1 and 100, the limit itself.
int ScaledMilliseconds(int limit_seconds);

}  // namespace kassay
