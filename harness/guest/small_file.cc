#include "harness/guest/small_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "harness/base/unique_fd.h"

namespace kassay::guest {

std::string ReadSmallFile(const std::string& path, std::size_t most) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::string text;
  char chunk[4096];
  while (file.IsOpen() && text.size() < most) {
    const ssize_t got = ::read(file.Get(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(chunk, static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace kassay::guest
