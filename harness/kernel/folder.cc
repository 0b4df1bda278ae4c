#include "harness/kernel/folder.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include "harness/base/interrupt.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

// The files are on disk before the folder gets its name.
Status FlushToDisk(const fs::path& folder) {
  const UniqueFd handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle.IsOpen() || ::syncfs(handle.Get()) != 0) return FailErrno("flush " + folder.string());
  return {};
}

Status ReplaceFolder(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::remove_all(to, error);
  if (!error) fs::rename(from, to, error);
  if (error) return Fail("cannot write " + to.string() + ": " + error.message());
  return {};
}

}  // namespace

Status MakeFolderAtomically(const fs::path& folder,
                            const std::function<Status(const fs::path&)>& fill) {
  const fs::path part = folder.string() + ".part";
  std::error_code error;
  fs::remove_all(part, error);  // of an earlier attempt that was killed
  fs::create_directories(part, error);
  if (error) return Fail("cannot make " + part.string() + ": " + error.message());
  Status status = fill(part);
  if (status) status = FlushToDisk(part);
  if (status) status = ReplaceFolder(part, folder);
  if (!status) fs::remove_all(part, error);
  return status;
}

Result<UniqueFd> Lock(const fs::path& path) {
  constexpr int kPollMilliseconds = 100;
  const fs::path file = path.string() + ".lock";
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
  return lock;
}

}  // namespace kassay
