#include "suites/support/trust/cms.h"

#include "suites/support/trust/der.h"

namespace kassay::trust {
namespace {

std::string Attribute(std::string_view oid, std::string_view value) {
  return der::Sequence({der::Oid(oid), der::Set({value})});
}

// RFC 5652, section 5.4: signed as a SET OF, sent with the tag [0]. The attributes are in DER's
// order.
std::string AttributesOf(const CmsSigner& signer, std::string_view content) {
  std::string all;
  if (!signer.attributes->content_type.empty())
    all += Attribute("1.2.840.113549.1.9.3", der::Oid(signer.attributes->content_type));
  if (!signer.attributes->signing_time.empty())
    all += Attribute("1.2.840.113549.1.9.5", signer.attributes->signing_time);
  for (const std::string& other : signer.attributes->digests_before)
    all += Attribute("1.2.840.113549.1.9.4", der::OctetString(other));
  const std::string digest =
      signer.attributes->message_digest.value_or(Digest(signer.digest, content));
  if (!digest.empty()) all += Attribute("1.2.840.113549.1.9.4", der::OctetString(digest));
  return all;
}

std::string SignerInfo(const CmsSigner& signer, std::string_view content) {
  const std::string identifier =
      signer.by_skid
          ? der::ContextPrimitive(0, signer.ids.skid)
          : der::Sequence({signer.ids.issuer, der::Integer(std::string_view(signer.ids.serial))});
  const std::string attributes = signer.attributes ? AttributesOf(signer, content) : std::string();
  const std::string signed_bytes =
      signer.attributes ? der::Tlv(0x31, attributes) : std::string(content);
  const std::string signature =
      signer.signature ? *signer.signature : signer.key->Sign(signed_bytes, signer.digest);
  const int version = signer.version.value_or(signer.by_skid ? 3 : 1);
  return der::Sequence(
      {der::Integer(static_cast<std::uint64_t>(version)), identifier,
       AlgorithmIdentifier(signer.digest.oid),
       signer.attributes ? der::Context(0, attributes) : std::string(),
       signer.algorithm ? *signer.algorithm : signer.key->CmsAlgorithm(signer.digest),
       der::OctetString(signature)});
}

}  // namespace

std::string CmsMessage::Der() const {
  std::string digests;
  std::string infos;
  std::string embedded;
  bool by_skid = false;
  for (const CmsSigner& signer : signers) {
    const std::string digest = AlgorithmIdentifier(signer.digest.oid);
    if (digests.find(digest) == std::string::npos) digests += digest;
    infos += SignerInfo(signer, content);
    by_skid = by_skid || signer.by_skid;
  }
  for (const std::string& certificate : certificates) embedded += certificate;
  const std::string encapsulated =
      der::Sequence({der::Oid(content_type),
                     attached ? der::Context(0, der::OctetString(content)) : std::string()});
  const std::string signed_data = der::Sequence(
      {der::Integer(static_cast<std::uint64_t>(version.value_or(by_skid ? 3 : 1))),
       der::Set({digests}), encapsulated,
       embedded.empty() ? std::string() : der::Context(0, embedded), der::Set({infos})});
  return der::Sequence({der::Oid(kIdSignedData), der::Context(0, signed_data)});
}

CmsMessage Detached(std::string_view content, const SigningKey& key, const CertificateIds& ids,
                    DigestName digest) {
  CmsMessage message;
  message.content = content;
  message.signers.push_back({.key = &key, .ids = ids, .digest = digest});
  return message;
}

}  // namespace kassay::trust
