// Wycheproof, mldsa_44_verify_test.json and its siblings (schema mldsa_verify_schema.json).
#include "harness/vectors/vector_reader.h"

namespace kassay::vectors {
namespace {

void ReadTest(const Json& json, const std::string& place, const std::string& set,
              const std::string& public_key, std::size_t group, VectorFile& file,
              std::string& problem) {
  JsonReader reader(json, place, problem);
  CountVector(reader, file.vectors);
  SignatureVector vector;
  long id = 0;
  reader.Get("tcId", id);
  vector.id = "group" + std::to_string(group) + "/tc" + std::to_string(id);
  vector.set = set;
  vector.public_key = public_key;
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
  if (problem.empty()) file.vectors.push_back(std::move(vector));
}

}  // namespace

void ReadWycheproof(const Json& document, VectorFile& file, std::string& problem) {
  file.format = VectorFormat::kWycheproof;
  JsonReader top(document, "", problem);
  std::string set;
  top.Get("algorithm", set);
  set = KnownSet(top, "algorithm", set);
  std::vector<int> ignored;
  std::size_t number = 0;
  top.GetList("testGroups", ignored,
              [&](const Json& json, const std::string& place, std::string& p) {
                JsonReader reader(json, place, p);
                ++number;
                if (!reader.Has("publicKey")) {
                  reader.Complain("publicKey", "is missing: only *_verify files are verification");
                  return 0;
                }
                const std::string public_key = GetHex(reader, "publicKey");
                const Json* tests = reader.Find("tests");
                if (tests == nullptr) return 0;
                if (!tests->is_array()) {
                  reader.Complain("tests", "is not a list");
                  return 0;
                }
                for (std::size_t i = 0; i < tests->size() && p.empty(); ++i)
                  ReadTest((*tests)[i], place + "/tests/" + std::to_string(i), set, public_key,
                           number, file, p);
                return 0;
              });
}

}  // namespace kassay::vectors
