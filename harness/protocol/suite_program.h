// How a suite's executable is called, in the guest and on the host. What it answers is in
// records.h.
#pragma once

namespace kassay {

// Prints the case list on standard output and runs nothing.
inline constexpr const char* kListOption = "--kassay_list";
// Runs the probes: a record of type "feature" for each.
inline constexpr const char* kProbeOption = "--kassay_probe";
// =FOLDER: makes there, on the host, what the suite needs in the guest for this kernel. Exit code 1
// and a line on standard error if it cannot.
inline constexpr const char* kPrepareOption = "--kassay_prepare=";
// =NAME ARGUMENT...: runs one helper program instead of the suite.
inline constexpr const char* kHelperOption = "--kassay_helper=";
// =FACTOR: how many times its usual time everything inside the program may take.
inline constexpr const char* kLimitScaleOption = "--kassay_limit_scale=";

// Environment. The descriptor that records are written to, a number; without it none are.
inline constexpr const char* kRecordFdVariable = "KASSAY_RECORD_FD";
// For programs on the host: the folder with include/generated/autoconf.h, that is
// usr/src/linux-headers-RELEASE of a headers package (its -common sibling is found by name) or a
// build tree.
inline constexpr const char* kHeadersVariable = "KASSAY_KERNEL_HEADERS";
// For programs on the host: the clang to use; clang-22 without it.
inline constexpr const char* kClangVariable = "KASSAY_CLANG";
// Set by the program itself, so that the factor of kLimitScaleOption outlives execve(2).
inline constexpr const char* kLimitScaleVariable = "KASSAY_LIMIT_SCALE";
// To try a suite by hand outside a guest: folders instead of those of guest_layout.h, and a module
// instead of the vendor's.
inline constexpr const char* kFixturesVariable = "KASSAY_FIXTURES";
inline constexpr const char* kPreparedVariable = "KASSAY_PREPARED_DIR";
inline constexpr const char* kModuleVariable = "KASSAY_MODULE";

}  // namespace kassay
