#include "harness/host/vm/direct_image.h"

#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>

namespace kassay {
namespace {

using ::testing::HasSubstr;

template <typename T>
void Append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// The smallest ELF with a note segment; `type` 18 of "Xen" is the PVH entry.
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

// A bzImage whose payload is `payload`, boot protocol 2.15, one setup sector.
std::string BzImage(const std::string& payload) {
  std::string image(1024, '\0');
  image[0x1f1] = 1;
  image.replace(0x202, 4, "HdrS");
  Put(image, 0x206, 0x20f, 2);
  Put(image, 0x248, 0, 4);
  Put(image, 0x24c, static_cast<std::uint32_t>(payload.size()), 4);
  return image + payload;
}

std::string WithSize(std::string payload, std::size_t size) {
  payload.resize(payload.size() + 4);
  Put(payload, payload.size() - 4, static_cast<std::uint32_t>(size), 4);
  return payload;
}

TEST(ExtractDirectImage, FindsTheElfInEachCompression) {
  const std::string elf = SmallElf(18);
  for (auto* filter : {&archive_write_add_filter_zstd, &archive_write_add_filter_xz,
                       &archive_write_add_filter_lzma, &archive_write_add_filter_bzip2}) {
    const auto kernel = ExtractDirectImage(BzImage(WithSize(Compress(elf, filter), elf.size())));
    ASSERT_TRUE(kernel) << kernel.error().message;
    EXPECT_EQ(*kernel, elf);
  }
  // gzip brings the size along.
  const auto kernel = ExtractDirectImage(BzImage(Compress(elf, &archive_write_add_filter_gzip)));
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(*kernel, elf);
}

TEST(ExtractDirectImage, TakesAnElfAsItIs) {
  const auto kernel = ExtractDirectImage(SmallElf(18));
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(*kernel, SmallElf(18));
}

TEST(ExtractDirectImage, SaysWhatIsWrong) {
  const auto error = [](const std::string& image) {
    const auto kernel = ExtractDirectImage(image);
    return kernel ? std::string() : kernel.error().message;
  };
  const std::string elf = SmallElf(18);
  const std::string payload = WithSize(Compress(elf, &archive_write_add_filter_zstd), elf.size());
  EXPECT_THAT(error(""), HasSubstr("neither a bzImage nor an ELF"));
  EXPECT_THAT(error(std::string(4096, 'x')), HasSubstr("neither a bzImage nor an ELF"));
  EXPECT_THAT(error(SmallElf(17)), HasSubstr("no PVH entry"));
  EXPECT_THAT(error(elf.substr(0, 4)), HasSubstr("no 64-bit ELF"));
  std::string cut = BzImage(payload);
  cut.pop_back();
  EXPECT_THAT(error(cut), HasSubstr("outside of it"));
  std::string old = BzImage(payload);
  Put(old, 0x206, 0x207, 2);
  EXPECT_THAT(error(old), HasSubstr("older than 2.08"));
  EXPECT_THAT(error(BzImage(WithSize(payload.substr(0, payload.size() - 4), 0))),
              HasSubstr("no sensible size"));
  EXPECT_THAT(error(BzImage(WithSize(payload.substr(0, payload.size() - 4), elf.size() + 1))),
              HasSubstr("damaged"));
}

}  // namespace
}  // namespace kassay
