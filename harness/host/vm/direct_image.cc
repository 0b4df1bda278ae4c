#include "harness/host/vm/direct_image.h"

#include <archive.h>
#include <elf.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace kassay {
namespace {

constexpr std::size_t kMaxKernelBytes = std::size_t{512} << 20;

// A little-endian field of the setup header, zero beyond the end.
std::uint32_t Field(std::string_view image, std::size_t at, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes; i > 0; --i) {
    const std::size_t place = at + i - 1;
    value = (value << 8) | (place < image.size() ? static_cast<unsigned char>(image[place]) : 0);
  }
  return value;
}

Result<std::string_view> Payload(std::string_view image) {
  if (image.size() < 0x250 || image.substr(0x202, 4) != "HdrS")
    return Fail("it is neither a bzImage nor an ELF");
  if (Field(image, 0x206, 2) < 0x208) return Fail("its boot protocol is older than 2.08");
  const std::uint32_t setup_sectors = Field(image, 0x1f1, 1) == 0 ? 4 : Field(image, 0x1f1, 1);
  const std::size_t start = (std::size_t{setup_sectors} + 1) * 512 + Field(image, 0x248, 4);
  const std::size_t size = Field(image, 0x24c, 4);
  if (start > image.size() || size > image.size() - start || size < 4)
    return Fail("its payload lies outside of it");
  return image.substr(start, size);
}

Result<std::string> Decompress(std::string_view payload) {
  // The build appends the uncompressed size (scripts/Makefile.lib:size_append); gzip has it there
  // by itself.
  const std::size_t size = Field(payload, payload.size() - 4, 4);
  if (size == 0 || size > kMaxKernelBytes) return Fail("its payload has no sensible size");
  // The other formats' decompressors would take it for the start of another stream.
  if (!payload.starts_with("\x1f\x8b")) payload.remove_suffix(4);
  const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), &archive_read_free);
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_raw(reader.get());
  archive_entry* entry = nullptr;
  if (archive_read_open_memory(reader.get(), payload.data(), payload.size()) != ARCHIVE_OK ||
      archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK)
    return Fail("its compression is not one that libarchive knows");
  std::string kernel(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const la_ssize_t got = archive_read_data(reader.get(), kernel.data() + have, size - have);
    if (got <= 0) return Fail("its payload is damaged");
    have += static_cast<std::size_t>(got);
  }
  return kernel;
}

template <typename T>
bool ReadAt(std::string_view bytes, std::size_t at, T& value) {
  if (at > bytes.size() || sizeof(T) > bytes.size() - at) return false;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return true;
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
        notes.substr(name, note.n_namesz) == std::string_view("Xen", 4))
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
  std::string kernel;
  if (image.starts_with(ELFMAG)) {
    kernel = std::string(image);
  } else {
    KASSAY_TRY(const std::string_view payload, Payload(image));
    KASSAY_TRY(kernel, Decompress(payload));
  }
  if (!kernel.starts_with(ELFMAG) || kernel.size() <= EI_CLASS || kernel[EI_CLASS] != ELFCLASS64)
    return Fail("its payload is no 64-bit ELF");
  if (!HasPvhEntry(kernel)) return Fail("it has no PVH entry (CONFIG_PVH is not set)");
  return kernel;
}

}  // namespace kassay
