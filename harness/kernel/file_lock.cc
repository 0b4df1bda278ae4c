#include "harness/kernel/file_lock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>

#include "harness/base/interrupt.h"

namespace kassay {
namespace fs = std::filesystem;

Result<FileLock> FileLock::Acquire(const fs::path& file) {
  constexpr int kPollMilliseconds = 100;
  std::error_code ignored;
  fs::create_directories(file.parent_path(), ignored);
  UniqueFd lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.IsOpen()) return FailErrno("cannot write " + file.string());
  while (::flock(lock.Get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return FailErrno("cannot lock " + file.string());
    pollfd interrupt{InterruptFd(), POLLIN, 0};
    ::poll(&interrupt, 1, kPollMilliseconds);
    if (Interrupted()) return Fail(Interruption());
  }
  return FileLock(std::move(lock));
}

}  // namespace kassay
