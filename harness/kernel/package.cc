#include "harness/kernel/package.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>
#include <regex>
#include <sstream>
#include <string_view>

#include "harness/kernel/archive_handle.h"
#include "harness/kernel/rpm_header.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

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
    std::uint64_t entries = 0;
    while (true) {
      KASSAY_TRY(archive_entry* const entry, NextEntry(source_));
      if (entry == nullptr) return {};
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
        return WriteFile(entry, into_ / *place);
      case AE_IFDIR:  // made on demand
      case AE_IFLNK:  // e.g. "build"; nothing of it is needed
        return {};
      default:
        return Fail(fmt::format("refused: {} is neither a file nor a folder", place->string()));
    }
  }

  Status WriteFile(archive_entry* entry, const fs::path& target) {
    archive_entry_set_pathname(entry, target.c_str());
    archive_entry_set_perm(entry, 0644);
    if (archive_write_header(disk_.get(), entry) != ARCHIVE_OK) return CannotWrite(target);
    const void* block = nullptr;
    size_t size = 0;
    la_int64_t offset = 0;
    while (true) {
      const int got = archive_read_data_block(source_, &block, &size, &offset);
      if (got == ARCHIVE_EOF) break;
      if (got != ARCHIVE_OK) return FailArchive(source_, "damaged");
      KASSAY_CHECK(WithinSize());
      if (archive_write_data_block(disk_.get(), block, size, offset) != ARCHIVE_OK)
        return CannotWrite(target);
    }
    if (archive_write_finish_entry(disk_.get()) != ARCHIVE_OK) return CannotWrite(target);
    return {};
  }

  [[nodiscard]] tl::unexpected<Error> CannotWrite(const fs::path& target) const {
    const int reason = archive_errno(disk_.get());
    if (reason != ENOSPC && reason != EDQUOT)
      return FailArchive(disk_.get(), "cannot write " + target.string());
    return Fail(fmt::format(
        "no space left for {}: free some, or set KASSAY_CACHE_DIR to a folder elsewhere",
        target.string()));
  }

  archive* source_;
  const fs::path& into_;
  PackagePart part_;
  const UnpackLimits& limits_;
  ArchiveWriter disk_{archive_write_disk_new()};
};

std::string VendorOf(const std::string& maintainer) {
  for (const char* vendor :
       {"ubuntu", "debian", "fedora", "suse", "red hat", "oracle", "proxmox", "archlinux"}) {
    if (::strcasestr(maintainer.c_str(), vendor) != nullptr) return vendor;
  }
  return "";
}

// What a package says of itself: a file of "Field: value" lines. What is needed here never spans
// lines.
struct Metadata {
  std::string_view file, name, version, maintainer;
};
constexpr Metadata kDebControl{"control", "Package: ", "Version: ", "Maintainer: "};
constexpr Metadata kArchPkgInfo{".PKGINFO", "pkgname = ", "pkgver = ", "packager = "};

PackageInfo ParseMetadata(const std::string& text, const Metadata& metadata) {
  PackageInfo info;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(metadata.name)) info.name = line.substr(metadata.name.size());
    if (line.starts_with(metadata.version)) info.version = line.substr(metadata.version.size());
    if (line.starts_with(metadata.maintainer)) info.vendor = VendorOf(line);
  }
  return info;
}

Result<PackageInfo> ReadMetadata(archive* source, const Metadata& metadata) {
  std::string text(kMaxControlBytes, '\0');
  const la_ssize_t got = archive_read_data(source, text.data(), text.size());
  if (got < 0) return FailArchive(source, "damaged");
  text.resize(static_cast<size_t>(got));
  return ParseMetadata(text, metadata);
}

Result<PackageInfo> ReadControl(archive* source) {
  while (true) {
    KASSAY_TRY(archive_entry* const entry, NextEntry(source));
    if (entry == nullptr) return Fail("damaged: no control file");
    const char* pathname = archive_entry_pathname(entry);
    if (pathname == nullptr || fs::path(pathname).filename() != kDebControl.file) continue;
    return ReadMetadata(source, kDebControl);
  }
}

