// Files that live in memory and that QEMU is given by descriptor.
#pragma once

#include <cstdint>
#include <string_view>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"

namespace kassay {

// Nobody writes to it any more.
[[nodiscard]] Result<UniqueFd> SealedFile(const char* name, std::string_view bytes);

// One machine's own, to write into.
[[nodiscard]] Result<UniqueFd> OwnFile(const char* name, std::string_view bytes);
// All zeros, taking no memory until it is written to.
[[nodiscard]] Result<UniqueFd> BlankFile(const char* name, std::uint64_t bytes);

}  // namespace kassay
