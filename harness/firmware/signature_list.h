// EFI_SIGNATURE_LIST: what PK, KEK, db and dbx hold (UEFI specification 2.10, section 32.4.1).
#pragma once

#include <string>
#include <vector>

namespace kassay::efi {

// Certificates, each as DER. Each in a list of its own, since all of one list have one size.
[[nodiscard]] std::string ListOfCertificates(const std::vector<std::string>& certificates);

// One digest of an image, 32 bytes (the firmware starts that image, signed or not).
[[nodiscard]] std::string ListOfDigest(const std::string& sha256);

}  // namespace kassay::efi
