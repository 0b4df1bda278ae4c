// Whole files: read with a bound, written so that a reader sees the old content or the new, never
// half.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace kassay {

// The file's bytes. Fails if it cannot be read or holds more than `max_bytes`.
[[nodiscard]] Result<std::string> ReadFile(const std::filesystem::path& path,
                                           size_t max_bytes = size_t{256} << 20);

// Writes beside the target, flushes to disk (fsync) and renames; on any error the old file stays as
// it was and nothing is left beside it. Makes parent folders. Devices and pipes are kept: in place.
[[nodiscard]] Status WriteFileAtomically(const std::filesystem::path& path, std::string_view bytes);

}  // namespace kassay
