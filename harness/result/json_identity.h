// The JSON objects that more than one kind of file holds: which kernel it was, and under which
// conditions. See json_reader.h for `place` and `problem`.
#pragma once

#include <string>

#include "harness/base/text/json_reader.h"
#include "harness/result/run_result.h"

namespace kassay {

[[nodiscard]] Json ToJsonObject(const KernelIdentity& kernel);
[[nodiscard]] Json ToJsonObject(const Environment& environment);
[[nodiscard]] KernelIdentity ReadKernelIdentity(const Json& json, const std::string& place,
                                                std::string& problem);
[[nodiscard]] Environment ReadEnvironment(const Json& json, const std::string& place,
                                          std::string& problem);

}  // namespace kassay
