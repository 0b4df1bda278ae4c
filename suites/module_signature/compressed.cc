// Modules that the kernel decompresses itself (finit_module with MODULE_INIT_COMPRESSED_FILE).
#include <lzma.h>
#include <unistd.h>

#include "suites/module_signature/loading.h"

namespace kassay::modules {
namespace {

constexpr int kCompressedFile = 4;

std::string Xz(std::string_view bytes) {
  std::string packed(lzma_stream_buffer_bound(bytes.size()), '\0');
  std::size_t size = 0;
  // The kernel's decoder knows no check but CRC32 (lib/xz).
  if (lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, nullptr,
                              reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                              reinterpret_cast<std::uint8_t*>(packed.data()), &size,
                              packed.size()) != LZMA_OK) {
    return {};
  }
  packed.resize(size);
  return packed;
}

#define REQUIRE_XZ()                                \
  if (access("/sys/module/compression", R_OK) != 0) \
  KASSAY_ABSENT("/sys/module/compression is not there: CONFIG_MODULE_DECOMPRESS is not set")

KASSAY_CASE_IN_EVERY_POLICY(ACompressedModulesSignatureIsChecked, "SIG-017") {
  REQUIRE_XZ();
  const auto expect = [&](std::string_view file, Outcome outcome, const char* what) {
    ExpectLoadWithFlags(policy, Xz(file), kCompressedFile, outcome, what);
  };
  expect(Vendors().Bytes(), kTrusted, "as shipped");
  expect(Vendors().body, kUntrusted, "stripped");
  SignedModule changed = Vendors();
  changed.body.back() = static_cast<char>(changed.body.back() ^ 1);
  expect(changed.Bytes(), Refused(EKEYREJECTED), "changed");
}

KASSAY_CASE_IN_EVERY_POLICY(WhatIsNotCompressedAsToldIsInvalid, "SIG-018") {
  REQUIRE_XZ();
  ExpectLoadWithFlags(policy, Vendors().Bytes(), kCompressedFile, Refused(EINVAL), "plain");
  const std::string packed = Xz(Vendors().Bytes());
  ExpectLoadWithFlags(policy, packed.substr(0, packed.size() / 2), kCompressedFile, Refused(EINVAL),
                      "truncated");
  ExpectLoadWithFlags(policy, std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10) + packed,
                      kCompressedFile, Refused(EINVAL), "another compression");
}

KASSAY_CASE_IN_EVERY_POLICY(ACompressedFileWithoutTheFlagIsUnsigned, "SIG-019") {
  ExpectLoadWithFlags(policy, Xz(Vendors().Bytes()), 0, NotAModule(kUntrusted), "xz, flag 0");
}

}  // namespace
}  // namespace kassay::modules
