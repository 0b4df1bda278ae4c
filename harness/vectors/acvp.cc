// NIST ACVP, ML-DSA sigVer (FIPS 204): https://pages.nist.gov/ACVP/draft-celi-acvp-ml-dsa.html
#include "harness/vectors/vector_reader.h"

namespace kassay::vectors {
namespace {

struct Group {
  AcvpPlace place;  // of no test yet
  std::string set;
  std::string signature_interface;
  std::string pre_hash = "none";
  bool external_mu = false;
  std::string public_key;  // of the whole group, in older files
};

// The kernel puts an empty context before every message (lib/crypto/mldsa.c:mldsa_verify): what is
// verified is M' = 0x00 0x00 M and nothing else.
void TakeMessage(JsonReader& reader, const Group& group, SignatureVector& vector) {
  if (group.external_mu || (reader.Has("mu") && !reader.Has("message"))) {
    vector.uncarried = "a message given as its hash mu";
    return;
  }
  std::string message = GetHex(reader, "message");
  if (group.signature_interface == "internal") {
    if (message.starts_with(std::string_view("\0\0", 2))) {
      vector.message = message.substr(2);
    } else {
      vector.uncarried = "an encoded message that is not one with an empty context";
    }
    return;
  }
  vector.message = std::move(message);
  // Files from before the field was there meant the internal interface, later ones need not.
  if (group.signature_interface.empty())
    vector.uncarried = "a signature interface that the file does not name";
  if (group.pre_hash == "preHash") vector.uncarried = "HashML-DSA";
  if (vector.uncarried.empty() && reader.Has("context") && !GetHex(reader, "context").empty())
    vector.uncarried = "a non-empty context";
}

void ReadTest(JsonReader& reader, const Group& group, VectorFile& file) {
  AcvpPlace place = group.place;
  reader.Get("tcId", place.test);
  if (!reader.Has("signature")) {
    bool passed = false;
    reader.Get("testPassed", passed);
    const auto [known, fresh] = file.results.emplace(place, passed);
    if (!fresh && known->second != passed) reader.Complain("tcId", "has two verdicts");
    return;
  }
  CountVector(reader, file.vectors);
  SignatureVector vector;
  vector.id = "tg" + std::to_string(place.group) + "/tc" + std::to_string(place.test);
  vector.set = group.set;
  vector.acvp = place;
  vector.public_key = reader.Has("pk") ? GetHex(reader, "pk") : group.public_key;
  if (!reader.Has("pk") && group.public_key.empty()) reader.Complain("pk", "is missing");
  vector.signature = GetHex(reader, "signature");
  TakeMessage(reader, group, vector);
  if (reader.Has("testPassed")) {
    bool passed = false;
    reader.Get("testPassed", passed);
    vector.valid = passed;
  }
  file.vectors.push_back(std::move(vector));
}

}  // namespace

void ReadAcvp(const Json& document, VectorFile& file, std::string& problem) {
  JsonReader top(document, "", problem);
  std::string mode = "sigVer";
  top.GetOptional("mode", mode);
  if (mode != "sigVer") top.Complain("mode", "is '" + mode + "', only sigVer is verification");
  long vector_set = 0;
  top.GetOptional("vsId", vector_set);
  ForEach(top, "testGroups", [&](JsonReader& reader) {
    Group group;
    group.place.vector_set = vector_set;
    reader.Get("tgId", group.place.group);
    reader.GetOptional("parameterSet", group.set);
    reader.GetOptional("signatureInterface", group.signature_interface);
    reader.GetOptional("preHash", group.pre_hash);
    reader.GetOptional("externalMu", group.external_mu);
    if (reader.Has("pk")) group.public_key = GetHex(reader, "pk");
    if (!group.set.empty()) group.set = KnownSet(reader, "parameterSet", group.set);
    ForEach(reader, "tests", [&](JsonReader& test) {
      if (group.set.empty() && test.Has("signature")) {
        reader.Complain("parameterSet", "is missing");
      } else {
        ReadTest(test, group, file);
      }
    });
  });
}

}  // namespace kassay::vectors
