// Wycheproof, mldsa_44_verify_test.json and its siblings (schema mldsa_verify_schema.json).
#include "harness/vectors/vector_reader.h"

namespace kassay::vectors {
namespace {

// `vector` holds what the tests of its group share; `group` is its number.
void ReadTest(JsonReader& reader, SignatureVector vector, std::size_t group, VectorFile& file) {
  CountVector(reader, file.vectors);
  long id = 0;
  reader.Get("tcId", id);
  vector.id = "group" + std::to_string(group) + "/tc" + std::to_string(id);
  vector.signature = GetHex(reader, "sig");
  if (reader.Has("msg")) {
    vector.message = GetHex(reader, "msg");
  } else {
    vector.uncarried = "a message given as its hash mu";
  }
  if (reader.Has("ctx") && !GetHex(reader, "ctx").empty()) vector.uncarried = "a non-empty context";
  std::string result;
  reader.Get("result", result);
  if (result != "valid" && result != "invalid" && result != "acceptable")
    reader.Complain("result", "has the unknown value '" + result + "'");
  if (result == "acceptable") {
    vector.uncarried = "a verdict that leaves the choice to the implementation";
  } else {
    vector.valid = result == "valid";
  }
  file.vectors.push_back(std::move(vector));
}

}  // namespace

void ReadWycheproof(const Json& document, VectorFile& file, std::string& problem) {
  JsonReader top(document, "", problem);
  SignatureVector shared;
  top.Get("algorithm", shared.set);
  shared.set = KnownSet(top, "algorithm", shared.set);
  std::size_t number = 0;
  ForEach(top, "testGroups", [&](JsonReader& reader) {
    ++number;
    if (!reader.Has("publicKey"))
      reader.Complain("publicKey", "is missing: only *_verify files are verification");
    shared.public_key = GetHex(reader, "publicKey");
    ForEach(reader, "tests", [&](JsonReader& test) { ReadTest(test, shared, number, file); });
  });
}

}  // namespace kassay::vectors
