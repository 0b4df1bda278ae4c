// libarchive's handles with one owner, and its errors as values.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <memory>
#include <string>

#include "harness/base/result.h"

namespace kassay {

struct ArchiveReadFree {
  void operator()(archive* handle) const { archive_read_free(handle); }
};
struct ArchiveWriteFree {
  void operator()(archive* handle) const { archive_write_free(handle); }
};
struct ArchiveEntryFree {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using ArchiveReader = std::unique_ptr<archive, ArchiveReadFree>;
using ArchiveWriter = std::unique_ptr<archive, ArchiveWriteFree>;
using ArchiveEntry = std::unique_ptr<archive_entry, ArchiveEntryFree>;

inline tl::unexpected<Error> FailArchive(archive* handle, const std::string& what) {
  const char* reason = archive_error_string(handle);
  return Fail(what + ": " + (reason != nullptr ? reason : "damaged"));
}

// The compressions of packages and modules. archive_read_support_filter_all() would also start
// external programs for exotic ones.
inline void SupportPackageFilters(archive* handle) {
  archive_read_support_filter_gzip(handle);
  archive_read_support_filter_bzip2(handle);
  archive_read_support_filter_xz(handle);
  archive_read_support_filter_lzma(handle);
  archive_read_support_filter_zstd(handle);
}

// The archive in a file; `support` says which formats and compressions it may have.
[[nodiscard]] Result<ArchiveReader> OpenArchive(const std::filesystem::path& file,
                                                void (*support)(archive*));

// The tar archive, compressed as packages compress, that is the entry at whose header `outer`
// stands. It is read from `outer`, which must outlive it, block by block.
[[nodiscard]] Result<ArchiveReader> OpenTarWithin(archive* outer);

// Moves on to the next entry; nullptr at the end. Fails on a damaged archive and on Ctrl-C.
[[nodiscard]] Result<archive_entry*> NextEntry(archive* handle);

}  // namespace kassay
