// The files that a run leaves beside its journal.
#pragma once

#include <filesystem>

#include "harness/base/result.h"
#include "harness/result/run_result.h"

namespace kassay {

// results.json, junit.xml and results.ktap, each written atomically; posture.md if the run asked
// about options (posture.h).
[[nodiscard]] Status WriteResultFolder(const std::filesystem::path& folder, const RunResult& run);

}  // namespace kassay
