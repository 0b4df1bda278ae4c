#include "harness/certify/attestation.h"

#include "harness/base/text/json_reader.h"

namespace kassay {
namespace {

constexpr const char* kStatementType = "https://in-toto.io/Statement/v1";
constexpr const char* kPredicateType = "https://in-toto.io/attestation/test-result/v0.1";
constexpr size_t kMaxEnvelopeBytes = size_t{16} << 20;

Json Write(const std::vector<DigestOf>& list) {
  Json json = Json::array();
  for (const DigestOf& item : list) {
    json.push_back({{"name", item.name}, {"digest", {{"sha256", item.sha256}}}});
  }
  return json;
}

DigestOf ReadDigest(const Json& json, const std::string& place, std::string& problem) {
  DigestOf item;
  JsonReader reader(json, place, problem);
  reader.Get("name", item.name);
  if (const Json* digest = reader.Find("digest")) {
    JsonReader(*digest, reader.PlaceOf("digest"), problem).Get("sha256", item.sha256);
  }
  return item;
}

void Require(JsonReader& reader, const char* key, const char* value) {
  std::string text;
  reader.Get(key, text);
  if (text != value) reader.Complain(key, std::string("is not ") + value);
}

}  // namespace

std::string ToJson(const Statement& statement) {
  const Json json = {{"_type", kStatementType},
                     {"subject", Write(statement.subjects)},
                     {"predicateType", kPredicateType},
                     {"predicate",
                      {{"result", statement.result},
                       {"configuration", Write(statement.configuration)},
                       {"passedTests", statement.passed},
                       {"warnedTests", statement.warned},
                       {"failedTests", Json::array()}}}};
  return DumpJson(json);
}

Result<Statement> StatementFromJson(std::string_view text) {
  KASSAY_TRY(const Json json, ParseJson(text));
  Statement statement;
  std::string problem;
  JsonReader reader(json, "", problem);
  Require(reader, "_type", kStatementType);
  Require(reader, "predicateType", kPredicateType);
  reader.GetList("subject", statement.subjects, ReadDigest);
  if (const Json* field = reader.Find("predicate")) {
    JsonReader predicate(*field, "/predicate", problem);
    predicate.Get("result", statement.result);
    predicate.GetList("configuration", statement.configuration, ReadDigest);
    predicate.Get("passedTests", statement.passed);
    predicate.Get("warnedTests", statement.warned);
  }
  if (!problem.empty()) return Fail("not a test-result statement: " + problem, ErrorKind::kUsage);
  return statement;
}

std::string PreAuthenticationEncoding(std::string_view type, std::string_view payload) {
  std::string out = "DSSEv1 " + std::to_string(type.size()) + " ";
  out += type;
  out += " " + std::to_string(payload.size()) + " ";
  out += payload;
  return out;
}

Result<Envelope> Seal(const std::string& payload, const Key& key) {
  Envelope envelope{kPayloadType, payload, "", ""};
  KASSAY_TRY(envelope.key_id, key.Id());
  KASSAY_TRY(envelope.signature,
             key.Sign(PreAuthenticationEncoding(envelope.payload_type, envelope.payload)));
  return envelope;
}

std::string ToJson(const Envelope& envelope) {
  const Json json = {
      {"payloadType", envelope.payload_type},
      {"payload", ToBase64(envelope.payload)},
      {"signatures",
       Json::array({{{"keyid", envelope.key_id}, {"sig", ToBase64(envelope.signature)}}})}};
  return DumpJson(json, 1) + "\n";
}

Result<Envelope> EnvelopeFromJson(std::string_view text) {
  if (text.size() > kMaxEnvelopeBytes) return Fail("the envelope is too large", ErrorKind::kUsage);
  KASSAY_TRY(const Json json, ParseJson(text));
  Envelope envelope;
  std::string payload;
  std::vector<std::string> signatures;
  std::string problem;
  JsonReader reader(json, "", problem);
  reader.Get("payloadType", envelope.payload_type);
  reader.Get("payload", payload);
  reader.GetList("signatures", signatures,
                 [&](const Json& item, const std::string& place, std::string& inner) {
                   std::string sig;
                   JsonReader signature(item, place, inner);
                   signature.Get("keyid", envelope.key_id);
                   signature.Get("sig", sig);
                   return sig;
                 });
  if (problem.empty() && signatures.size() != 1) problem = "/signatures must hold one";
  if (!problem.empty()) return Fail("not a DSSE envelope: " + problem, ErrorKind::kUsage);
  KASSAY_TRY(envelope.payload, FromBase64(payload));
  KASSAY_TRY(envelope.signature, FromBase64(signatures[0]));
  if (ToJson(envelope) != text) {
    return Fail("the envelope is not in the one form that kassay writes", ErrorKind::kUsage);
  }
  return envelope;
}

Status CheckSignature(const Envelope& envelope, const Key& key) {
  const auto refuse = [](const std::string& why) { return Fail(why, ErrorKind::kRefuted); };
  if (envelope.payload_type != kPayloadType) {
    return refuse("the payload is '" + envelope.payload_type + "', not an in-toto statement");
  }
  KASSAY_TRY(const std::string id, key.Id());
  if (envelope.key_id != id) {
    return refuse("it was signed with the key " + envelope.key_id.substr(0, 16) +
                  "..., not with the key given, " + id.substr(0, 16) + "...");
  }
  if (!key.Verifies(PreAuthenticationEncoding(envelope.payload_type, envelope.payload),
                    envelope.signature)) {
    return refuse("the signature does not match");
  }
  return {};
}

}  // namespace kassay
