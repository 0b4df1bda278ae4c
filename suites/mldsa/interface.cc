// PKEY_QUERY, the info string, the memory that is read, and what an ML-DSA key is not for.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <map>

#include "suites/mldsa/mldsa_set.h"
#include "suites/support/child.h"

namespace kassay::mldsa {
namespace {

class Interface : public PerSet {};
FOR_EVERY_SET(Interface);

std::map<std::string, std::string> CryptoStanza(std::string_view name) {
  std::ifstream crypto("/proc/crypto");
  std::map<std::string, std::string> stanza;
  for (std::string line; std::getline(crypto, line);) {
    if (line.empty()) {
      if (stanza["name"] == name) return stanza;
      stanza.clear();
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || colon + 2 > line.size()) continue;
    stanza[line.substr(0, line.find_last_not_of(' ', colon - 1) + 1)] = line.substr(colon + 2);
  }
  return {};
}

KASSAY_CASE_P(Interface, RegistersTheAlgorithm, Cites("PQC-001")) {
  // A module is loaded on first use.
  const Serial key = AddPublicKey(set(), Key().public_key());
  ASSERT_EQ(Query(key, kPlain).error, 0);
  auto stanza = CryptoStanza(p().kernel_name);
  EXPECT_EQ(stanza["type"], "sig");
  EXPECT_EQ(stanza["driver"], std::string(p().kernel_name) + "-lib");
  EXPECT_EQ(stanza["priority"], "5000");
  EXPECT_EQ(stanza["selftest"], "passed");
  EXPECT_EQ(stanza["internal"], "no");
}

KASSAY_CASE_P(Interface, QueryTellsSizesAndThatOnlyVerifyIsSupported, Cites("PQC-014")) {
  const QueryResult seen = Query(AddPublicKey(set(), Key().public_key()), kPlain);
  ASSERT_EQ(seen.error, 0);
  EXPECT_EQ(seen.values.supported_ops, static_cast<unsigned>(KEYCTL_SUPPORTS_VERIFY));
  EXPECT_EQ(seen.values.key_size, static_cast<unsigned>(p().public_key_bytes));
  EXPECT_EQ(seen.values.max_sig_size, p().signature_bytes);
  EXPECT_EQ(seen.values.max_data_size, p().public_key_bytes / 8);
  EXPECT_EQ(seen.values.max_enc_size, 0);
  EXPECT_EQ(seen.values.max_dec_size, 0);
}

struct BadInfo {
  const char* info;
  const char* why;
};
constexpr BadInfo kBadInfos[] = {
    {"", "no hash"},
    {"enc=raw", "no hash"},
    {"hash=sha256", "a hash that is not none and not sha512"},
    {"hash=sha384", "a hash that is not none and not sha512"},
    {"hash=sha3-512", "a hash that is not none and not sha512"},
    {"hash=shake256", "a hash that is not none and not sha512"},
    {"hash=NONE", "names have one spelling"},
    {"enc=pkcs1 hash=none", "an encoding of RSA"},
    {"enc=x962 hash=none", "an encoding of ECDSA"},
    {"enc=p1363 hash=none", "an encoding of ECDSA"},
    {"hash=none hash=none", "twice"},
    {"enc=raw enc=raw hash=none", "twice"},
    {"hash=", "no value"},
    {"hash", "no value"},
    {"salt=1 hash=none", "unknown option"},
};

KASSAY_CASE_P(Interface, RefusesOtherHashesAndEncodings,
              Cites("PQC-015", "PQC-016", "PQC-018", "PQC-019")) {
  const MlDsaKey key = Key();
  const Serial serial = AddPublicKey(set(), key.public_key());
  const std::string signature = key.Sign("message");
  ASSERT_EQ(Verify(serial, "enc=raw hash=none", "message", signature), 0);
  ASSERT_EQ(Verify(serial, " \thash=none\t enc=raw ", "message", signature), 0);
  for (const BadInfo& bad : kBadInfos) {
    EXPECT_THAT(Query(serial, bad.info).error, IsErrno(EINVAL)) << bad.info << ": " << bad.why;
    EXPECT_THAT(Verify(serial, bad.info, "message", signature), IsErrno(EINVAL))
        << bad.info << ": " << bad.why;
  }
}

KASSAY_CASE_P(Interface, CatchesAKeyOfTheWrongLengthWhenItIsUsed, Cites("PQC-007", "PQC-008")) {
  const MlDsaKey key = Key();
  const std::string signature = key.Sign("message");
  const std::string& good = key.public_key();
  for (const std::string& wrong : {good.substr(0, good.size() - 1), good + std::string(1, '\0'),
                                   good.substr(0, 32), std::string()}) {
    const Serial serial = AddPublicKey(set(), wrong);
    ASSERT_GT(serial, 0) << wrong.size();
    EXPECT_THAT(Query(serial, kPlain).error, IsErrno(EINVAL)) << wrong.size();
    EXPECT_THAT(Verify(serial, kPlain, "message", signature), IsErrno(EINVAL)) << wrong.size();
  }
}

// The key of another set under this set's name.
KASSAY_CASE_P(Interface, RefusesTheKeyOfAnotherSetUnderItsName, Cites("PQC-008")) {
  for (const MlDsaSet other : kAllMlDsaSets) {
    if (other == set()) continue;
    const MlDsaKey key(other, std::string(32, 'k'));
    const Serial serial = AddPublicKey(set(), key.public_key());
    ASSERT_GT(serial, 0);
    EXPECT_THAT(Verify(serial, kPlain, "message", key.Sign("message")), IsErrno(EINVAL));
  }
}

// Two pages, the second without access; bytes placed so that they end where the first page does.
class GuardedBytes {
 public:
  explicit GuardedBytes(std::string_view bytes) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t readable = (bytes.size() + page - 1) / page * page;
    size_ = readable + page;
    map_ = static_cast<char*>(
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(map_ + readable, page, PROT_NONE);
    bytes_ = map_ + readable - bytes.size();
    std::memcpy(bytes_, bytes.data(), bytes.size());
  }
  ~GuardedBytes() { munmap(map_, size_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;
  [[nodiscard]] const char* data() const { return bytes_; }

 private:
  char* map_;
  char* bytes_;
  std::size_t size_;
};

KASSAY_CASE_P(Interface, ReadsNotAByteBeyondTheCallersBuffers, Cites("PQC-035")) {
  const MlDsaKey key = Key();
  const Serial serial = AddPublicKey(set(), key.public_key());
  const std::string message = "message";
  const std::string signature = key.Sign(message);
  const GuardedBytes guarded_message(message);
  const GuardedBytes guarded(signature);
  const auto size = static_cast<unsigned>(signature.size());
  const auto length = static_cast<unsigned>(message.size());
  EXPECT_THAT(
      Verify(serial, kPlain, RawVerify{guarded_message.data(), length, guarded.data(), size}),
      IsErrno(0));
  // A byte further on and one byte less: still inside.
  EXPECT_THAT(Verify(serial, kPlain,
                     RawVerify{guarded_message.data(), length, guarded.data() + 1, size - 1}),
              IsErrno(EBADMSG));
  EXPECT_THAT(
      Verify(serial, kPlain, RawVerify{guarded_message.data(), length, guarded.data() + 1, size}),
      IsErrno(EFAULT));
  EXPECT_THAT(
      Verify(serial, kPlain, RawVerify{guarded_message.data() + 1, length, guarded.data(), size}),
      IsErrno(EFAULT));
}

long SignOrEncrypt(int operation, Serial key, unsigned in, unsigned out) {
  std::string input(in, 'i');
  std::string output(std::max(out, 1U), 'o');
  struct keyctl_pkey_params params {};
  params.key_id = key;
  params.in_len = in;
  params.out_len = out;
  const long result = syscall(SYS_keyctl, operation, &params, kPlain, input.data(), output.data());
  const int seen = errno;
  EXPECT_EQ(output, std::string(output.size(), 'o')) << "the output buffer was written";
  return result < 0 ? -seen : result;
}

KASSAY_CASE_P(Interface, CannotSignEncryptOrDecrypt, Cites("PQC-036", "PQC-037")) {
  const Serial serial = AddPublicKey(set(), Key().public_key());
  ASSERT_GT(serial, 0);
  EXPECT_THAT(SignOrEncrypt(KEYCTL_PKEY_SIGN, serial, 32, 64), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(SignOrEncrypt(KEYCTL_PKEY_ENCRYPT, serial, 32, 64), IsErrno(EINVAL));
  EXPECT_THAT(SignOrEncrypt(KEYCTL_PKEY_DECRYPT, serial, 32, 64), IsErrno(EINVAL));
}

KASSAY_CASE_P(Interface, TheKeyCannotBeReadBack, Cites("PQC-038")) {
  EXPECT_THAT(Read(AddPublicKey(set(), Key().public_key())).error, IsErrno(EOPNOTSUPP));
}

KASSAY_CASE_P(Interface, WorksWithoutPrivilege, Cites("PQC-039")) {
  const MlDsaKey key = Key();
  const std::string signature = key.Sign("message");
  struct Seen {
    Serial key;
    long good;
    long bad;
  };
  const auto seen = InChild([&] {
    // keyrings of its own, as a login gives them
    if (setgid(1000) != 0 || setuid(1000) != 0 || keyctl_join_session_keyring(nullptr) < 0)
      return Seen{-1, -1, -1};
    const Serial serial = AddPublicKey(set(), key.public_key());
    return Seen{serial, Verify(serial, kPlain, "message", signature),
                Verify(serial, kPlain, "massage", signature)};
  });
  ASSERT_TRUE(seen.value) << seen.Describe();
  EXPECT_GT(seen.value->key, 0);
  EXPECT_THAT(seen.value->good, IsErrno(0));
  EXPECT_THAT(seen.value->bad, IsErrno(EKEYREJECTED));
}

KASSAY_CASE_P(Interface, ProcKeysTellsTheSet, Cites("PQC-013")) {
  const CertificateFields wrapped = Wrap(set(), Key().public_key());
  const Serial serial = AddCertificate(wrapped.Der());
  ASSERT_GT(serial, 0);
  const auto ids = IdsOf(wrapped.Der());
  ASSERT_TRUE(ids);
  std::string skid;
  for (const char c : ids->skid) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    skid += kDigits[static_cast<std::uint8_t>(c) >> 4];
    skid += kDigits[static_cast<std::uint8_t>(c) & 15];
  }
  const std::string expected = "asymmetri kassay: wrapped key: " + skid + ": X509." +
                               std::string(p().kernel_name) + " " + skid.substr(skid.size() - 8) +
                               " []";
  EXPECT_THAT(ProcKeysLine(serial), testing::EndsWith(expected));
}

}  // namespace
}  // namespace kassay::mldsa
