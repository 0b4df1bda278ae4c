#include "harness/kernel/testing/samples.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <stdexcept>

#include "harness/base/file.h"
#include "harness/kernel/archive_handle.h"

namespace kassay::testing {
namespace fs = std::filesystem;

namespace {

void Require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("test sample: ") + what);
}

void Put16(std::string& bytes, size_t at, unsigned value) {
  bytes[at] = static_cast<char>(value & 0xff);
  bytes[at + 1] = static_cast<char>(value >> 8);
}

la_ssize_t AppendTo(archive* /*writer*/, void* out, const void* block, size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(block), size);
  return static_cast<la_ssize_t>(size);
}

void AddTo(archive* writer, const PackedFile& file) {
  const ArchiveEntry entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), file.path.c_str());
  archive_entry_set_mode(entry.get(), AE_IFREG | 0644);
  archive_entry_set_nlink(entry.get(), 1);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(file.content.size()));
  if (file.path.ends_with('/')) archive_entry_set_filetype(entry.get(), AE_IFDIR);
  if (!file.symlink.empty()) {
    archive_entry_set_filetype(entry.get(), AE_IFLNK);
    archive_entry_set_symlink(entry.get(), file.symlink.c_str());
  }
  if (!file.hardlink.empty()) archive_entry_set_hardlink(entry.get(), file.hardlink.c_str());
  Require(archive_write_header(writer, entry.get()) == ARCHIVE_OK, archive_error_string(writer));
  if (!file.content.empty()) {
    Require(archive_write_data(writer, file.content.data(), file.content.size()) >= 0, "data");
  }
}

// `setup` chooses format and filter.
std::string Pack(const std::vector<PackedFile>& files, void (*setup)(archive*)) {
  std::string bytes;
  const ArchiveWriter writer(archive_write_new());
  setup(writer.get());
  archive_write_set_bytes_in_last_block(writer.get(), 1);
  Require(archive_write_open(writer.get(), &bytes, nullptr, &AppendTo, nullptr) == ARCHIVE_OK,
          "open");
  for (const PackedFile& file : files) AddTo(writer.get(), file);
  Require(archive_write_close(writer.get()) == ARCHIVE_OK, "close");
  return bytes;
}

// An rpm header structure without entries: magic, version, reserved, two counts of zero.
std::string EmptyRpmHeader() {
  std::string header("\x8e\xad\xe8\x01", 4);
  header.append(12, '\0');
  return header;
}

template <typename T>
void Append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

ScratchFolder::ScratchFolder() {
  std::string name = ::testing::TempDir() + "kassay-test-XXXXXX";
  Require(::mkdtemp(name.data()) != nullptr, "mkdtemp");
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void Write(const fs::path& path, std::string_view bytes) {
  Require(WriteFileAtomically(path, bytes).has_value(), path.c_str());
}

std::string BzImage(const std::string& release) {
  // Documentation/arch/x86/boot.rst: boot_flag, "HdrS", kernel_version counted from 0x200.
  std::string image(0x1000, '\0');
  Put16(image, 0x1fe, 0xaa55);
  std::memcpy(&image[0x202], "HdrS", 4);
  Put16(image, 0x20e, 0x600);
  const std::string version = release + " (builder@host) #1 SMP";
  std::memcpy(&image[0x800], version.c_str(), version.size());
  return image;
}

std::string Module(const std::vector<std::string>& info) {
  static constexpr char kNames[] = "\0.modinfo\0.shstrtab";
  std::string modinfo;
  for (const auto& line : info) modinfo += line + '\0';
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_REL;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 3;
  header.e_shstrndx = 2;
  header.e_shoff = sizeof header + modinfo.size() + sizeof kNames;
  Elf64_Shdr sections[3]{};
  sections[1].sh_name = 1;
  sections[1].sh_type = SHT_PROGBITS;
  sections[1].sh_offset = sizeof header;
  sections[1].sh_size = modinfo.size();
  sections[2].sh_name = 10;
  sections[2].sh_type = SHT_STRTAB;
  sections[2].sh_offset = sizeof header + modinfo.size();
  sections[2].sh_size = sizeof kNames;
  std::string bytes;
  Append(bytes, header);
  bytes += modinfo;
  bytes.append(kNames, sizeof kNames);
  Append(bytes, sections);
  return bytes;
}

std::string TarXz(const std::vector<PackedFile>& files) {
  return Pack(files, [](archive* writer) {
    archive_write_set_format_gnutar(writer);
    archive_write_add_filter_xz(writer);
  });
}

std::string Xz(const std::string& bytes) {
  return Pack({{"x", bytes, "", ""}}, [](archive* writer) {
    archive_write_set_format_raw(writer);
    archive_write_add_filter_xz(writer);
  });
}

std::string Gzip(const std::string& bytes) {
  return Pack({{"x", bytes, "", ""}}, [](archive* writer) {
    archive_write_set_format_raw(writer);
    archive_write_add_filter_gzip(writer);
  });
}

std::string Ar(const std::vector<PackedFile>& members) {
  return Pack(members, [](archive* writer) { archive_write_set_format_ar_svr4(writer); });
}

std::string Deb(const std::string& control, const std::vector<PackedFile>& files) {
  return Ar({{"debian-binary", "2.0\n", "", ""},
             {"control.tar.xz", TarXz({{"./control", control, "", ""}}), "", ""},
             {"data.tar.xz", TarXz(files), "", ""}});
}

std::string RpmHead(const RpmTags& tags) {
  constexpr size_t kLeadBytes = 96;
  const auto word = [](std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
    return bytes;
  };
  std::string index;
  std::string store;
  for (const auto& [tag, text] : tags) {
    const bool is_epoch = tag == 1003;
    while (is_epoch && store.size() % 4 != 0) store += '\0';
    index += word(tag) + word(is_epoch ? 4 : 6) + word(static_cast<std::uint32_t>(store.size())) +
             word(1);
    store += is_epoch ? word(static_cast<std::uint32_t>(std::stoul(text))) : text + '\0';
  }
  std::string lead("\xed\xab\xee\xdb\x03", 5);
  lead.resize(kLeadBytes, '\0');
  return lead + EmptyRpmHeader() + EmptyRpmHeader().substr(0, 8) +
         word(static_cast<std::uint32_t>(tags.size())) +
         word(static_cast<std::uint32_t>(store.size())) + index + store;
}

std::string Rpm(const std::vector<PackedFile>& files, const RpmTags& tags) {
  return RpmHead(tags) + Pack(files, [](archive* writer) {
           archive_write_set_format_cpio_newc(writer);
           archive_write_add_filter_gzip(writer);
         });
}

}  // namespace kassay::testing
