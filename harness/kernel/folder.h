// Folders of the store: whole or not there, and one process at a time.
#pragma once

#include <filesystem>
#include <functional>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"

namespace kassay {

// Lets `fill` fill an empty folder beside `folder` (FOLDER.part), flushes it to disk and renames
// it: a reader sees all or nothing, after a power cut too. What was at `folder` is replaced. On an
// error nothing is left beside it. The caller holds the lock.
[[nodiscard]] Status MakeFolderAtomically(
    const std::filesystem::path& folder,
    const std::function<Status(const std::filesystem::path&)>& fill);

// Waits until `path` is ours among all that ask for it so (PATH.lock, made if needed, with its
// folder); it is until the descriptor is closed, or the process ends however it does. Fails on
// Ctrl-C and if the file cannot be made.
[[nodiscard]] Result<UniqueFd> Lock(const std::filesystem::path& path);

}  // namespace kassay
