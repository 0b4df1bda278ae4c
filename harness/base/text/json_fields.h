// The fields of a JSON object, described once for both directions:
//
//   void Describe(JsonFields& fields, Failure& failure) {
//     fields("file", failure.file);
//     fields("line", failure.line);
//   }
//
//   const Json json = JsonOf(failure);
//   const Failure failure = ReadJson<Failure>(json, place, problem);
//
// A field is a text, a number, a bool, a list or a map of these, a whole number or a text, a value
// that is described itself, a list of such, or an optional one (null where it has no value).
// Reading checks what JsonReader checks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "harness/base/text/json_reader.h"

namespace kassay {

class JsonFields;

template <typename T>
concept DescribedInJson = std::is_class_v<T> && requires(JsonFields& fields, T& value) {
  Describe(fields, value);
};

class JsonFields {
 public:
  // Writes into `out`.
  explicit JsonFields(Json& out) : out_(&out) { out = Json::object(); }
  // Reads from `in`; see json_reader.h for `place` and `problem`.
  JsonFields(const Json& in, const std::string& place, std::string& problem)
      : in_(JsonReader(in, place, problem)), problem_(&problem) {}

  [[nodiscard]] bool IsReading() const { return in_.has_value(); }

  template <typename T>
  void operator()(const char* key, T& value) {
    if (!in_) {
      (*out_)[key] = Written(value);
    } else if (const Json* field = in_->Find(key)) {
      Read(*field, key, value);
    }
  }

  // Left out where it has its default.
  template <typename T>
  void Optional(const char* key, T& value) {
    if (in_ ? in_->Has(key) : value != T()) (*this)(key, value);
  }

  template <typename T>
  void Optional(const char* key, std::optional<T>& value) {
    if (in_ ? in_->Has(key) : value.has_value()) (*this)(key, value);
  }

  // An enumeration by its names; `parse` gives an std::optional.
  template <typename T, typename Parse>
  void Enum(const char* key, T& value, std::string_view (*name)(T), Parse parse) {
    if (in_) {
      in_->GetEnum(key, value, parse);
    } else {
      (*out_)[key] = name(value);
    }
  }

  // A field that is always the same: the document's format or type.
  template <typename T>
  void Constant(const char* key, const T& value) {
    T found = value;
    (*this)(key, found);
    if (in_ && found != value) in_->Complain(key, "is another one");
  }

  // Reading only: what a value may not be.
  void Complain(const char* key, const std::string& what) { in_->Complain(key, what); }

 private:
  template <typename T>
  static Json Written(T& value) {
    if constexpr (DescribedInJson<T>) {
      Json json;
      JsonFields fields(json);
      Describe(fields, value);
      return json;
    } else {
      return value;
    }
  }
  template <typename T>
  static Json Written(std::optional<T>& value) {
    return value ? Written(*value) : Json();
  }
  static Json Written(std::variant<std::int64_t, std::string>& value) {
    return std::visit([](const auto& held) { return Json(held); }, value);
  }
  template <typename T>
  static Json Written(std::vector<T>& list) {
    Json json = Json::array();
    for (T& value : list) json.push_back(Written(value));
    return json;
  }

  template <typename T>
  void Read(const Json& field, const char* key, T& value) {
    if constexpr (DescribedInJson<T>) {
      JsonFields fields(field, in_->PlaceOf(key), *problem_);
      Describe(fields, value);
    } else {
      in_->Get(key, value);
    }
  }
  template <typename T>
  void Read(const Json& field, const char* key, std::optional<T>& value) {
    if (!field.is_null()) Read(field, key, value.emplace());
  }
  void Read(const Json& field, const char* key, std::variant<std::int64_t, std::string>& value) {
    field.is_string() ? in_->Get(key, value.emplace<std::string>())
                      : in_->Get(key, value.emplace<std::int64_t>());
  }
  template <DescribedInJson T>
  void Read(const Json& /*field*/, const char* key, std::vector<T>& list) {
    in_->GetList(key, list, [](const Json& json, const std::string& place, std::string& problem) {
      T value;
      JsonFields fields(json, place, problem);
      Describe(fields, value);
      return value;
    });
  }

  Json* out_ = nullptr;
  std::optional<JsonReader> in_;
  std::string* problem_ = nullptr;
};

template <DescribedInJson T>
[[nodiscard]] Json JsonOf(const T& value) {
  Json json;
  JsonFields fields(json);
  Describe(fields, const_cast<T&>(value));  // NOLINT: writing changes nothing
  return json;
}

template <DescribedInJson T>
[[nodiscard]] T ReadJson(const Json& json, const std::string& place, std::string& problem) {
  T value;
  JsonFields fields(json, place, problem);
  Describe(fields, value);
  return value;
}

}  // namespace kassay
