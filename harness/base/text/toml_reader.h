// Reads the tables of our TOML files: catalogues, profiles, levels, waivers, pins. The first
// problem wins and is kept with file and line; a key that nobody asked for is a problem too:
// misspelt, it would be a promise that is not kept.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "harness/base/result.h"

namespace kassay {

inline constexpr size_t kMaxTomlBytes = size_t{4} << 20;

class TomlReader {
 public:
  // `problem` is shared by all readers of one document; empty means none so far. `who` stands in
  // front of complaints ("requirement IOU-051"); empty for none.
  TomlReader(const toml::table& table, const std::string& file, std::string& problem,
             std::string who = "")
      : table_(table), file_(file), problem_(problem), who_(std::move(who)) {}

  // The string of a key; not empty if required.
  std::string Text(const char* key, bool required = true);
  // One of these texts; `otherwise` if the key is not there.
  std::string OneOf(const char* key, const std::vector<std::string>& choices,
                    const std::string& otherwise);
  // true or false; false if the key is not there.
  bool Flag(const char* key);
  // Texts, none empty.
  std::vector<std::string> Texts(const char* key, bool required = true);
  // A whole number; `otherwise` if the key is not there.
  std::int64_t Number(const char* key, std::int64_t least, std::int64_t most,
                      std::optional<std::int64_t> otherwise = std::nullopt);
  // A TOML date (2027-01-31), as that text.
  std::string Date(const char* key);
  // The tables of [[key]], or of key = [{...}].
  std::vector<const toml::table*> Tables(const char* key);
  // null if it is not there.
  const toml::table* Table(const char* key, bool required = true);

  // The first line of a key, or of the table if it has no such key, and what is wrong there.
  void Complain(const char* key, const std::string& what);
  void Complain(const std::string& what) { ComplainAt(table_, what); }

  // To be called last: complains about keys that were not asked for.
  void Finish();

 private:
  const toml::node* Find(const char* key, bool required);
  void ComplainAt(const toml::node& node, const std::string& what);

  const toml::table& table_;
  const std::string& file_;
  std::string& problem_;
  std::string who_;
  std::set<std::string> asked_;
};

// The document, or a usage error with file and line.
[[nodiscard]] Result<toml::table> ParseToml(std::string_view text, const std::string& file);

}  // namespace kassay
