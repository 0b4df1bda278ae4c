#include "harness/vm/testing/images.h"

#include <archive_entry.h>
#include <elf.h>

#include <cstring>
#include <memory>

namespace kassay::testing {
namespace {

template <typename T>
void Append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

std::string SmallElf(std::uint32_t type) {
  std::string note;
  Append(note, Elf64_Nhdr{4, 8, type});
  note += std::string("Xen\0", 4) + std::string(8, '\x01');
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_phoff = sizeof header;
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_NOTE;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_filesz = note.size();
  std::string elf;
  Append(elf, header);
  Append(elf, segment);
  return elf + note;
}

std::string Compress(const std::string& bytes, int (*filter)(archive*)) {
  std::string out(65536, '\0');
  std::size_t used = 0;
  const std::unique_ptr<archive, decltype(&archive_write_free)> writer(archive_write_new(),
                                                                       &archive_write_free);
  archive_write_set_format_raw(writer.get());
  filter(writer.get());
  archive_write_set_bytes_in_last_block(writer.get(), 1);
  archive_write_open_memory(writer.get(), out.data(), out.size(), &used);
  const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                            &archive_entry_free);
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_write_header(writer.get(), entry.get());
  archive_write_data(writer.get(), bytes.data(), bytes.size());
  archive_write_close(writer.get());
  return out.substr(0, used);
}

void Put(std::string& image, std::size_t at, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) image[at + i] = static_cast<char>(value >> (8 * i));
}

std::string SmallBzImage(const std::string& payload) {
  std::string image(1024, '\0');
  image[0x1f1] = 1;
  Put(image, 0x1fe, 0xaa55, 2);
  image.replace(0x202, 4, "HdrS");
  Put(image, 0x206, 0x20f, 2);
  Put(image, 0x248, 0, 4);
  Put(image, 0x24c, static_cast<std::uint32_t>(payload.size()), 4);
  return image + payload;
}

std::string WithEfiStub(std::string image) {
  constexpr std::size_t kPe = 0x40;
  constexpr std::size_t kOptional = kPe + 24;
  image.replace(0, 2, "MZ");
  Put(image, 0x3c, kPe, 4);
  image.replace(kPe, 2, "PE");
  Put(image, kPe + 20, 160, 2);
  Put(image, kOptional, 0x20b, 2);
  Put(image, kOptional + 60, 0x200, 4);
  Put(image, kOptional + 108, 6, 4);
  return image;
}

std::string WithSize(std::string payload, std::size_t size) {
  payload.resize(payload.size() + 4);
  Put(payload, payload.size() - 4, static_cast<std::uint32_t>(size), 4);
  return payload;
}

}  // namespace kassay::testing
