#include "harness/kernel/file_kind.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

namespace kassay {
namespace {

struct Mark {
  size_t at;
  std::string_view bytes;
  const char* what;
};

// In this order: an EFI file may have several marks.
constexpr std::array<Mark, 15> kMarks{{
    {0x38, "ARM\x64",
     "an arm64 Image: this kassay tests x86_64 kernels"},  // arch/arm64: booting.rst
    {4, "zimg",
     "an EFI zboot image: give the Image or vmlinux that it was made of (CONFIG_EFI_ZBOOT)"},
    {0, "\x1f\x8b", "compressed with gzip: unpack it with `gzip -d`"},
    {0, {"\xfd\x37zXZ\0", 6}, "compressed with XZ: unpack it with `xz -d`"},
    {0, "\x28\xb5\x2f\xfd", "compressed with Zstandard: unpack it with `zstd -d`"},
    {0, "\x04\x22\x4d\x18", "compressed with LZ4: unpack it with `lz4 -d`"},
    {0, "BZh", "compressed with bzip2: unpack it with `bzip2 -d`"},
    {0, {"\x5d\0\0", 3}, "compressed with LZMA: unpack it with `xz -d --format=lzma`"},
    {0, "\x27\x05\x19\x56", "a U-Boot image: give the kernel that it was made of"},
    {0, "070701", "an initramfs (cpio): give the kernel, boot/vmlinuz-RELEASE"},
    {0, "QFI\xfb", "a disk image (qcow2): give the kernel within it, boot/vmlinuz-RELEASE"},
    {0, "PK\x03\x04", "a zip archive: unpack it and give the kernel within it"},
    {0, "!<arch>\n", "an archive (ar) and no whole .deb"},
    {0, "<", "an HTML or XML page: was the download answered with an error page?"},
    {0, "version https://git-lfs", "a pointer of Git LFS: fetch the file with `git lfs pull`"},
}};

std::uint32_t Le(std::string_view bytes, size_t at, size_t size) {
  std::uint32_t value = 0;
  if (at > bytes.size() || size > bytes.size() - at) return 0;
  for (size_t i = size; i > 0; --i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
  return value;
}

// A PE file (Microsoft's "PE Format") with a section of that name, of at most 8 characters.
bool HasPeSection(std::string_view file, std::string_view name) {
  constexpr size_t kEntry = 40;
  const size_t header = Le(file, 0x3c, 4);
  if (!file.starts_with("MZ") || header > file.size() ||
      !file.substr(header).starts_with(std::string_view("PE\0\0", 4)))
    return false;
  const size_t count = Le(file, header + 6, 2);
  const size_t table = header + 24 + Le(file, header + 20, 2);
  for (size_t i = 0; i < count && table + (i + 1) * kEntry <= file.size(); ++i) {
    std::string_view found = file.substr(table + i * kEntry, 8);
    found = found.substr(0, found.find('\0'));
    if (found == name) return true;
  }
  return false;
}

}  // namespace

std::string WhatItIsInstead(std::string_view head) {
  if (head.empty()) return "it is empty";
  if (HasPeSection(head, ".linux")) {
    return "it is a unified kernel image (UKI): give the kernel in it (`objcopy -O binary "
           "--only-section=.linux FILE vmlinuz`)";
  }
  const auto mark = std::ranges::find_if(kMarks, [&](const Mark& each) {
    return head.size() >= each.at && head.substr(each.at).starts_with(each.bytes);
  });
  if (mark != kMarks.end()) return std::string("it is ") + mark->what;
  if (head.starts_with("MZ")) return "it is an EFI program and no Linux kernel for x86";
  const bool is_text = std::ranges::all_of(head.substr(0, 512), [](unsigned char c) {
    return std::isprint(c) != 0 || std::isspace(c) != 0;
  });
  return is_text ? "it is a text" : "";
}

}  // namespace kassay
