// One verified file from a mirror.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "harness/base/result.h"
#include "harness/kernel/store.h"

namespace kassay {

// Size and SHA-256 as pinned, or an error that says which of them is wrong.
[[nodiscard]] Status VerifyFile(const std::filesystem::path& path, const PinnedFile& pin);

struct DownloadError {
  Error error;
  bool another_mirror_may_do = false;  // the fault is not this machine's, and nobody pressed Ctrl-C
};

// Downloads MIRROR/pin.path to `target` by way of `target`.part, going on where an earlier attempt
// broke off. Nothing is at `target` before it is verified; what turns out wrong is removed. http,
// https and file addresses. The caller holds the lock on `target`.
[[nodiscard]] tl::expected<void, DownloadError> Download(
    const std::string& mirror, const PinnedFile& pin, const std::filesystem::path& target,
    const std::function<void(const FetchProgress&)>& on_progress);

}  // namespace kassay
