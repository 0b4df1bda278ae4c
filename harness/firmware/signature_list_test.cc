#include "harness/firmware/signature_list.h"

#include <gtest/gtest.h>

#include "harness/base/text/hex.h"
#include "harness/firmware/efi.h"
#include "harness/firmware/load_option.h"

namespace kassay::efi {
namespace {

TEST(Guid, IsWrittenMixedEndian) {
  // a5c059a1-94e4-4aa7-87b5-ab155c2bf072
  EXPECT_EQ(ToHex(kCertX509.Bytes()), "a159c0a5e494a74a87b5ab155c2bf072");
}

// As the kernel reads them (security/integrity/platform_certs/efi_parser.c).
TEST(SignatureList, HasOneListACertificate) {
  const std::string lists = ListOfCertificates({"first", "second one"});
  const std::size_t first = 28 + 16 + 5;
  ASSERT_EQ(lists.size(), first + 28 + 16 + 10);
  EXPECT_EQ(lists.substr(0, 16), kCertX509.Bytes());
  EXPECT_EQ(ReadLe(lists, 16, 4), first);
  EXPECT_EQ(ReadLe(lists, 20, 4), 0U);
  EXPECT_EQ(ReadLe(lists, 24, 4), 16U + 5);
  EXPECT_EQ(lists.substr(44, 5), "first");
  EXPECT_EQ(ReadLe(lists, first + 24, 4), 16U + 10);
  EXPECT_EQ(lists.substr(first + 44), "second one");
  EXPECT_EQ(ListOfCertificates({}), "");
}

TEST(SignatureList, OfADigest) {
  const std::string list = ListOfDigest(std::string(32, 'd'));
  EXPECT_EQ(list.substr(0, 16), kCertSha256.Bytes());
  EXPECT_EQ(ReadLe(list, 16, 4), list.size());
  EXPECT_EQ(ReadLe(list, 24, 4), 48U);
}

TEST(LoadOption, NamesFileAndCommandLine) {
  const std::string option = LoadOption("\\K.EFI", "quiet");
  const std::string path = Char16("\\K.EFI");
  EXPECT_EQ(ReadLe(option, 0, 4), 1U);
  EXPECT_EQ(ReadLe(option, 4, 2), 4 + path.size() + 4);
  EXPECT_EQ(option.substr(6), Char16("kassay") + std::string("\x04\x04", 2) +
                                  Le(4 + path.size(), 2) + path +
                                  std::string("\x7f\xff\x04\x00", 4) + Char16("quiet"));
}

}  // namespace
}  // namespace kassay::efi
