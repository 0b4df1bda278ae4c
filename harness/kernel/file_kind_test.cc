#include "harness/kernel/file_kind.h"

#include <gmock/gmock.h>

#include "harness/kernel/image_header.h"
#include "harness/kernel/testing/samples.h"

namespace kassay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A PE header with sections of these names.
std::string Pe(const std::vector<std::string>& sections) {
  std::string file("MZ");
  file.resize(0x3c, '\0');
  file += std::string("\x40\0\0\0PE\0\0\x64\x86", 10);
  file += static_cast<char>(sections.size());
  file.resize(0x40 + 24, '\0');  // no optional header
  for (std::string name : sections) {
    name.resize(40, '\0');
    file += name;
  }
  return file;
}

TEST(WhatItIsInstead, NamesTheKindAndWhatToDo) {
  std::string zboot("MZ\0\0zimg", 8);
  std::string arm64("MZ");
  arm64.resize(0x38, '\0');
  const struct {
    std::string head;
    const char* kind;
    const char* remedy;
  } kFiles[] = {
      {Pe({".text", ".linux", ".initrd"}), "unified kernel image (UKI)", "objcopy"},
      {zboot, "zboot", "give the Image or vmlinux"},
      {arm64 + "ARM\x64", "arm64", "x86_64"},
      {"\x1f\x8b\x08", "gzip", "gzip -d"},
      {std::string("\xfd\x37zXZ\0", 6), "XZ", "xz -d"},
      {"\x28\xb5\x2f\xfd", "Zstandard", "zstd -d"},
      {"QFI\xfb", "disk image", "boot/vmlinuz"},
      {"<!DOCTYPE html>", "HTML", "error page"},
      {Pe({".text"}), "EFI program", "no Linux kernel"},
      {"hello\n", "a text", ""},
      {"", "empty", ""},
  };
  for (const auto& [head, kind, remedy] : kFiles)
    EXPECT_THAT(WhatItIsInstead(head), AllOf(HasSubstr(kind), HasSubstr(remedy)));
  EXPECT_EQ(WhatItIsInstead(std::string("\x01\x02\x03\x00", 4)), "");
}

TEST(WhatItIsInstead, ReadsNothingBeyondADamagedHeader) {
  const std::string whole = Pe({".linux"});
  for (size_t size = 0; size < whole.size(); ++size)
    static_cast<void>(WhatItIsInstead(std::string(whole, 0, size)));
  std::string far = whole;
  far[0x3f] = '\x7f';
  EXPECT_THAT(WhatItIsInstead(far), HasSubstr("EFI program"));
}

TEST(WhatItIsInstead, StandsInTheErrorOfAnImage) {
  const testing::ScratchFolder folder;
  testing::Write(folder / "linux.efi", Pe({".linux"}));
  EXPECT_THAT(ReadImageKind(folder / "linux.efi").error().message, HasSubstr("UKI"));
  EXPECT_THAT(ReadImageRelease(folder / "linux.efi").error().message,
              AllOf(HasSubstr("linux.efi"), HasSubstr("UKI")));
}

}  // namespace
}  // namespace kassay
