#include "suites/support/trust/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "suites/support/trust/der.h"

namespace kassay::trust {

std::string CertificateFields::Tbs() const {
  const std::string validity =
      der::Sequence({der::UtcTime("250101000000Z"), der::GeneralizedTime("20991231235959Z")});
  const std::string extension_list =
      extensions.empty() ? std::string() : der::Context(3, der::Sequence({extensions}));
  return der::Sequence({der::Context(0, der::Integer(2)), der::Integer(std::string_view(serial)),
                        inner_algorithm, issuer, validity, subject, spki, extension_list});
}

std::string CertificateFields::Der() const {
  return der::Sequence({Tbs(), outer_algorithm, der::BitString(signature, signature_unused_bits)});
}

std::string Name(std::string_view common_name) {
  const auto attribute = [](std::string_view oid, std::string_view value) {
    return der::Set({der::Sequence({der::Oid(oid), der::Utf8(value)})});
  };
  return der::Sequence({attribute("2.5.4.10", "kassay"), attribute("2.5.4.3", common_name)});
}

std::string Extensions::Der() const {
  const auto extension = [](std::string_view oid, bool critical, std::string_view value) {
    return der::Sequence(
        {der::Oid(oid), critical ? der::Boolean(true) : std::string(), der::OctetString(value)});
  };
  std::string all;
  if (!skid.empty()) all += extension("2.5.29.14", false, der::OctetString(skid));
  std::string authority;
  if (!akid.empty()) authority += der::ContextPrimitive(0, akid);
  if (!akid_issuer.empty())  // GeneralNames with one directoryName (RFC 5280, 4.2.1.1 and 4.2.1.6)
    authority +=
        der::Context(1, der::Context(4, akid_issuer)) + der::ContextPrimitive(2, akid_serial);
  if (!authority.empty()) all += extension("2.5.29.35", false, der::Sequence({authority}));
  if (is_ca) {
    all += extension("2.5.29.19", true,
                     *is_ca ? der::Sequence({der::Boolean(true)}) : der::Sequence({}));
  }
  if (key_usage)
    all +=
        extension("2.5.29.15", true, der::BitString(std::string(1, static_cast<char>(*key_usage))));
  return all;
}

std::string KeyIdentifier(const SigningKey& key) {
  return Digest(kSha256, key.spki()).substr(0, 20);
}

CertificateFields Certify(const Party& subject, const Party& issuer, bool subject_is_ca,
                          std::uint64_t serial, DigestName digest) {
  CertificateFields fields;
  for (; serial > 0; serial >>= 8)
    fields.serial.insert(fields.serial.begin(), static_cast<char>(serial & 0xff));
  fields.issuer = Name(issuer.common_name);
  fields.subject = Name(subject.common_name);
  fields.spki = subject.key->spki();
  constexpr std::uint8_t kSigns = 0x80;
  constexpr std::uint8_t kCertifies = 0x06;
  fields.extensions = Extensions{.skid = KeyIdentifier(*subject.key),
                                 .akid = KeyIdentifier(*issuer.key),
                                 .is_ca = subject_is_ca,
                                 .key_usage = subject_is_ca ? kSigns | kCertifies : kSigns}
                          .Der();
  SignAnew(fields, *issuer.key, digest);
  return fields;
}

void SignAnew(CertificateFields& fields, const SigningKey& issuer_key, DigestName digest) {
  fields.inner_algorithm = issuer_key.CertificateAlgorithm(digest);
  fields.outer_algorithm = fields.inner_algorithm;
  fields.signature = issuer_key.Sign(fields.Tbs(), digest);
}

CertificateFields Wrap(MlDsaSet set, std::string_view public_key) {
  const MlDsaParameters& p = ParametersOf(set);
  CertificateFields fields;
  // The serial number must tell keys apart where two lie on one keyring.
  fields.serial = '\x01' + Digest(kSha256, public_key).substr(0, 15);
  fields.issuer = Name("nobody");
  fields.subject = Name("wrapped key");
  fields.inner_algorithm = AlgorithmIdentifier(p.oid);
  fields.outer_algorithm = fields.inner_algorithm;
  fields.spki = der::Sequence({fields.inner_algorithm, der::BitString(public_key)});
  fields.extensions = Extensions{.skid = Digest(kSha256, fields.spki).substr(0, 20)}.Der();
  fields.signature = std::string(static_cast<std::size_t>(p.signature_bytes), '\0');
  return fields;
}

namespace {

std::string DerOf(const X509_NAME* name) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_NAME(name, &bytes);
  if (size <= 0) return {};
  const std::string result(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return result;
}

}  // namespace

std::optional<CertificateIds> IdsOf(std::string_view certificate) {
  const auto* at = reinterpret_cast<const unsigned char*>(certificate.data());
  const std::unique_ptr<X509, decltype(&X509_free)> parsed(
      d2i_X509(nullptr, &at, static_cast<long>(certificate.size())), &X509_free);
  if (!parsed) return std::nullopt;
  CertificateIds ids;
  ids.issuer = DerOf(X509_get_issuer_name(parsed.get()));
  ids.subject = DerOf(X509_get_subject_name(parsed.get()));
  const ASN1_INTEGER* serial = X509_get0_serialNumber(parsed.get());
  ids.serial.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)),
                    static_cast<std::size_t>(ASN1_STRING_length(serial)));
  if (const ASN1_OCTET_STRING* skid = X509_get0_subject_key_id(parsed.get())) {
    ids.skid.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(skid)),
                    static_cast<std::size_t>(ASN1_STRING_length(skid)));
  }
  return ids;
}

}  // namespace kassay::trust
