#include "harness/vectors/vector_file.h"

#include <algorithm>

#include "harness/base/text/hex.h"
#include "harness/vectors/vector_reader.h"

namespace kassay {
namespace vectors {
std::string GetHex(JsonReader& reader, const char* key) {
  std::string hex;
  reader.Get(key, hex);
  if (hex.size() % 2 != 0 || hex.size() / 2 > kMaxVectorFieldBytes) {
    reader.Complain(key, "is not hexadecimal bytes, or too many");
    return {};
  }
  std::optional<std::string> bytes = FromHex(hex);
  if (!bytes) {
    reader.Complain(key, "is not hexadecimal");
    return {};
  }
  return std::move(*bytes);
}

std::string KnownSet(JsonReader& reader, const char* key, const std::string& name) {
  for (const char* known : {"ML-DSA-44", "ML-DSA-65", "ML-DSA-87"}) {
    if (name == known) return name;
  }
  reader.Complain(key, "is no parameter set of ML-DSA");
  return {};
}

void CountVector(JsonReader& reader, const std::vector<SignatureVector>& so_far) {
  if (so_far.size() >= kMaxVectors) reader.Complain("", "is one vector too many");
}

static void ReadOwn(const Json& document, VectorFile& file, std::string& problem) {
  JsonReader top(document, "", problem);
  std::string set;
  int version = 0;
  top.Get("version", version);
  if (version != 1) top.Complain("version", "is newer than this kassay");
  top.Get("parameterSet", set);
  set = KnownSet(top, "parameterSet", set);
  ForEach(top, "vectors", [&](JsonReader& reader) {
    CountVector(reader, file.vectors);
    SignatureVector vector;
    vector.set = set;
    std::string verdict;
    reader.Get("id", vector.id);
    if (vector.id.size() > 200 ||
        std::any_of(vector.id.begin(), vector.id.end(), [](unsigned char c) { return c < ' '; }))
      reader.Complain("id", "is too long, or no line of text");
    reader.Get("verdict", verdict);
    if (verdict != "valid" && verdict != "rejected" && verdict != "malformed")
      reader.Complain("verdict", "is not valid, rejected or malformed");
    vector.valid = verdict == "valid";
    vector.public_key = GetHex(reader, "publicKey");
    vector.message = GetHex(reader, "message");
    vector.signature = GetHex(reader, "signature");
    file.vectors.push_back(std::move(vector));
  });
}

}  // namespace vectors

Result<VectorFile> ParseVectorFile(std::string_view json) {
  KASSAY_TRY(Json document, ParseJson(json));
  // ACVP wraps its files as [{"acvVersion": ...}, {...}] on the wire.
  if (document.is_array() && document.size() == 2) {
    Json inner = std::move(document[1]);
    document = std::move(inner);
  }
  VectorFile file;
  std::string problem;
  if (!document.is_object()) return Fail("is no vector file", ErrorKind::kUsage);
  if (document.contains("format") && document["format"] == "kassay-mldsa-vectors") {
    vectors::ReadOwn(document, file, problem);
  } else if (document.contains("vsId") || document.contains("mode")) {
    vectors::ReadAcvp(document, file, problem);
  } else if (document.contains("testGroups")) {
    vectors::ReadWycheproof(document, file, problem);
  } else {
    return Fail("is no vector file: neither ACVP, nor Wycheproof, nor kassay's", ErrorKind::kUsage);
  }
  if (!problem.empty()) return Fail(problem, ErrorKind::kUsage);
  return file;
}

std::size_t ApplyResults(std::vector<SignatureVector>& vectors,
                         const std::map<AcvpPlace, bool>& results) {
  std::size_t without = 0;
  for (SignatureVector& vector : vectors) {
    if (vector.valid) continue;
    const auto found = vector.acvp ? results.find(*vector.acvp) : results.end();
    if (found == results.end()) {
      ++without;
    } else {
      vector.valid = found->second;
    }
  }
  return without;
}

}  // namespace kassay
