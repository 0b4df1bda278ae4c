// A pipe with two owners, and reading what has come through one without waiting.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"

namespace kassay {

struct Pipe {
  UniqueFd reading;
  UniqueFd writing;
};

// Both ends are closed by exec.
[[nodiscard]] Result<Pipe> MakePipe();

inline constexpr std::size_t kMaxDrainedBytes = std::size_t{32} << 10;  // of one call of the sink

// Gives `sink` what can be read from `fd` (a pipe or a socket, blocking or not), and closes it at
// its end. Takes 4 MiB at most, so that a writer that never stops does not keep its reader from
// seeing a deadline.
void Drain(UniqueFd& fd, const std::function<void(std::string_view)>& sink);

}  // namespace kassay
