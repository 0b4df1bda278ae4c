// The "guest" of suites that run on this machine: what they test is files of the kernel (headers,
// config), not its behaviour.
#pragma once

#include <filesystem>
#include <memory>

#include "harness/target/guest.h"

namespace kassay {

// `headers_dir` becomes $KASSAY_KERNEL_HEADERS; empty for none.
[[nodiscard]] std::unique_ptr<Guest> MakeHostGuest(const std::filesystem::path& headers_dir);

}  // namespace kassay
