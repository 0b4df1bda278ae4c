#include "harness/kernel/archive_handle.h"

#include "harness/base/interrupt.h"

namespace kassay {
namespace {

constexpr size_t kReadBlock = size_t{256} << 10;

la_ssize_t ReadBlock(archive* inner, void* outer_handle, const void** block) {
  auto* outer = static_cast<archive*>(outer_handle);
  size_t size = 0;
  la_int64_t offset = 0;
  const int got = archive_read_data_block(outer, block, &size, &offset);
  if (got == ARCHIVE_EOF) return 0;
  if (got == ARCHIVE_OK) return static_cast<la_ssize_t>(size);
  const char* reason = archive_error_string(outer);
  archive_set_error(inner, archive_errno(outer), "%s", reason != nullptr ? reason : "truncated");
  return -1;
}

}  // namespace

Result<ArchiveReader> OpenArchive(const std::filesystem::path& file, void (*support)(archive*)) {
  ArchiveReader reader(archive_read_new());
  support(reader.get());
  if (archive_read_open_filename(reader.get(), file.c_str(), kReadBlock) != ARCHIVE_OK)
    return FailArchive(reader.get(), "damaged");
  return reader;
}

Result<ArchiveReader> OpenTarWithin(archive* outer) {
  ArchiveReader inner(archive_read_new());
  SupportPackageFilters(inner.get());
  archive_read_support_format_tar(inner.get());
  if (archive_read_open(inner.get(), outer, nullptr, &ReadBlock, nullptr) != ARCHIVE_OK)
    return FailArchive(inner.get(), "damaged");
  return inner;
}

Result<archive_entry*> NextEntry(archive* handle) {
  if (Interrupted()) return Fail(Interruption());
  archive_entry* entry = nullptr;
  const int got = archive_read_next_header(handle, &entry);
  if (got == ARCHIVE_EOF) return nullptr;
  if (got != ARCHIVE_OK && got != ARCHIVE_WARN) return FailArchive(handle, "damaged");
  return entry;
}

}  // namespace kassay
