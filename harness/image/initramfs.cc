#include "harness/image/initramfs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>

#include "harness/base/file.h"
#include "harness/base/sha256.h"
#include "harness/base/unique_fd.h"
#include "harness/image/segments.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

constexpr auto kKeptUnused = std::chrono::hours(7 * 24);

// A file that is written beside its place and then renamed, or removed.
class PendingFile {
 public:
  static Result<PendingFile> Open(const fs::path& target) {
    static std::atomic<unsigned> serial{0};
    PendingFile file;
    file.target_ = target;
    file.path_ = fmt::format("{}.{}.{}.part", target.string(), ::getpid(), serial++);
    file.fd_.Reset(::open(file.path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file.fd_.IsOpen()) return FailErrno("cannot write " + target.string());
    return file;
  }
  PendingFile(PendingFile&& other) noexcept
      : target_(std::move(other.target_)),
        path_(std::exchange(other.path_, {})),
        fd_(std::move(other.fd_)) {}
  PendingFile& operator=(PendingFile&&) = delete;
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;
  ~PendingFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  [[nodiscard]] int Fd() const { return fd_.Get(); }
  [[nodiscard]] const fs::path& Path() const { return path_; }

  Status Commit() {
    if (::fsync(fd_.Get()) != 0) return FailErrno("cannot write " + target_.string());
    if (::rename(path_.c_str(), target_.c_str()) != 0) {
      return FailErrno("cannot write " + target_.string());
    }
    path_.clear();
    return {};
  }

 private:
  PendingFile() = default;
  fs::path target_;
  fs::path path_;
  UniqueFd fd_;
};

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// Used now: not to be tidied away soon.
void Touch(const fs::path& path) { ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0); }

// Images of suites that have been built anew since pile up; those long unused go.
void RemoveUnused(const fs::path& cache_dir) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(cache_dir, ignored)) {
    const auto used = entry.last_write_time(ignored);
    if (fs::file_time_type::clock::now() - used > kKeptUnused) fs::remove(entry.path(), ignored);
  }
}

using MakeSegment = std::function<Result<CpioImage>()>;

Result<fs::path> CachedSegment(const fs::path& path, const MakeSegment& make) {
  if (Exists(path)) {
    Touch(path);
    return path;
  }
  KASSAY_TRY(const CpioImage image, make());
  KASSAY_TRY(PendingFile file, PendingFile::Open(path));
  KASSAY_CHECK(image.Write(file.Fd(), path.string()));
  KASSAY_CHECK(file.Commit());
  return path;
}

Status AppendFile(const fs::path& from, int to, const std::string& name) {
  const UniqueFd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source.IsOpen()) return FailErrno("open " + from.string());
  constexpr size_t kChunk = size_t{64} << 20;
  while (true) {
    const ssize_t copied = ::copy_file_range(source.Get(), nullptr, to, nullptr, kChunk, 0);
    if (copied == 0) return {};
    if (copied < 0 && errno != EINTR) return FailErrno("cannot write " + name);
  }
}

// What lies beside an image: its hash and its size, so that it need not be read to be known and a
// truncated one is noticed.
fs::path NoteOf(const fs::path& image) { return image.string() + ".sha256"; }

std::optional<std::string> KnownHash(const fs::path& image) {
  constexpr size_t kHexBytes = 64;
  const auto note = ReadFile(NoteOf(image), 4096);
  std::error_code error;
  const auto size = fs::file_size(image, error);
  if (!note || error || note->size() < kHexBytes) return std::nullopt;
  if (note->substr(kHexBytes) != fmt::format(" {}\n", size)) return std::nullopt;
  return note->substr(0, kHexBytes);
}

Result<std::string> Join(const std::vector<fs::path>& segments, const fs::path& image) {
  KASSAY_TRY(PendingFile file, PendingFile::Open(image));
  for (const fs::path& segment : segments) {
    KASSAY_CHECK(AppendFile(segment, file.Fd(), image.string()));
  }
  KASSAY_TRY(std::string sha256, Sha256HexOfFile(file.Path()));
  std::error_code error;
  const auto size = fs::file_size(file.Path(), error);
  KASSAY_CHECK(WriteFileAtomically(NoteOf(image), fmt::format("{} {}\n", sha256, size)));
  KASSAY_CHECK(file.Commit());
  return sha256;
}

}  // namespace

Result<Initramfs> BuildInitramfs(const InitramfsSpec& spec, const fs::path& cache_dir) {
  std::error_code error;
  fs::create_directories(cache_dir, error);
  if (error) return Fail("cannot make " + cache_dir.string() + ": " + error.message());
  Initramfs result;
  KASSAY_TRY(result.missing_modules, MissingModules(spec));
  KASSAY_TRY(const CpioImage user_space, UserSpaceSegment(spec));
  KASSAY_TRY(const std::string user_key, user_space.Fingerprint());
  const std::string module_key = ModuleSegmentKey(spec);
  result.path = cache_dir / ("initramfs-" + Sha256Hex(user_key + module_key) + ".cpio");
  if (auto known = KnownHash(result.path)) {
    Touch(result.path);
    Touch(NoteOf(result.path));
    result.sha256 = std::move(*known);
    return result;
  }
  RemoveUnused(cache_dir);
  KASSAY_TRY(const fs::path user_file,
             CachedSegment(cache_dir / ("user-" + user_key + ".cpio"),
                           [&]() -> Result<CpioImage> { return user_space; }));
  KASSAY_TRY(const fs::path module_file,
             CachedSegment(cache_dir / ("modules-" + module_key + ".cpio"),
                           [&] { return ModuleSegment(spec); }));
  KASSAY_TRY(result.sha256, Join({user_file, module_file}, result.path));
  return result;
}

}  // namespace kassay
