// What the readers of the formats share.
#pragma once

#include <string>
#include <string_view>

#include "harness/base/text/json_reader.h"
#include "harness/vectors/vector_file.h"

namespace kassay::vectors {

// Bytes from hexadecimal; complains of anything else, and of more than kMaxVectorFieldBytes.
[[nodiscard]] std::string GetHex(JsonReader& reader, const char* key);
// "ML-DSA-44" and the other two; complains of anything else.
[[nodiscard]] std::string KnownSet(JsonReader& reader, const char* key, const std::string& name);
// Complains of the vector that is one too many.
void CountVector(JsonReader& reader, const std::vector<SignatureVector>& so_far);

// Calls `read` with a reader of each object in the list `key`, until there is a problem.
template <typename Read>
void ForEach(JsonReader& reader, const char* key, Read read) {
  std::vector<int> ignored;
  reader.GetList(key, ignored, [&](const Json& json, const std::string& place, std::string& p) {
    JsonReader element(json, place, p);
    read(element);
    return 0;
  });
}

void ReadAcvp(const Json& document, VectorFile& file, std::string& problem);
void ReadWycheproof(const Json& document, VectorFile& file, std::string& problem);

}  // namespace kassay::vectors
