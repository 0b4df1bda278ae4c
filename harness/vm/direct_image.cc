#include "harness/vm/direct_image.h"

#include <archive.h>
#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>

#include "harness/base/find_program.h"
#include "harness/kernel/image_header.h"

namespace kassay {
namespace {

template <typename T>
bool ReadAt(std::string_view bytes, std::size_t at, T& value) {
  if (at > bytes.size() || sizeof(T) > bytes.size() - at) return false;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return true;
}

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
  ReadAt(image, at, value);
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

// The uncompressed kernel of a bzImage.
Result<std::string> UnpackPayload(std::string_view image) {
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
  const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), &archive_read_free);
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

bool NotesHavePvhEntry(std::string_view notes) {
  constexpr std::uint32_t kPhys32Entry = 18;  // XEN_ELFNOTE_PHYS32_ENTRY, xen/interface/elfnote.h
  const auto aligned = [](std::size_t size) { return (size + 3) & ~std::size_t{3}; };
  Elf64_Nhdr note;
  while (ReadAt(notes, 0, note)) {
    const std::size_t name = sizeof note;
    const std::size_t next = name + aligned(note.n_namesz) + aligned(note.n_descsz);
    if (next > notes.size()) return false;
    if (note.n_type == kPhys32Entry &&
        notes.substr(name, note.n_namesz) == std::string_view("Xen\0", 4))
      return true;
    notes.remove_prefix(next);
  }
  return false;
}

bool HasPvhEntry(std::string_view elf) {
  Elf64_Ehdr header;
  if (!ReadAt(elf, 0, header)) return false;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (!ReadAt(elf, header.e_phoff + std::size_t{i} * sizeof segment, segment)) return false;
    if (segment.p_type != PT_NOTE || segment.p_offset > elf.size()) continue;
    if (NotesHavePvhEntry(elf.substr(segment.p_offset, segment.p_filesz))) return true;
  }
  return false;
}

}  // namespace

Result<std::string> ExtractDirectImage(std::string_view image) {
  KASSAY_TRY(const ImageKind kind, ParseImageKind(image));
  std::string kernel(image);
  if (kind == ImageKind::kBzImage) {
    KASSAY_TRY(kernel, UnpackPayload(image));
  }
  const char* const what = kind == ImageKind::kBzImage ? "the kernel in it" : "it";
  if (!kernel.starts_with(ELFMAG) || kernel.size() <= EI_CLASS || kernel[EI_CLASS] != ELFCLASS64)
    return Fail(std::string(what) + " is no 64-bit ELF");
  if (!HasPvhEntry(kernel)) {
    return Fail(std::string(what) + " has no PVH entry (CONFIG_PVH is not set): " +
                (kind == ImageKind::kBzImage ? "use --boot bzimage"
                                             : "give the bzImage that holds it, with --boot "
                                               "bzimage"));
  }
  // hw/i386/x86.c:x86_load_linux looks for this mark first, and then starts the firmware's way.
  if (kernel.size() >= 0x206 && kernel.compare(0x202, 4, "HdrS") == 0)
    return Fail(std::string(what) + " passes for a bzImage too");
  return kernel;
}

}  // namespace kassay
