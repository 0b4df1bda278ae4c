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

Status WriteEntry(archive* writer, archive_entry* header, const std::string& content) {
  archive_entry_set_size(header, static_cast<la_int64_t>(content.size()));
  if (archive_write_header(writer, header) != ARCHIVE_OK) return FailArchive(writer, "header");
  if (content.empty()) return {};
  const la_ssize_t put = archive_write_data(writer, content.data(), content.size());
  if (put != static_cast<la_ssize_t>(content.size())) return FailArchive(writer, "content");
  return {};
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
    Entry folder;
    folder.mode = S_IFDIR | 0755;
    entries_.try_emplace(parent.string(), std::move(folder));
  }
  entries_.insert_or_assign(relative.string(), std::move(entry));
}

void CpioImage::AddFolder(const fs::path& path, unsigned mode) {
  Entry entry;
  entry.mode = S_IFDIR | mode;
  Add(path, std::move(entry));
}

void CpioImage::AddText(const fs::path& path, std::string text, unsigned mode) {
  Entry entry;
  entry.mode = S_IFREG | mode;
  entry.text = std::move(text);
  Add(path, std::move(entry));
}

void CpioImage::AddFile(const fs::path& path, const fs::path& host_file, unsigned mode) {
  Entry entry;
  entry.mode = S_IFREG | mode;
  entry.host_file = host_file;
  Add(path, std::move(entry));
}

void CpioImage::AddLate(const fs::path& path, ContentSource source, std::string fingerprint,
                        unsigned mode) {
  Entry entry;
  entry.mode = S_IFREG | mode;
  entry.late = std::move(source);
  entry.fingerprint = std::move(fingerprint);
  Add(path, std::move(entry));
}

void CpioImage::AddLink(const fs::path& path, std::string target) {
  Entry entry;
  entry.mode = S_IFLNK | 0777;
  entry.text = std::move(target);
  Add(path, std::move(entry));
}

void CpioImage::AddCharacterDevice(const fs::path& path, unsigned major, unsigned minor,
                                   unsigned mode) {
  Entry entry;
  entry.mode = S_IFCHR | mode;
  entry.major = major;
  entry.minor = minor;
  Add(path, std::move(entry));
}

Result<std::string> CpioImage::Fingerprint() const {
  Sha256 sum;
  for (const auto& [path, entry] : entries_) {
    std::string content = entry.fingerprint;
    if (!entry.late) {
      if (entry.host_file.empty()) {
        content = Sha256Hex(entry.text);
      } else {
        KASSAY_TRY(content, Sha256HexOfFile(entry.host_file));
      }
    }
    sum.Update(
        fmt::format("{}\n{:o} {}:{} {}\n", path, entry.mode, entry.major, entry.minor, content));
  }
  return sum.Hex();
}

Status CpioImage::Write(int fd, const std::string& name) const {
  const ArchiveWriter writer(archive_write_new());
  archive_write_set_format_cpio_newc(writer.get());
  archive_write_set_bytes_in_last_block(writer.get(), kPaddedTo);
  if (archive_write_open_fd(writer.get(), fd) != ARCHIVE_OK) return FailArchive(writer.get(), name);
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
    if (auto status = WriteEntry(writer.get(), header.get(), content); !status) {
      return Fail(status.error().Within(fmt::format("cannot write {} into {}", path, name)));
    }
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK) {
    return FailArchive(writer.get(), "cannot write " + name);
  }
  return {};
}

}  // namespace kassay
