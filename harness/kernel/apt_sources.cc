#include "harness/kernel/apt_sources.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "harness/base/file.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

constexpr size_t kMaxSourcesBytes = size_t{1} << 20;

std::vector<std::string> Words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// "Field: value" lines, continued by lines that begin with a space; names in lower case.
using Stanza = std::map<std::string, std::string>;

std::vector<Stanza> Stanzas(std::string_view text) {
  std::vector<Stanza> stanzas(1);
  std::istringstream in{std::string(text)};
  std::string field;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    if (Words(line).empty()) {
      stanzas.emplace_back();
      field.clear();
      continue;
    }
    if ((line.front() == ' ' || line.front() == '\t') && !field.empty()) {
      stanzas.back()[field] += " " + line;
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    field = Lower(line.substr(0, colon));
    stanzas.back()[field] = line.substr(colon + 1);
  }
  return stanzas;
}

bool Contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool MayHaveThePool(const AptSource& source) {
  const bool fetchable = source.uri.starts_with("http://") || source.uri.starts_with("https://") ||
                         source.uri.starts_with("file:");
  return fetchable && Contains(source.components, "main") &&
         source.suite.find("security") == std::string::npos;
}

}  // namespace

std::vector<AptSource> ParseOneLineSources(std::string_view text) {
  std::vector<AptSource> sources;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> words = Words(line.substr(0, line.find('#')));
    if (words.empty() || words[0] != "deb") continue;
    words.erase(words.begin());
    if (!words.empty() && words[0].starts_with('[')) {
      auto end = std::find_if(words.begin(), words.end(),
                              [](const std::string& word) { return word.ends_with(']'); });
      if (end == words.end()) continue;
      words.erase(words.begin(), end + 1);
    }
    if (words.size() < 2) continue;
    sources.push_back({words[0], words[1], {words.begin() + 2, words.end()}});
  }
  return sources;
}

std::vector<AptSource> ParseDeb822Sources(std::string_view text) {
  std::vector<AptSource> sources;
  for (Stanza& stanza : Stanzas(text)) {
    const auto types = Words(stanza["types"]);
    const auto enabled = Words(Lower(stanza["enabled"]));
    if (!Contains(types, "deb")) continue;
    if (!enabled.empty() && (enabled[0] == "no" || enabled[0] == "false")) continue;
    for (const auto& uri : Words(stanza["uris"])) {
      for (const auto& suite : Words(stanza["suites"])) {
        sources.push_back({uri, suite, Words(stanza["components"])});
      }
    }
  }
  return sources;
}

std::vector<std::string> MirrorsOfApt(const fs::path& apt_dir) {
  std::set<fs::path> parts;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(apt_dir / "sources.list.d", ignored)) {
    const fs::path extension = entry.path().extension();
    if (extension == ".list" || extension == ".sources") parts.insert(entry.path());
  }
  std::vector<fs::path> files = {apt_dir / "sources.list"};
  files.insert(files.end(), parts.begin(), parts.end());

  std::vector<std::string> mirrors;
  for (const fs::path& file : files) {
    const std::string text = ReadFile(file, kMaxSourcesBytes).value_or("");
    const bool is_deb822 = file.extension() == ".sources";
    for (AptSource& source : is_deb822 ? ParseDeb822Sources(text) : ParseOneLineSources(text)) {
      if (!MayHaveThePool(source)) continue;
      while (source.uri.ends_with('/')) source.uri.pop_back();
      if (!Contains(mirrors, source.uri)) mirrors.push_back(source.uri);
    }
  }
  // Third parties have a component main too; Debian's own archive is called debian on every mirror.
  std::stable_partition(mirrors.begin(), mirrors.end(),
                        [](const std::string& uri) { return uri.ends_with("/debian"); });
  return mirrors;
}

}  // namespace kassay
