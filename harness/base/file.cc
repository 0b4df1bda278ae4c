#include "harness/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

#include "harness/base/unique_fd.h"

namespace kassay {
namespace fs = std::filesystem;

Result<std::string> ReadFile(const fs::path& path, size_t max_bytes) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.IsOpen()) return FailErrno("open " + path.string());
  std::string content;
  std::string chunk(size_t{64} << 10, '\0');
  while (true) {
    const ssize_t got = ::read(file.Get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailErrno("read " + path.string());
    if (got == 0) return content;
    content.append(chunk.data(), static_cast<size_t>(got));
    if (content.size() > max_bytes) {
      return Fail(path.string() + " is larger than the " + std::to_string(max_bytes) +
                  " bytes expected at most");
    }
  }
}

namespace {

Status WriteAll(int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return FailErrno("write " + name);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

}  // namespace

Status WriteFileAtomically(const fs::path& path, std::string_view bytes) {
  static std::atomic<unsigned> serial{0};
  std::error_code ignored;
  if (const fs::file_status there = fs::status(path, ignored);
      fs::exists(there) && !fs::is_regular_file(there) && !fs::is_directory(there)) {
    const UniqueFd stream(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!stream.IsOpen()) return FailErrno("cannot write " + path.string());
    return WriteAll(stream.Get(), bytes, path.string());
  }
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), ignored);
  const fs::path temporary =
      path.string() + "." + std::to_string(::getpid()) + "." + std::to_string(serial++) + ".part";
  UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.IsOpen()) return FailErrno("cannot write " + path.string());
  Status status = WriteAll(file.Get(), bytes, path.string());
  if (status && ::fsync(file.Get()) != 0) status = FailErrno("write " + path.string());
  if (status && ::rename(temporary.c_str(), path.c_str()) != 0)
    status = FailErrno("rename to " + path.string());
  if (!status) ::unlink(temporary.c_str());
  return status;
}

}  // namespace kassay
