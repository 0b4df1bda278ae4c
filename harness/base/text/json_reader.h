// Reads the fields of one JSON object that comes from outside. The first problem wins and is kept
// with its place ("/cases/0/verdict has the unknown value 'fine'"); nothing throws.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "harness/base/result.h"

namespace kassay {

using Json = nlohmann::ordered_json;

class JsonReader {
 public:
  // `problem` is shared by all readers of one document; empty means none so far.
  JsonReader(const Json& json, std::string place, std::string& problem)
      : json_(json), place_(std::move(place)), problem_(problem) {
    if (!json_.is_object()) Complain("", "is not an object");
  }

  template <typename T>
  void Get(const char* key, T& value) {
    const Json* field = Find(key);
    if (field == nullptr) return;
    try {
      if constexpr (std::is_same_v<T, std::string>) {
        if (!field->is_string()) return Complain(key, "is not a string");
      } else if constexpr (std::is_same_v<T, bool>) {
        if (!field->is_boolean()) return Complain(key, "is not true or false");
      } else if constexpr (std::is_integral_v<T>) {
        if (!IsWholeNumber<T>(*field)) return Complain(key, "is not a whole number");
      }
      value = field->get<T>();
    } catch (const Json::exception&) {
      Complain(key, "has the wrong type");
    }
  }

  // The same, but a field that is not there leaves `value` as it is.
  template <typename T>
  void GetOptional(const char* key, T& value) {
    if (Has(key)) Get(key, value);
  }

  template <typename T, typename Parse>
  void GetEnum(const char* key, T& value, Parse parse) {
    std::string text;
    Get(key, text);
    if (!problem_.empty()) return;
    if (const auto parsed = parse(text)) {
      value = *parsed;
    } else {
      Complain(key, "has the unknown value '" + text + "'");
    }
  }

  template <typename T, typename ReadOne>
  void GetList(const char* key, std::vector<T>& list, ReadOne read_one) {
    const Json* field = Find(key);
    if (field == nullptr) return;
    if (!field->is_array()) return Complain(key, "is not a list");
    for (size_t i = 0; i < field->size() && problem_.empty(); ++i) {
      list.push_back(read_one((*field)[i], place_ + "/" + key + "/" + std::to_string(i), problem_));
    }
  }

  [[nodiscard]] bool Has(const char* key) const {
    return problem_.empty() && json_.find(key) != json_.end();
  }
  [[nodiscard]] const Json* Find(const char* key) {
    if (!problem_.empty()) return nullptr;
    const auto found = json_.find(key);
    if (found == json_.end()) {
      Complain(key, "is missing");
      return nullptr;
    }
    return &*found;
  }
  [[nodiscard]] std::string PlaceOf(const char* key) const { return place_ + "/" + key; }
  void Complain(const std::string& key, const std::string& what) {
    if (problem_.empty()) problem_ = place_ + (key.empty() ? "" : "/" + key) + " " + what;
  }

 private:
  template <typename T>
  static bool IsWholeNumber(const Json& field) {
    if (!field.is_number_integer()) return false;
    return field.is_number_unsigned() ? std::in_range<T>(field.get<std::uint64_t>())
                                      : std::in_range<T>(field.get<std::int64_t>());
  }

  const Json& json_;
  std::string place_;
  std::string& problem_;
};

// The document, or an error of the kind ErrorKind::kUsage.
[[nodiscard]] inline Result<Json> ParseJson(std::string_view text) {
  Json json = Json::parse(text, /*callback=*/nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Fail("not JSON, or cut off", ErrorKind::kUsage);
  return json;
}

// Text of the document; invalid UTF-8 is replaced, never thrown about. `indent` -1 for one line.
[[nodiscard]] inline std::string DumpJson(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace kassay
