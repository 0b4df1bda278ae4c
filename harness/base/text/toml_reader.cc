#include "harness/base/text/toml_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace kassay {

std::string TomlReader::Text(const char* key, bool required) {
  const toml::node* node = Find(key, required);
  if (node == nullptr) return {};
  const auto value = node->value_exact<std::string>();
  if (!value) ComplainAt(*node, fmt::format("'{}' is not a string", key));
  if (value && value->empty() && required) ComplainAt(*node, fmt::format("'{}' is empty", key));
  return value.value_or("");
}

std::string TomlReader::OneOf(const char* key, const std::vector<std::string>& choices,
                              const std::string& otherwise) {
  const toml::node* node = Find(key, false);
  if (node == nullptr) return otherwise;
  const std::string value = node->value_exact<std::string>().value_or("");
  if (std::find(choices.begin(), choices.end(), value) == choices.end())
    ComplainAt(*node, fmt::format("'{}' is none of \"{}\"", key, fmt::join(choices, "\", \"")));
  return value;
}

std::vector<std::string> TomlReader::Texts(const char* key, bool required) {
  std::vector<std::string> texts;
  const toml::node* node = Find(key, required);
  if (node == nullptr) return texts;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    ComplainAt(*node, fmt::format("'{}' is not a list of strings", key));
    return texts;
  }
  for (const toml::node& element : *array) {
    const auto value = element.value_exact<std::string>();
    if (!value || value->empty()) {
      ComplainAt(*node, fmt::format("'{}' is not a list of strings, none empty", key));
      return {};
    }
    texts.push_back(*value);
  }
  return texts;
}

std::int64_t TomlReader::Number(const char* key, std::int64_t least, std::int64_t most,
                                std::optional<std::int64_t> otherwise) {
  const toml::node* node = Find(key, !otherwise);
  if (node == nullptr) return otherwise.value_or(least);
  const auto value = node->value_exact<std::int64_t>();
  if (value && *value >= least && *value <= most) return *value;
  ComplainAt(*node, fmt::format("'{}' is not a number from {} to {}", key, least, most));
  return least;
}

std::string TomlReader::Date(const char* key) {
  const toml::node* node = Find(key, true);
  if (node == nullptr) return {};
  const auto date = node->value_exact<toml::date>();
  if (!date) {
    ComplainAt(*node, fmt::format("'{}' is not a date such as 2027-01-31 (without quotes)", key));
    return {};
  }
  return fmt::format("{:04}-{:02}-{:02}", date->year, date->month, date->day);
}

bool TomlReader::Flag(const char* key) {
  const toml::node* node = Find(key, false);
  if (node == nullptr) return false;
  const auto flag = node->value_exact<bool>();
  if (!flag) ComplainAt(*node, fmt::format("'{}' must be true or false", key));
  return flag.value_or(false);
}

std::vector<const toml::table*> TomlReader::Tables(const char* key) {
  std::vector<const toml::table*> tables;
  const toml::node* node = Find(key, false);
  if (node == nullptr) return tables;
  const toml::array* array = node->as_array();
  if (array == nullptr || (!array->empty() && !array->is_homogeneous<toml::table>())) {
    ComplainAt(*node, fmt::format("'{}' must be written as [[{}]]", key, key));
    return tables;
  }
  for (const toml::node& element : *array) tables.push_back(element.as_table());
  return tables;
}

const toml::table* TomlReader::Table(const char* key, bool required) {
  const toml::node* node = Find(key, required);
  if (node == nullptr) return nullptr;
  if (node->as_table() == nullptr)
    ComplainAt(*node, fmt::format("'{}' must be written as [{}]", key, key));
  return node->as_table();
}

void TomlReader::Complain(const char* key, const std::string& what) {
  const toml::node* node = table_.get(key);
  ComplainAt(node == nullptr ? table_ : *node, fmt::format("'{}' {}", key, what));
}

void TomlReader::ComplainAt(const toml::node& node, const std::string& what) {
  if (!problem_.empty()) return;
  problem_ = fmt::format("{}:{}: {}{}{}", file_, node.source().begin.line, who_,
                         who_.empty() ? "" : ": ", what);
}

void TomlReader::Finish() {
  for (const auto& [key, node] : table_) {
    if (asked_.contains(std::string(key.str()))) continue;
    ComplainAt(node,
               fmt::format("unknown key '{}'; known are {}", key.str(), fmt::join(asked_, ", ")));
  }
}

const toml::node* TomlReader::Find(const char* key, bool required) {
  asked_.insert(key);
  if (!problem_.empty()) return nullptr;
  const toml::node* node = table_.get(key);
  if (node == nullptr && required) ComplainAt(table_, fmt::format("'{}' is missing", key));
  return node;
}

Result<toml::table> ParseToml(std::string_view text, const std::string& file) {
  if (text.size() > kMaxTomlBytes) return Fail(file + " is too large", ErrorKind::kUsage);
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    return Fail(fmt::format("{}:{}: {}", file, error.source().begin.line, error.description()),
                ErrorKind::kUsage);
  }
}

}  // namespace kassay
