#include "suites/module_signature/module_file.h"
#include "harness/protocol/suite_program.h"

#include <sys/utsname.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace kassay::modules {

std::string SignatureInfo::Bytes() const {
  std::string bytes;
  for (const std::uint8_t byte :
       {algo, hash, id_type, signer_len, key_id_len, pad[0], pad[1], pad[2]})
    bytes += static_cast<char>(byte);
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(sig_len >> shift & 0xff);
  return bytes;
}

SignedModule WithSignature(std::string_view body, std::string_view pkcs7) {
  SignedModule module;
  module.body = body;
  module.pkcs7 = pkcs7;
  module.info.sig_len = static_cast<std::uint32_t>(pkcs7.size());
  return module;
}

std::optional<SignedModule> Split(std::string_view file) {
  constexpr std::size_t kInfoBytes = 12;
  if (!file.ends_with(kMarker)) return std::nullopt;
  file.remove_suffix(kMarker.size());
  if (file.size() < kInfoBytes) return std::nullopt;
  const std::string_view info = file.substr(file.size() - kInfoBytes);
  file.remove_suffix(kInfoBytes);
  std::uint32_t length = 0;
  for (const char c : info.substr(8)) length = length << 8 | static_cast<std::uint8_t>(c);
  if (length >= file.size()) return std::nullopt;
  SignedModule module =
      WithSignature(file.substr(0, file.size() - length), file.substr(file.size() - length));
  module.info.id_type = static_cast<std::uint8_t>(info[2]);
  return module;
}

std::string VendorsModule() {
  utsname system{};
  uname(&system);
  const char* chosen = std::getenv(kModuleVariable);  // NOLINT(concurrency-mt-unsafe)
  const std::string path = chosen != nullptr ? chosen
                                             : std::string("/lib/modules/") + system.release +
                                                   "/kernel/crypto/" + kModuleName + ".ko";
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace kassay::modules
