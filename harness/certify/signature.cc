#include "harness/certify/signature.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <vector>

#include "harness/base/file.h"
#include "harness/base/sha256.h"

namespace kassay {
namespace {

constexpr size_t kMaxKeyBytes = size_t{64} << 10;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());  // NOLINT
}

std::string WhyOpenSsl() {
  const unsigned long code = ERR_get_error();  // NOLINT(google-runtime-int)
  ERR_clear_error();
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return code == 0 ? "unknown reason" : text.data();
}

// A passphrase is never asked for: there may be nobody.
int NoPassphrase(char*, int, int, void*) { return -1; }

bool IsTaken(const EVP_PKEY* key) {
  constexpr std::array<const char*, 4> kTaken{"ED25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"};
  return std::ranges::any_of(kTaken,
                             [&](const char* name) { return EVP_PKEY_is_a(key, name) == 1; });
}

Result<std::string> Written(const EVP_PKEY* key, int (*write)(BIO*, const EVP_PKEY*)) {
  const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
  if (write(bio.get(), key) != 1) return Fail("cannot write the public key: " + WhyOpenSsl());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);  // NOLINT
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

}  // namespace

Result<Key> Key::FromPem(std::string_view pem, bool private_key) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  EVP_PKEY* raw = private_key ? PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassphrase, nullptr)
                              : PEM_read_bio_PUBKEY(bio.get(), nullptr, &NoPassphrase, nullptr);
  if (raw == nullptr) {
    return Fail(fmt::format("not a {} key in PEM without a passphrase ({})",
                            private_key ? "private" : "public", WhyOpenSsl()),
                ErrorKind::kUsage);
  }
  Key key(raw);
  if (!IsTaken(raw)) {
    return Fail(
        "a key of the kind " + key.Algorithm() +
            " is not taken: make one with `openssl genpkey -algorithm ed25519 -out key.pem`",
        ErrorKind::kUsage);
  }
  return key;
}

Result<Key> Key::Load(const std::filesystem::path& file, bool private_key) {
  const auto pem = ReadFile(file, kMaxKeyBytes);
  if (!pem) return Fail(pem.error().message, ErrorKind::kUsage);
  auto key = FromPem(*pem, private_key);
  if (!key) return Fail(key.error().Within(file.string()));
  return key;
}

std::string Key::Algorithm() const {
  const char* name = EVP_PKEY_get0_type_name(key_.get());
  return name == nullptr ? "unknown" : name;
}

Result<std::string> Key::PublicPem() const { return Written(key_.get(), &PEM_write_bio_PUBKEY); }

Result<std::string> Key::Id() const {
  KASSAY_TRY(const std::string der, Written(key_.get(), &i2d_PUBKEY_bio));
  return Sha256Hex(der);
}

// Both algorithms hash for themselves: the message goes in whole and no digest is named.
Result<std::string> Key::Sign(std::string_view message) const {
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  size_t size = 0;
  std::vector<unsigned char> signature;
  const bool ok =
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
      EVP_DigestSign(context.get(), nullptr, &size, Bytes(message), message.size()) == 1 &&
      (signature.resize(size),
       EVP_DigestSign(context.get(), signature.data(), &size, Bytes(message), message.size()) == 1);
  if (!ok) return Fail("cannot sign: " + WhyOpenSsl());
  return std::string(signature.begin(), signature.begin() + static_cast<std::ptrdiff_t>(size));
}

bool Key::Verifies(std::string_view message, std::string_view signature) const {
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const bool ok = EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
                  EVP_DigestVerify(context.get(), Bytes(signature), signature.size(),
                                   Bytes(message), message.size()) == 1;
  ERR_clear_error();
  return ok;
}

std::string ToBase64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),  // NOLINT
                                   Bytes(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

Result<std::string> FromBase64(std::string_view text) {
  const auto refuse = [] { return Fail("not canonical base64", ErrorKind::kUsage); };
  if (text.size() % 4 != 0 || text.size() > (size_t{64} << 20)) return refuse();
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),  // NOLINT
                                   Bytes(text), static_cast<int>(text.size()));
  if (size < 0) return refuse();
  const size_t padding = text.size() - std::min(text.size(), text.find_last_not_of('=') + 1);
  if (padding > 2) return refuse();
  bytes.resize(static_cast<size_t>(size) - padding);
  if (ToBase64(bytes) != text) return refuse();
  return bytes;
}

}  // namespace kassay
