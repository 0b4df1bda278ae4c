#include "harness/kernel/config_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "harness/base/file.h"
#include "harness/kernel/archive_handle.h"
#include "harness/kernel/image_header.h"
#include "harness/kernel/image_payload.h"

namespace kassay {
namespace {

constexpr size_t kMaxConfigBytes = size_t{16} << 20;
constexpr size_t kMaxImageBytes = size_t{512} << 20;

// Plain text passes as it is.
Result<std::string> Decompressed(std::string_view bytes) {
  const ArchiveReader reader(archive_read_new());
  SupportPackageFilters(reader.get());
  archive_read_support_format_raw(reader.get());
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
    return FailArchive(reader.get(), "damaged");
  KASSAY_TRY(const archive_entry* const entry, NextEntry(reader.get()));
  if (entry == nullptr) return std::string();
  std::string text(kMaxConfigBytes, '\0');
  size_t have = 0;
  while (have < text.size()) {
    const la_ssize_t got = archive_read_data(reader.get(), text.data() + have, text.size() - have);
    if (got < 0) return FailArchive(reader.get(), "damaged");
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  if (have == text.size()) return Fail("it is larger than 16 MiB");
  text.resize(have);
  return text;
}

// What the text says it is the configuration of; empty if it does not say.
std::string VersionNamedBy(std::string_view text) {
  constexpr std::string_view kBegin = "# Linux/";
  constexpr std::string_view kEnd = " Kernel Configuration";
  for (int line = 1; line <= 4 && !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view words = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!words.starts_with(kBegin) || !words.ends_with(kEnd)) continue;
    words.remove_suffix(kEnd.size());
    return std::string(words.substr(words.rfind(' ') + 1));
  }
  return {};
}

// "6.1.0-57-amd64": the last number of the version gives way to one of the ABI's.
bool NamesAnAbi(std::string_view release, const KernelVersion& version) {
  const std::string begin = fmt::format("{}.{}.0-", version.major, version.minor);
  return release.starts_with(begin) && release.size() > begin.size() &&
         std::isdigit(static_cast<unsigned char>(release[begin.size()])) != 0;
}

}  // namespace

Result<std::string> ReadConfigText(const std::filesystem::path& file) {
  KASSAY_TRY(const std::string bytes, ReadFile(file, kMaxConfigBytes));
  if (bytes.empty()) return bytes;
  auto text = Decompressed(bytes);
  if (!text) return Fail(text.error().Within(file.string()));
  return text;
}

std::string ConfigWithin(std::string_view elf) {
  constexpr std::string_view kBegin = "IKCFG_ST";
  constexpr std::string_view kEnd = "IKCFG_ED";
  constexpr std::string_view kGzip = "\x1f\x8b\x08";
  // The words alone stand in programs that look for them, too.
  for (size_t at = elf.find(kBegin); at != std::string_view::npos;
       at = elf.find(kBegin, at + kBegin.size())) {
    const std::string_view rest = elf.substr(at + kBegin.size());
    const size_t end = rest.find(kEnd);
    if (end == std::string_view::npos) return {};
    if (!rest.starts_with(kGzip)) continue;
    const auto text = Decompressed(rest.substr(0, end));
    // What is not compressed comes back as it is.
    return text && text->find("CONFIG_") != std::string::npos ? *text : "";
  }
  return {};
}

std::string ConfigWithinImage(const std::filesystem::path& image) {
  const auto bytes = ReadFile(image, kMaxImageBytes);
  if (!bytes) return {};
  const auto kind = ParseImageKind(*bytes);
  if (!kind) return {};
  if (*kind == ImageKind::kVmlinux) return ConfigWithin(*bytes);
  const auto kernel = UncompressedKernel(*bytes);
  return kernel ? ConfigWithin(*kernel) : "";
}

Result<KernelVersion> VersionWithConfig(std::string_view release, std::string_view text) {
  KASSAY_TRY(const KernelVersion kernel, ParseKernelVersion(release));
  const std::string named = VersionNamedBy(text);
  const auto version = ParseKernelVersion(named);
  if (!version || *version == kernel) return kernel;
  const bool same_series = version->major == kernel.major && version->minor == kernel.minor;
  if (same_series && NamesAnAbi(release, kernel)) return *version;
  return Fail(fmt::format("it is the configuration of {}, the image is {}.{}.{}: give the one "
                          "that belongs to the image",
                          named, kernel.major, kernel.minor, kernel.patch),
              ErrorKind::kUsage);
}

}  // namespace kassay
