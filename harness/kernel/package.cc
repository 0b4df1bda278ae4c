#include "harness/kernel/package.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <string_view>

#include "harness/base/interrupt.h"
#include "harness/base/unique_fd.h"
#include "harness/kernel/archive_handle.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

constexpr size_t kReadBlock = size_t{256} << 10;
constexpr size_t kMaxControlBytes = size_t{1} << 20;
constexpr std::string_view kDebMagic = "!<arch>\n";
constexpr std::string_view kRpmMagic = "\xed\xab\xee\xdb";

std::string HeadOf(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string head(kDebMagic.size(), '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(in.gcount()));
  return head;
}

bool BelongsTo(std::string_view path, PackagePart part) {
  if (part == PackagePart::kHeaders) return path.starts_with("usr/src/linux-headers-");
  return path.starts_with("boot/vmlinuz") || path.starts_with("boot/config") ||
         path.starts_with("lib/modules/") || path.starts_with("usr/lib/modules/");
}

// Where an entry belongs below the target folder; nothing if it is no file of the part.
Result<std::optional<fs::path>> PlaceOf(const char* pathname, PackagePart part) {
  if (pathname == nullptr) return Fail("an entry without a readable name");
  const fs::path raw(pathname);
  if (raw.is_absolute())
    return Fail(fmt::format("refused: it holds the absolute path {}", pathname));
  fs::path clean;
  for (const fs::path& step : raw) {
    if (step == "..") return Fail(fmt::format("refused: the path {} leads out of it", pathname));
    if (!step.empty() && step != ".") clean /= step;
  }
  if (!BelongsTo(clean.string(), part)) return std::optional<fs::path>();
  return std::optional<fs::path>(clean);
}

class Unpacker {
 public:
  Unpacker(archive* source, const fs::path& into, PackagePart part, const UnpackLimits& limits)
      : source_(source), into_(into), part_(part), limits_(limits) {}

  Status All() {
    archive_entry* entry = nullptr;
    std::uint64_t entries = 0;
    while (true) {
      if (Interrupted()) return Fail(Interruption());
      const int got = archive_read_next_header(source_, &entry);
      if (got == ARCHIVE_EOF) return {};
      if (got != ARCHIVE_OK && got != ARCHIVE_WARN) return FailArchive(source_, "damaged");
      if (++entries > limits_.entries) return Fail("refused: it holds too many files");
      KASSAY_CHECK(WithinSize());
      KASSAY_CHECK(One(entry));
    }
  }

 private:
  Status WithinSize() const {
    if (archive_filter_bytes(source_, 0) > static_cast<std::int64_t>(limits_.bytes)) {
      return Fail(fmt::format("refused: it unpacks to more than {} MiB", limits_.bytes >> 20));
    }
    return {};
  }

  Status One(archive_entry* entry) {
    KASSAY_TRY(const std::optional<fs::path> place, PlaceOf(archive_entry_pathname(entry), part_));
    if (!place) return {};
    if (archive_entry_hardlink(entry) != nullptr) {
      return Fail(fmt::format("refused: {} is a hard link", place->string()));
    }
    switch (archive_entry_filetype(entry)) {
      case AE_IFREG:
        return WriteFile(*place);
      case AE_IFDIR:  // made on demand
      case AE_IFLNK:  // e.g. "build"; nothing of it is needed
        return {};
      default:
        return Fail(fmt::format("refused: {} is neither a file nor a folder", place->string()));
    }
  }

  Status WriteFile(const fs::path& place) {
    const fs::path target = into_ / place;
    std::error_code error;
    fs::create_directories(target.parent_path(), error);
    if (error) return Fail("cannot make " + target.parent_path().string() + ": " + error.message());
    const UniqueFd file(
        ::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file.IsOpen()) return FailErrno("cannot write " + target.string());
    const void* block = nullptr;
    size_t size = 0;
    la_int64_t offset = 0;
    while (true) {
      const int got = archive_read_data_block(source_, &block, &size, &offset);
      if (got == ARCHIVE_EOF) return {};
      if (got != ARCHIVE_OK) return FailArchive(source_, "damaged");
      KASSAY_CHECK(WithinSize());
      KASSAY_CHECK(WriteBlock(file.Get(), static_cast<const char*>(block), size, offset, target));
    }
  }

  static Status WriteBlock(int fd, const char* data, size_t size, off_t offset,
                           const fs::path& target) {
    while (size > 0) {
      const ssize_t put = ::pwrite(fd, data, size, offset);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0 && (errno == ENOSPC || errno == EDQUOT)) {
        return Fail(
            fmt::format("no space left for {}: free some, or set KASSAY_CACHE_DIR to a "
                        "folder elsewhere",
                        target.string()));
      }
      if (put < 0) return FailErrno("cannot write " + target.string());
      data += put;
      size -= static_cast<size_t>(put);
      offset += put;
    }
    return {};
  }

  archive* source_;
  const fs::path& into_;
  PackagePart part_;
  const UnpackLimits& limits_;
};

// A member of a .deb (data.tar.xz) read as an archive of its own, block by block.
class MemberArchive {
 public:
  // `outer` stands at the member's header.
  static Result<MemberArchive> Open(archive* outer) {
    MemberArchive member;
    member.inner_.reset(archive_read_new());
    SupportPackageFilters(member.inner_.get());
    archive_read_support_format_tar(member.inner_.get());
    if (archive_read_open(member.inner_.get(), outer, nullptr, &ReadBlock, nullptr) != ARCHIVE_OK) {
      return FailArchive(member.inner_.get(), "damaged");
    }
    return member;
  }

