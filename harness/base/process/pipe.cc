#include "harness/base/process/pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>

namespace kassay {

Result<Pipe> MakePipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return FailErrno("pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void Drain(UniqueFd& fd, const std::function<void(std::string_view)>& sink) {
  std::array<char, kMaxDrainedBytes> chunk;
  for (int i = 0; i < 128 && fd.IsOpen(); ++i) {
    pollfd ready{fd.Get(), POLLIN, 0};
    if (::poll(&ready, 1, 0) <= 0) return;
    const ssize_t got = ::read(fd.Get(), chunk.data(), chunk.size());
    if (got > 0) {
      sink({chunk.data(), static_cast<std::size_t>(got)});
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
      fd.Reset();
    }
  }
}

}  // namespace kassay
