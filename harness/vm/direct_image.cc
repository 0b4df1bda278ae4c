#include "harness/vm/direct_image.h"

#include <elf.h>

#include <cstdint>
#include <cstring>

#include "harness/kernel/image_header.h"
#include "harness/kernel/image_payload.h"

namespace kassay {
namespace {

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
    KASSAY_TRY(kernel, UncompressedKernel(image));
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
