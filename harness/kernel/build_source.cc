#include "harness/kernel/build_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "harness/kernel/archive_handle.h"
#include "harness/kernel/folder.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

// Moves on to the first entry whose name `wanted` takes.
template <typename Wanted>
Status FindEntry(archive* handle, const char* what, Wanted wanted) {
  for (;;) {
    KASSAY_TRY(archive_entry* const entry, NextEntry(handle));
    if (entry == nullptr) return Fail(fmt::format("it has no {}", what));
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
  for (;;) {
    KASSAY_TRY(archive_entry* const entry, NextEntry(tar));
    if (entry == nullptr) return {};
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
  KASSAY_TRY(const ArchiveReader outer,
             OpenArchive(package, [](archive* handle) { archive_read_support_format_ar(handle); }));
  KASSAY_CHECK(FindEntry(outer.get(), "data.tar",
                         [](std::string_view name) { return name.starts_with("data.tar"); }));
  KASSAY_TRY(const ArchiveReader data, OpenTarWithin(outer.get()));
  KASSAY_CHECK(FindEntry(data.get(), "usr/src/linux-source-*.tar", [](std::string_view name) {
    return name.find("usr/src/linux-source-") != std::string_view::npos &&
           name.find(".tar") != std::string_view::npos;
  }));
  KASSAY_TRY(const ArchiveReader source, OpenTarWithin(data.get()));
  return ExtractTree(source.get(), folder);
}

}  // namespace

Status UnpackSource(const fs::path& package, const fs::path& into) {
  const Status made = MakeFolderAtomically(
      into, [&](const fs::path& folder) { return UnpackInto(package, fs::absolute(folder)); });
  if (!made) return Fail(made.error().Within(package.string()));
  return {};
}

}  // namespace kassay
