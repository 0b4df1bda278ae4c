#include "harness/kernel/image_payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "harness/base/find_program.h"
#include "harness/kernel/archive_handle.h"

namespace kassay {
namespace {

constexpr std::size_t kMaxKernelBytes = std::size_t{512} << 20;

// How the kernel's build compresses it (scripts/Makefile.lib: cmd_gzip and what follows). Where
// libarchive was built without the library it runs the program; for LZO Debian's always does.
struct Compression {
  const char* name;
  std::string_view magic;
  int (*support)(archive*);
  const char* program;
  const char* package;
};
constexpr std::array<Compression, 8> kCompressions = {{
    {"gzip", "\x1f\x8b", &archive_read_support_filter_gzip, "gzip", "gzip"},
    {"bzip2", "BZh", &archive_read_support_filter_bzip2, "bzip2", "bzip2"},
    {"LZMA", {"\x5d\0\0", 3}, &archive_read_support_filter_lzma, "lzma", "xz-utils"},
    {"XZ", {"\xfd\x37zXZ\0", 6}, &archive_read_support_filter_xz, "xz", "xz-utils"},
    {"LZO", {"\x89LZO\0\r\n\x1a\n", 9}, &archive_read_support_filter_lzop, "lzop", "lzop"},
    {"LZ4", "\x02\x21\x4c\x18", &archive_read_support_filter_lz4, "lz4", "lz4"},
    {"LZ4", "\x04\x22\x4d\x18", &archive_read_support_filter_lz4, "lz4", "lz4"},
    {"Zstandard", "\x28\xb5\x2f\xfd", &archive_read_support_filter_zstd, "zstd", "zstd"},
}};

// A field of the setup header, zero beyond the end; little-endian, as the machines it boots are.
template <typename T>
std::size_t Field(std::string_view image, std::size_t at) {
  T value = 0;
  if (at <= image.size() && sizeof(T) <= image.size() - at)
    std::memcpy(&value, image.data() + at, sizeof(T));
  return value;
}

Result<std::string_view> Payload(std::string_view image) {
  if (Field<std::uint16_t>(image, 0x206) < 0x208)
    return Fail("its boot protocol is older than 2.08: use --boot bzimage");
  const std::size_t setup_sectors = Field<std::uint8_t>(image, 0x1f1);
  const std::size_t start =
      ((setup_sectors == 0 ? 4 : setup_sectors) + 1) * 512 + Field<std::uint32_t>(image, 0x248);
  const std::size_t size = Field<std::uint32_t>(image, 0x24c);
  if (start > image.size() || size > image.size() - start || size < 4)
    return Fail("its payload lies outside of it: truncated?");
  return image.substr(start, size);
}

}  // namespace

Result<std::string> UncompressedKernel(std::string_view image) {
  KASSAY_TRY(std::string_view payload, Payload(image));
  const auto* const compression =
      std::find_if(kCompressions.begin(), kCompressions.end(),
                   [&](const Compression& each) { return payload.starts_with(each.magic); });
  if (compression == kCompressions.end())
    return Fail("its compression is not known: use --boot bzimage");
  // The build appends the uncompressed size (scripts/Makefile.lib:size_append); gzip has it there
  // by itself.
  const std::size_t size = Field<std::uint32_t>(payload, payload.size() - 4);
  if (size == 0 || size > kMaxKernelBytes) return Fail("its payload has no sensible size");
  // The other formats' decompressors would take it for the start of another stream.
  if (compression != kCompressions.begin()) payload.remove_suffix(4);
  const ArchiveReader reader(archive_read_new());
  archive_read_support_format_raw(reader.get());
  // The one decompressor that is needed may be a program that must be there.
  const int supported = compression->support(reader.get());
  if (supported != ARCHIVE_OK &&
      (supported != ARCHIVE_WARN || FindProgram(compression->program).empty()))
    return Fail(
        fmt::format("it is compressed with {}, and the program {} is not here: apt-get "
                    "install {}, or use --boot bzimage",
                    compression->name, compression->program, compression->package));
  archive_entry* entry = nullptr;
  const bool opened =
      archive_read_open_memory(reader.get(), payload.data(), payload.size()) == ARCHIVE_OK &&
      archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK &&
      archive_filter_code(reader.get(), 0) != ARCHIVE_FILTER_NONE;
  std::string kernel(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const la_ssize_t got =
        opened ? archive_read_data(reader.get(), kernel.data() + have, size - have) : -1;
    if (got <= 0) return Fail("its payload is damaged");
    have += static_cast<std::size_t>(got);
  }
  return kernel;
}

}  // namespace kassay
