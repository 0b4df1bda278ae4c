#include "suites/support/trust/keyring.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>

#include "suites/support/errno_result.h"

namespace kassay::trust {
namespace {

Serial Add(const char* type, const std::string& description, std::string_view payload,
           Serial keyring) {
  return static_cast<Serial>(
      OrErrno(add_key(type, description.c_str(), payload.data(), payload.size(), keyring)));
}

std::optional<Serial> SerialOfLine(std::string_view line) {
  unsigned value = 0;
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), value, 16);
  if (parsed.ec != std::errc() || parsed.ptr == line.data() + line.size()) return std::nullopt;
  return static_cast<Serial>(value);
}

}  // namespace

Serial NewKeyring(const std::string& description) {
  return Add("keyring", description, {}, KEY_SPEC_PROCESS_KEYRING);
}

Serial AddCertificate(std::string_view der, Serial keyring) {
  return Add("asymmetric", "", der, keyring);
}

Serial AddPkcs7(std::string_view der, Serial keyring) {
  // A description that is in use would update the key that has it.
  static int number = 0;
  return Add("pkcs7_test", "message " + std::to_string(++number), der, keyring);
}

long Restrict(Serial keyring, const std::string& restriction) {
  return OrErrno(keyctl_restrict_keyring(keyring, "asymmetric", restriction.c_str()));
}

long Link(Serial key, Serial keyring) { return OrErrno(keyctl_link(key, keyring)); }

bool Contains(Serial keyring, Serial key) {
  const ReadResult read = Read(keyring);
  for (std::size_t at = 0; at + sizeof key <= read.payload.size(); at += sizeof key) {
    if (read.payload.compare(at, sizeof key, reinterpret_cast<const char*>(&key), sizeof key) == 0)
      return true;
  }
  return false;
}

long CountOf(Serial keyring) {
  const ReadResult read = Read(keyring);
  return read.error < 0 ? read.error : static_cast<long>(read.payload.size() / sizeof(Serial));
}

ReadResult Read(Serial key) {
  const long size = OrErrno(keyctl_read(key, nullptr, 0));
  if (size < 0) return {{}, size};
  ReadResult result;
  result.payload.resize(static_cast<std::size_t>(size));
  const long seen = OrErrno(keyctl_read(key, result.payload.data(), result.payload.size()));
  if (seen < 0) return {{}, seen};
  return result;
}

std::string Describe(Serial key) {
  char buffer[512] = {};
  const long size = keyctl_describe(key, buffer, sizeof buffer - 1);
  return size < 0 ? std::string() : std::string(buffer);
}

QueryResult Query(Serial key, const char* info) {
  QueryResult result;
  result.error = OrErrno(keyctl_pkey_query(key, info, &result.values));
  return result;
}

long Verify(Serial key, const char* info, std::string_view message, std::string_view signature) {
  return Verify(key, info,
                RawVerify{message.data(), static_cast<unsigned>(message.size()), signature.data(),
                          static_cast<unsigned>(signature.size())});
}

long Verify(Serial key, const char* info, const RawVerify& raw) {
  struct keyctl_pkey_params params {};
  params.key_id = key;
  params.in_len = raw.message_bytes;
  params.in2_len = raw.signature_bytes;
  return OrErrno(
      syscall(SYS_keyctl, KEYCTL_PKEY_VERIFY, &params, info, raw.message, raw.signature));
}

std::optional<Serial> SystemKeyring(std::string_view name) {
  std::ifstream keys("/proc/keys");
  for (std::string line; std::getline(keys, line);) {
    const std::size_t at = line.find(" keyring ");
    if (at == std::string::npos) continue;
    std::size_t begin = line.find_first_not_of(' ', at + 9);
    if (begin == std::string::npos) continue;
    if (line.compare(begin, name.size() + 1, std::string(name) + ":") == 0)
      return SerialOfLine(line);
  }
  return std::nullopt;
}

std::string ProcKeysLine(Serial key) {
  std::ifstream keys("/proc/keys");
  for (std::string line; std::getline(keys, line);) {
    if (SerialOfLine(line) == key) return line;
  }
  return {};
}

bool HasAlgorithm(std::string_view name) {
  std::ifstream crypto("/proc/crypto");
  for (std::string line; std::getline(crypto, line);) {
    if (line.starts_with("name ") && line.ends_with(": " + std::string(name))) return true;
  }
  return false;
}

}  // namespace kassay::trust
