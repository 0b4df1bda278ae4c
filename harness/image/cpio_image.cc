#include "harness/image/cpio_image.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "harness/base/file.h"
#include "harness/base/interrupt.h"
#include "harness/base/sha256.h"
#include "harness/kernel/archive_handle.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

// The kernel wants each archive to begin on four bytes (init/initramfs.c:do_reset()).
constexpr int kPaddedTo = 512;

la_ssize_t AppendTo(archive* /*writer*/, void* out, const void* block, size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(block), size);
  return static_cast<la_ssize_t>(size);
}

}  // namespace

Result<std::string> CpioImage::Entry::Content() const {
  if (late) return late();
  if (!host_file.empty()) return ReadFile(host_file);
  return text;
}

void CpioImage::Add(const fs::path& path, Entry entry) {
  const fs::path relative = path.relative_path();
  for (fs::path parent = relative.parent_path(); !parent.empty(); parent = parent.parent_path()) {
    entries_.try_emplace(parent.string(), Entry{.mode = S_IFDIR | 0755});
  }
  entries_.insert_or_assign(relative.string(), std::move(entry));
}

void CpioImage::AddFolder(const fs::path& path, unsigned mode) {
  Add(path, {.mode = S_IFDIR | mode});
}

void CpioImage::AddText(const fs::path& path, std::string text, unsigned mode) {
  Add(path, {.mode = S_IFREG | mode, .text = std::move(text)});
}

void CpioImage::AddFile(const fs::path& path, const fs::path& host_file, unsigned mode) {
  Add(path, {.mode = S_IFREG | mode, .host_file = host_file});
}

void CpioImage::AddLate(const fs::path& path, ContentSource source, std::string fingerprint,
                        unsigned mode) {
  Add(path,
      {.mode = S_IFREG | mode, .late = std::move(source), .fingerprint = std::move(fingerprint)});
}

void CpioImage::AddLink(const fs::path& path, std::string target) {
  Add(path, {.mode = S_IFLNK | 0777, .text = std::move(target)});
}

void CpioImage::AddCharacterDevice(const fs::path& path, unsigned major, unsigned minor,
                                   unsigned mode) {
  Add(path, {.mode = S_IFCHR | mode, .major = major, .minor = minor});
}

Result<std::string> CpioImage::Fingerprint() const {
  Sha256 sum;
  for (const auto& [path, entry] : entries_) {
    std::string content = entry.late ? entry.fingerprint : Sha256Hex(entry.text);
    if (!entry.host_file.empty()) {
      KASSAY_TRY(content, Sha256HexOfFile(entry.host_file));
    }
    sum.Update(
        fmt::format("{}\n{:o} {}:{} {}\n", path, entry.mode, entry.major, entry.minor, content));
  }
  return sum.Hex();
}

Result<std::string> CpioImage::Bytes() const {
  std::string bytes;
  const ArchiveWriter writer(archive_write_new());
  archive_write_set_format_cpio_newc(writer.get());
  archive_write_set_bytes_in_last_block(writer.get(), kPaddedTo);
  archive_write_open(writer.get(), &bytes, nullptr, &AppendTo, nullptr);
  la_int64_t inode = 0;
  for (const auto& [path, entry] : entries_) {
    if (Interrupted()) return Fail(Interruption());
    const ArchiveEntry header(archive_entry_new());
    archive_entry_set_pathname(header.get(), path.c_str());
    archive_entry_set_mode(header.get(), entry.mode);
    archive_entry_set_nlink(header.get(), 1);
    archive_entry_set_ino64(header.get(), ++inode);
    archive_entry_set_mtime(header.get(), 0, 0);
    KASSAY_TRY(std::string content, entry.Content());
    if (S_ISLNK(entry.mode)) {
      archive_entry_set_symlink(header.get(), content.c_str());
      content.clear();
    }
    if (S_ISCHR(entry.mode))
      archive_entry_set_rdev(header.get(), ::makedev(entry.major, entry.minor));
    const auto size = static_cast<la_ssize_t>(content.size());
    archive_entry_set_size(header.get(), size);
    if (archive_write_header(writer.get(), header.get()) != ARCHIVE_OK ||
        archive_write_data(writer.get(), content.data(), content.size()) != size) {
      return FailArchive(writer.get(), "cannot archive " + path);
    }
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK)
    return FailArchive(writer.get(), "cannot end the archive");
  return bytes;
}

}  // namespace kassay
