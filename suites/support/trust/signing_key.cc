#include "suites/support/trust/signing_key.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "suites/support/trust/der.h"

namespace kassay::trust {
namespace {

using PKey = std::shared_ptr<EVP_PKEY>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

std::string SpkiOf(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return {};
  const std::string spki(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return spki;
}

std::string SignWith(EVP_PKEY* key, std::string_view message, DigestName digest) {
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  if (EVP_DigestSignInit_ex(context.get(), nullptr, std::string(digest.name).c_str(), nullptr,
                            nullptr, key, nullptr) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, message.size()) != 1) {
    return {};
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes, message.size()) != 1) {
    return {};
  }
  signature.resize(size);
  return signature;
}

// PKCS #1 (RFC 8017, appendix C) and X9.62 (RFC 5758) name the digest in the last arc.
std::string_view RsaWith(DigestName digest) {
  if (digest.name == kSha1.name) return "1.2.840.113549.1.1.5";
  if (digest.name == kSha384.name) return "1.2.840.113549.1.1.12";
  if (digest.name == kSha512.name) return "1.2.840.113549.1.1.13";
  return "1.2.840.113549.1.1.11";
}
std::string_view EcdsaWith(DigestName digest) {
  if (digest.name == kSha1.name) return "1.2.840.10045.4.1";
  if (digest.name == kSha384.name) return "1.2.840.10045.4.3.3";
  if (digest.name == kSha512.name) return "1.2.840.10045.4.3.4";
  return "1.2.840.10045.4.3.2";
}

}  // namespace

std::string AlgorithmIdentifier(std::string_view oid, bool null_parameters) {
  return null_parameters ? der::Sequence({der::Oid(oid), der::Null()})
                         : der::Sequence({der::Oid(oid)});
}

std::string Digest(DigestName digest, std::string_view bytes) {
  std::string value(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  const EVP_MD* kind = EVP_get_digestbyname(std::string(digest.name).c_str());
  if (kind == nullptr ||
      EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(value.data()), &size,
                 kind, nullptr) != 1) {
    return {};
  }
  value.resize(size);
  return value;
}

SigningKey SigningKey::MlDsa(MlDsaSet set, std::string_view seed) {
  SigningKey result;
  const auto key = std::make_shared<const MlDsaKey>(set, seed);
  result.kind_ = Kind::kMlDsa;
  result.algorithm_ = AlgorithmIdentifier(ParametersOf(set).oid);
  result.spki_ = der::Sequence({result.algorithm_, der::BitString(key->public_key())});
  result.sign_ = [key](std::string_view message, DigestName) { return key->Sign(message); };
  return result;
}

SigningKey SigningKey::Pem(const std::string& pem) {
  SigningKey result;
  const std::unique_ptr<BIO, decltype(&BIO_free)> source(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  const PKey key(PEM_read_bio_PrivateKey(source.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  if (!key) return result;
  result.kind_ = EVP_PKEY_is_a(key.get(), "RSA") == 1 ? Kind::kRsa : Kind::kEcdsa;
  result.spki_ = SpkiOf(key.get());
  result.sign_ = [key](std::string_view message, DigestName digest) {
    return SignWith(key.get(), message, digest);
  };
  return result;
}

std::string SigningKey::CmsAlgorithm(DigestName digest) const {
  if (kind_ == Kind::kMlDsa) return algorithm_;
  if (kind_ == Kind::kRsa) return AlgorithmIdentifier("1.2.840.113549.1.1.1", true);
  return AlgorithmIdentifier(EcdsaWith(digest));
}

std::string SigningKey::CertificateAlgorithm(DigestName digest) const {
  if (kind_ == Kind::kMlDsa) return algorithm_;
  if (kind_ == Kind::kRsa) return AlgorithmIdentifier(RsaWith(digest), true);
  return AlgorithmIdentifier(EcdsaWith(digest));
}

std::string SigningKey::Sign(std::string_view message, DigestName digest) const {
  return sign_ ? sign_(message, digest) : std::string();
}

}  // namespace kassay::trust