  [[nodiscard]] archive* Get() const { return inner_.get(); }

 private:
  static la_ssize_t ReadBlock(archive* inner, void* outer_handle, const void** block) {
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

  ArchiveReader inner_;
};

std::string VendorOf(std::string maintainer) {
  std::transform(maintainer.begin(), maintainer.end(), maintainer.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* vendor :
       {"ubuntu", "debian", "fedora", "suse", "red hat", "oracle", "proxmox"}) {
    if (maintainer.find(vendor) != std::string::npos) return vendor;
  }
  return "";
}

// deb-control(5): "Field: value" lines; what is needed here never spans lines.
PackageInfo ParseControl(std::string_view control) {
  PackageInfo info;
  while (!control.empty()) {
    const size_t end = std::min(control.find('\n'), control.size());
    const std::string_view line = control.substr(0, end);
    const auto value = [&](std::string_view field) {
      return line.starts_with(field) ? std::optional(std::string(line.substr(field.size())))
                                     : std::nullopt;
    };
    if (auto name = value("Package: ")) info.name = *name;
    if (auto version = value("Version: ")) info.version = *version;
    if (auto maintainer = value("Maintainer: ")) info.vendor = VendorOf(*maintainer);
    control.remove_prefix(std::min(end + 1, control.size()));
  }
  return info;
}

Result<PackageInfo> ReadControl(archive* source) {
  archive_entry* entry = nullptr;
  while (archive_read_next_header(source, &entry) == ARCHIVE_OK) {
    const char* pathname = archive_entry_pathname(entry);
    if (pathname == nullptr || fs::path(pathname).filename() != "control") continue;
    std::string text(kMaxControlBytes, '\0');
    const la_ssize_t got = archive_read_data(source, text.data(), text.size());
    if (got < 0) return FailArchive(source, "damaged");
    text.resize(static_cast<size_t>(got));
    return ParseControl(text);
  }
  return Fail("damaged: no control file");
}

Result<ArchiveReader> OpenFile(const fs::path& file, void (*support)(archive*)) {
  ArchiveReader reader(archive_read_new());
  support(reader.get());
  if (archive_read_open_filename(reader.get(), file.c_str(), kReadBlock) != ARCHIVE_OK) {
    return FailArchive(reader.get(), "damaged");
  }
  return reader;
}

// deb(5): an ar archive of debian-binary, control.tar* and data.tar*, in this order.
Result<PackageInfo> UnpackDeb(const fs::path& package, const fs::path& into, PackagePart part,
                              const UnpackLimits& limits) {
  KASSAY_TRY(const ArchiveReader outer,
             OpenFile(package, [](archive* handle) { archive_read_support_format_ar(handle); }));
  PackageInfo info;
  archive_entry* entry = nullptr;
  while (true) {
    const int got = archive_read_next_header(outer.get(), &entry);
    if (got == ARCHIVE_EOF) return Fail("damaged: it holds no data.tar; truncated?");
    if (got != ARCHIVE_OK) return FailArchive(outer.get(), "damaged");
    const char* pathname = archive_entry_pathname(entry);
    const std::string member = pathname != nullptr ? pathname : "";
    if (!member.starts_with("control.tar") && !member.starts_with("data.tar")) continue;
    KASSAY_TRY(const MemberArchive inner, MemberArchive::Open(outer.get()));
    if (member.starts_with("control.tar")) {
      KASSAY_TRY(info, ReadControl(inner.Get()));
      continue;
    }
    KASSAY_CHECK(Unpacker(inner.Get(), into, part, limits).All());
    return info;
  }
}

// NAME-VERSION-RELEASE.ARCH.rpm: libarchive reads an rpm's payload, not its header.
PackageInfo InfoOfRpmName(const fs::path& package) {
  PackageInfo info;
  const std::string stem = package.stem().stem().string();
  const size_t release = stem.rfind('-');
  const size_t version = release == std::string::npos || release == 0
                             ? std::string::npos
                             : stem.rfind('-', release - 1);
  if (version == std::string::npos) return {stem, "", ""};
  return {stem.substr(0, version), stem.substr(version + 1), ""};
}

Result<PackageInfo> UnpackRpm(const fs::path& package, const fs::path& into, PackagePart part,
                              const UnpackLimits& limits) {
  KASSAY_TRY(const ArchiveReader reader, OpenFile(package, [](archive* handle) {
               archive_read_support_filter_rpm(handle);
               SupportPackageFilters(handle);
               archive_read_support_format_cpio(handle);
             }));
  KASSAY_CHECK(Unpacker(reader.get(), into, part, limits).All());
  return InfoOfRpmName(package);
}

}  // namespace

bool IsPackage(const fs::path& file) {
  const std::string head = HeadOf(file);
  return head == kDebMagic || head.starts_with(kRpmMagic);
}

Result<PackageInfo> UnpackPackage(const fs::path& package, const fs::path& into, PackagePart part,
                                  const UnpackLimits& limits) {
  const std::string head = HeadOf(package);
  Result<PackageInfo> info = Fail("neither a .deb nor an .rpm");
  if (head == kDebMagic) info = UnpackDeb(package, into, part, limits);
  if (head.starts_with(kRpmMagic)) info = UnpackRpm(package, into, part, limits);
  if (!info) return Fail(info.error().Within("cannot unpack " + package.string()));
  return info;
}

}  // namespace kassay
