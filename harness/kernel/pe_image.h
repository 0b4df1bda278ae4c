// A kernel image as UEFI firmware sees it: PE/COFF ("PE Format", Microsoft), which the kernel's EFI
// stub makes of a bzImage and of arm64's Image. Every byte is somebody else's.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

// Whether UEFI firmware can start it: CONFIG_EFI_STUB. `head` is its beginning (kBzImageHeadBytes
// or the whole file).
[[nodiscard]] bool HasEfiStub(std::string_view head);
// The same of a file. Fails if it cannot be read.
[[nodiscard]] Result<bool> ReadHasEfiStub(const std::filesystem::path& image);

// The certificates, as DER, that the signatures in the image were made with
// (WIN_CERT_TYPE_PKCS_SIGNED_DATA); empty for an image that is not signed. Firmware that has one of
// them in db takes the image. Fails on a damaged image.
[[nodiscard]] Result<std::vector<std::string>> SignersOf(std::string_view image);

// The digest by which firmware knows an image, signed or not: SHA-256 over all of it but its
// checksum and its signatures ("Windows Authenticode Portable Executable Signature Format";
// EDK II's DxeImageVerificationLib.c:HashPeImage). 32 bytes. Fails on a damaged image.
[[nodiscard]] Result<std::string> AuthenticodeSha256(std::string_view image);

// subject (RFC 2253) of a certificate; empty if it is none.
[[nodiscard]] std::string SubjectOf(std::string_view certificate);

}  // namespace kassay