// deb(5): an ar archive of debian-binary, control.tar* and data.tar*, in this order.
Result<PackageInfo> UnpackDeb(const fs::path& package, const fs::path& into, PackagePart part,
                              const UnpackLimits& limits) {
  KASSAY_TRY(const ArchiveReader outer,
             OpenArchive(package, [](archive* handle) { archive_read_support_format_ar(handle); }));
  PackageInfo info;
  while (true) {
    KASSAY_TRY(archive_entry* const entry, NextEntry(outer.get()));
    if (entry == nullptr) return Fail("damaged: it holds no data.tar; truncated?");
    const char* pathname = archive_entry_pathname(entry);
    const std::string member = pathname != nullptr ? pathname : "";
    if (!member.starts_with("control.tar") && !member.starts_with("data.tar")) continue;
    KASSAY_TRY(const ArchiveReader inner, OpenTarWithin(outer.get()));
    if (member.starts_with("control.tar")) {
      KASSAY_TRY(info, ReadControl(inner.get()));
      continue;
    }
    KASSAY_CHECK(Unpacker(inner.get(), into, part, limits).All());
    return info;
  }
}

Result<PackageInfo> UnpackRpm(const fs::path& package, const fs::path& into, PackagePart part,
                              const UnpackLimits& limits) {
  KASSAY_TRY(const ArchiveReader reader, OpenArchive(package, [](archive* handle) {
               archive_read_support_filter_rpm(handle);
               SupportPackageFilters(handle);
               archive_read_support_format_cpio(handle);
             }));
  KASSAY_TRY(const RpmHeader header, ReadRpmHeader(package));
  KASSAY_CHECK(Unpacker(reader.get(), into, part, limits).All());
  return PackageInfo{header.name, header.version, VendorOf(header.vendor)};
}

Result<ArchiveReader> OpenTar(const fs::path& package) {
  return OpenArchive(package, [](archive* handle) {
    SupportPackageFilters(handle);
    archive_read_support_format_tar(handle);
  });
}

bool IsTar(const fs::path& file) {
  const auto reader = OpenTar(file);
  archive_entry* entry = nullptr;
  return reader && archive_read_next_header(reader->get(), &entry) == ARCHIVE_OK;
}

// Of pacman's packages, whose own files (.BUILDINFO, .MTREE, .PKGINFO) stand in front; a plain
// archive, as `make tar-pkg` writes it, has no name.
Result<PackageInfo> InfoOfTar(const fs::path& package) {
  KASSAY_TRY(const ArchiveReader reader, OpenTar(package));
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK) {
    const char* pathname = archive_entry_pathname(entry);
    const std::string name = pathname != nullptr ? fs::path(pathname).lexically_normal() : "";
    if (name == kArchPkgInfo.file) return ReadMetadata(reader.get(), kArchPkgInfo);
    if (!name.starts_with('.')) break;
  }
  return PackageInfo{};
}

Result<PackageInfo> UnpackTar(const fs::path& package, const fs::path& into, PackagePart part,
                              const UnpackLimits& limits) {
  KASSAY_TRY(const PackageInfo info, InfoOfTar(package));
  KASSAY_TRY(const ArchiveReader reader, OpenTar(package));
  KASSAY_CHECK(Unpacker(reader.get(), into, part, limits).All());
  return info;
}

}  // namespace

bool IsPackage(const fs::path& file) {
  const std::string head = HeadOf(file);
  return head == kDebMagic || head.starts_with(kRpmMagic) || IsTar(file);
}

Result<PackageInfo> UnpackPackage(const fs::path& package, const fs::path& into, PackagePart part,
                                  const UnpackLimits& limits) {
  const std::string head = HeadOf(package);
  Result<PackageInfo> info = Fail("neither a .deb nor an .rpm nor a tar archive");
  if (head == kDebMagic) info = UnpackDeb(package, into, part, limits);
  if (head.starts_with(kRpmMagic)) info = UnpackRpm(package, into, part, limits);
  if (IsTar(package)) info = UnpackTar(package, into, part, limits);
  if (!info) return Fail(info.error().Within("cannot unpack " + package.string()));
  return info;
}

}  // namespace kassay
