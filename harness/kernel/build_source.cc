#include "harness/kernel/build_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "harness/base/interrupt.h"
#include "harness/kernel/archive_handle.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

// An archive within an entry of another: its bytes are read from the entry as they are needed.
class NestedArchive {
 public:
  explicit NestedArchive(archive* outer) : outer_(outer), inner_(archive_read_new()) {}
  [[nodiscard]] Result<archive*> Open() {
    SupportPackageFilters(inner_.get());
    archive_read_support_format_tar(inner_.get());
    if (archive_read_open(inner_.get(), this, nullptr, &NestedArchive::Read, nullptr) != ARCHIVE_OK)
      return FailArchive(inner_.get(), "cannot open the archive within");
    return inner_.get();
  }

 private:
  static la_ssize_t Read(archive*, void* self, const void** block) {
    auto& nested = *static_cast<NestedArchive*>(self);
    *block = nested.buffer_.data();
    return archive_read_data(nested.outer_, nested.buffer_.data(), nested.buffer_.size());
  }

  archive* outer_;
  ArchiveReader inner_;
  std::array<char, 1 << 16> buffer_{};
};

// Moves on to the first entry whose name `wanted` takes.
template <typename Wanted>
Status FindEntry(archive* handle, const char* what, Wanted wanted) {
  archive_entry* entry = nullptr;
  for (;;) {
    const int result = archive_read_next_header(handle, &entry);
    if (result == ARCHIVE_EOF) return Fail(fmt::format("it has no {}", what));
    if (result < ARCHIVE_WARN) return FailArchive(handle, what);
    const char* name = archive_entry_pathname(entry);
    if (name != nullptr && wanted(std::string_view(name))) return {};
  }
}

// Below the source's own top folder.
bool IsNeeded(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.starts_with("Kconfig") || name.starts_with("Makefile") || name.starts_with("Kbuild"))
    return true;
  if (path.starts_with("arch/")) return path.starts_with("arch/x86/");
  constexpr std::array<std::string_view, 10> kNeverCompiled = {
      "Documentation/",        "drivers/gpu/",          "drivers/media/",
      "drivers/staging/",      "drivers/infiniband/",   "drivers/scsi/",
      "drivers/net/ethernet/", "drivers/net/wireless/", "sound/",
      "tools/testing/"};
  return std::none_of(kNeverCompiled.begin(), kNeverCompiled.end(),
                      [&](std::string_view prefix) { return path.starts_with(prefix); });
}

Status ExtractTree(archive* tar, const fs::path& into) {
  const ArchiveWriter disk(archive_write_disk_new());
  archive_write_disk_set_options(disk.get(), ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_PERM |
                                                 ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                                                 ARCHIVE_EXTRACT_SECURE_NODOTDOT);
  archive_entry* entry = nullptr;
  for (;;) {
    if (Interrupted()) return Fail(Interruption());
    const int result = archive_read_next_header(tar, &entry);
    if (result == ARCHIVE_EOF) return {};
    if (result < ARCHIVE_WARN) return FailArchive(tar, "source");
    const std::string_view name = archive_entry_pathname(entry);
    const std::size_t slash = name.find('/');
    if (slash == std::string_view::npos || slash + 1 == name.size()) continue;
    const std::string path(name.substr(slash + 1));
    if (!IsNeeded(path)) continue;
    archive_entry_set_pathname(entry, (into / path).c_str());
    if (archive_entry_hardlink(entry) != nullptr) return Fail("a hard link in the source");
    if (archive_read_extract2(tar, entry, disk.get()) < ARCHIVE_WARN)
      return FailArchive(tar, "cannot write " + path);
  }
}

Status UnpackInto(const fs::path& package, const fs::path& folder) {
  const ArchiveReader outer(archive_read_new());
  archive_read_support_format_ar(outer.get());
  if (archive_read_open_filename(outer.get(), package.c_str(), 1 << 16) != ARCHIVE_OK)
    return FailArchive(outer.get(), "not a .deb");
  KASSAY_CHECK(FindEntry(outer.get(), "data.tar",
                         [](std::string_view name) { return name.starts_with("data.tar"); }));
  NestedArchive data(outer.get());
  KASSAY_TRY(archive* const data_tar, data.Open());
  KASSAY_CHECK(FindEntry(data_tar, "usr/src/linux-source-*.tar", [](std::string_view name) {
    return name.find("usr/src/linux-source-") != std::string_view::npos &&
           name.find(".tar") != std::string_view::npos;
  }));
  NestedArchive source(data_tar);
  KASSAY_TRY(archive* const source_tar, source.Open());
  return ExtractTree(source_tar, folder);
}

}  // namespace

Status UnpackSource(const fs::path& package, const fs::path& into) {
  const fs::path part = into.string() + ".part";
  std::error_code error;
  fs::remove_all(part, error);
  fs::create_directories(part, error);
  if (error) return Fail("cannot make " + part.string() + ": " + error.message());
  if (const Status status = UnpackInto(package, fs::absolute(part)); !status)
    return Fail(status.error().Within(package.string()));
  fs::rename(part, into, error);
  if (error) return Fail("cannot rename " + part.string() + ": " + error.message());
  return {};
}

}  // namespace kassay
