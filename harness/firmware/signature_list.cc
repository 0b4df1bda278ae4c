#include "harness/firmware/signature_list.h"

#include "harness/firmware/efi.h"

namespace kassay::efi {
namespace {

// A list of one EFI_SIGNATURE_DATA and no header of its own.
std::string ListOfOne(const Guid& type, const std::string& data) {
  constexpr std::size_t kListBytes = 28;
  constexpr std::size_t kOwnerBytes = 16;
  const std::size_t entry = kOwnerBytes + data.size();
  return type.Bytes() + Le(kListBytes + entry, 4) + Le(0, 4) + Le(entry, 4) + kOwner.Bytes() + data;
}

}  // namespace

std::string ListOfCertificates(const std::vector<std::string>& certificates) {
  std::string lists;
  for (const std::string& der : certificates) lists += ListOfOne(kCertX509, der);
  return lists;
}

std::string ListOfDigest(const std::string& sha256) { return ListOfOne(kCertSha256, sha256); }

}  // namespace kassay::efi
