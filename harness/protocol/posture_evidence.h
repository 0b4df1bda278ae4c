// The keys of the evidence that a case about a security-relevant option keeps; the posture table of
// all reports is made of it (harness/report/posture.h).
#pragma once

namespace kassay {

inline constexpr const char* kPostureOption = "posture.option";          // "CONFIG_X"
inline constexpr const char* kPostureConfigured = "posture.configured";  // "on", "off", "gone"
// What the running system shows: "on", "off", or kPostureUnseen and why.
inline constexpr const char* kPostureRunning = "posture.running";
inline constexpr const char* kPostureWhy = "posture.why";    // why the option matters
inline constexpr const char* kPostureNote = "posture.note";  // e.g. a boot parameter that overrides
inline constexpr const char* kPostureUnseen = "unseen: ";

}  // namespace kassay
