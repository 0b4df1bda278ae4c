#include "harness/image/initramfs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <functional>
#include <optional>

#include "harness/base/file.h"
#include "harness/base/sha256.h"
#include "harness/image/segments.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

constexpr auto kKeptUnused = std::chrono::hours(7 * 24);
constexpr size_t kMaxSegmentBytes = size_t{4} << 30;

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

// Its bytes.
Result<std::string> CachedSegment(const fs::path& path,
                                  const std::function<Result<CpioImage>()>& make) {
  if (std::error_code ignored; fs::exists(path, ignored)) {
    Touch(path);
    return ReadFile(path, kMaxSegmentBytes);
  }
  KASSAY_TRY(const CpioImage image, make());
  KASSAY_TRY(std::string bytes, image.Bytes());
  KASSAY_CHECK(WriteFileAtomically(path, bytes));
  return bytes;
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

}  // namespace

Result<Initramfs> BuildInitramfs(const InitramfsSpec& spec, const fs::path& cache_dir) {
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
  KASSAY_TRY(std::string bytes, CachedSegment(cache_dir / ("user-" + user_key + ".cpio"),
                                              [&]() -> Result<CpioImage> { return user_space; }));
  KASSAY_TRY(const std::string modules,
             CachedSegment(cache_dir / ("modules-" + module_key + ".cpio"),
                           [&] { return ModuleSegment(spec); }));
  bytes += modules;
  result.sha256 = Sha256Hex(bytes);
  KASSAY_CHECK(WriteFileAtomically(NoteOf(result.path),
                                   fmt::format("{} {}\n", result.sha256, bytes.size())));
  KASSAY_CHECK(WriteFileAtomically(result.path, bytes));
  return result;
}

}  // namespace kassay
