// Keys and keyrings of the kernel (keyrings(7), keyctl(2)). Each call gives what the system call
// gave: a serial number or 0, or a negative errno, so that a result can be kept, printed by name
// (IsErrno) and compared.
#pragma once

#include <keyutils.h>

#include <optional>
#include <string>
#include <string_view>

namespace kassay::trust {

using Serial = key_serial_t;  // > 0, or a negative errno

// A keyring of its own on the process keyring, without restriction.
[[nodiscard]] Serial NewKeyring(const std::string& description);
// add_key("asymmetric", "", certificate): the description follows from the certificate.
[[nodiscard]] Serial AddCertificate(std::string_view der,
                                    Serial keyring = KEY_SPEC_PROCESS_KEYRING);
// add_key("pkcs7_test", ...) with a description of its own; reading the key gives the signed
// content.
[[nodiscard]] Serial AddPkcs7(std::string_view der, Serial keyring = KEY_SPEC_PROCESS_KEYRING);
[[nodiscard]] long Restrict(Serial keyring, const std::string& restriction);
[[nodiscard]] long Link(Serial key, Serial keyring);
// Whether `key` lies on `keyring`.
[[nodiscard]] bool Contains(Serial keyring, Serial key);
// How many keys lie on it, or a negative errno.
[[nodiscard]] long CountOf(Serial keyring);
// The key's payload; a negative errno in `error` otherwise.
struct ReadResult {
  std::string payload;
  long error = 0;
};
[[nodiscard]] ReadResult Read(Serial key);
// "type;uid;gid;perm;description".
[[nodiscard]] std::string Describe(Serial key);

struct QueryResult {
  long error = 0;
  struct keyctl_pkey_query values {};
};
[[nodiscard]] QueryResult Query(Serial key, const char* info);
[[nodiscard]] long Verify(Serial key, const char* info, std::string_view message,
                          std::string_view signature);
// The same with lengths that are not those of the buffers.
struct RawVerify {
  const void* message;
  unsigned message_bytes;
  const void* signature;
  unsigned signature_bytes;
};
[[nodiscard]] long Verify(Serial key, const char* info, const RawVerify& raw);

// A system keyring by its name in /proc/keys (".builtin_trusted_keys"); nullopt if it is not there.
[[nodiscard]] std::optional<Serial> SystemKeyring(std::string_view name);
// The line of /proc/keys about a key, empty without.
[[nodiscard]] std::string ProcKeysLine(Serial key);
// Whether /proc/crypto has an algorithm of that name.
[[nodiscard]] bool HasAlgorithm(std::string_view name);

}  // namespace kassay::trust
