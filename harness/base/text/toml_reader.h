// Reads the tables of levels and waivers. The first problem wins and is kept with file and line;
// a key that nobody asked for is a problem too: misspelt, it would be a promise that is not kept.
#pragma once

#include <fmt/format.h>

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <toml++/toml.h>

#include "harness/base/result.h"

namespace kassay {

inline constexpr size_t kMaxTomlBytes = size_t{4} << 20;

class TomlReader {
 public:
  TomlReader(const toml::table& table, const std::string& file, std::string& problem)
      : table_(table), file_(file), problem_(problem) {}

  // The string of a key; not empty if required.
  std::string Text(const char* key, bool required = true) {
    const toml::node* node = Find(key, required);
    if (node == nullptr) return {};
    const auto value = node->value_exact<std::string>();
    if (!value) Complain(node, fmt::format("'{}' is not a string", key));
    if (value && value->empty() && required) Complain(node, fmt::format("'{}' is empty", key));
    return value.value_or("");
  }

  std::vector<std::string> Texts(const char* key, bool required = true) {
    std::vector<std::string> texts;
    const toml::node* node = Find(key, required);
    if (node == nullptr) return texts;
    const toml::array* array = node->as_array();
    if (array == nullptr) {
      Complain(node, fmt::format("'{}' is not a list of strings", key));
      return texts;
    }
    for (const toml::node& element : *array) {
      const auto value = element.value_exact<std::string>();
      if (!value || value->empty()) {
        Complain(node, fmt::format("'{}' is not a list of strings, none empty", key));
        return {};
      }
      texts.push_back(*value);
    }
    return texts;
  }

  // A TOML date (2027-01-31), as that text.
  std::string Date(const char* key) {
    const toml::node* node = Find(key, true);
    if (node == nullptr) return {};
    const auto date = node->value_exact<toml::date>();
    if (!date) {
      Complain(node, fmt::format("'{}' is not a date such as 2027-01-31 (without quotes)", key));
      return {};
    }
    return fmt::format("{:04}-{:02}-{:02}", date->year, date->month, date->day);
  }

  // The tables of [[key]].
  std::vector<const toml::table*> Tables(const char* key) {
    std::vector<const toml::table*> tables;
    const toml::node* node = Find(key, false);
    if (node == nullptr) return tables;
    const toml::array* array = node->as_array();
    if (array == nullptr) {
      Complain(node, fmt::format("'{}' must be written as [[{}]]", key, key));
      return tables;
    }
    for (const toml::node& element : *array) {
      if (element.as_table() == nullptr) {
        Complain(node, fmt::format("'{}' must be written as [[{}]]", key, key));
        return {};
      }
      tables.push_back(element.as_table());
    }
    return tables;
  }

  const toml::table* Table(const char* key) {
    const toml::node* node = Find(key, true);
    if (node == nullptr) return nullptr;
    if (node->as_table() == nullptr) {
      Complain(node, fmt::format("'{}' must be written as [{}]", key, key));
    }
    return node->as_table();
  }

  void Complain(const toml::node* node, const std::string& what) {
    const auto line = node == nullptr ? table_.source().begin.line : node->source().begin.line;
    if (problem_.empty()) problem_ = fmt::format("{}:{}: {}", file_, line, what);
  }

  // To be called last: complains about keys that were not asked for.
  void Finish() {
    for (const auto& [key, node] : table_) {
      if (asked_.count(std::string(key.str())) == 0) {
        Complain(&node, fmt::format("unknown key '{}'", key.str()));
      }
    }
  }

 private:
  const toml::node* Find(const char* key, bool required) {
    asked_.insert(key);
    if (!problem_.empty()) return nullptr;
    const toml::node* node = table_.get(key);
    if (node == nullptr && required) Complain(nullptr, fmt::format("'{}' is missing", key));
    return node;
  }

  const toml::table& table_;
  const std::string& file_;
  std::string& problem_;
  std::set<std::string> asked_;
};

// The document, or a usage error with file and line.
[[nodiscard]] inline Result<toml::table> ParseToml(std::string_view text, const std::string& file) {
  if (text.size() > kMaxTomlBytes) return Fail(file + " is too large", ExitCode::kUsage);
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    return Fail(fmt::format("{}:{}: {}", file, error.source().begin.line, error.description()),
                ExitCode::kUsage);
  }
}

}  // namespace kassay
