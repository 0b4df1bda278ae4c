#include "harness/kernel/apt_sources.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "harness/base/file.h"

namespace kassay {
namespace fs = std::filesystem;

namespace {

constexpr size_t kMaxSourcesBytes = size_t{1} << 20;

std::vector<std::string> Words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
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

bool MayHaveThePool(const AptSource& source) {
  const bool fetchable = source.uri.starts_with("http://") || source.uri.starts_with("https://") ||
                         source.uri.starts_with("file:");
  const bool main = std::find(source.components.begin(), source.components.end(), "main") !=
                    source.components.end();
  return fetchable && main && source.suite.find("security") == std::string::npos;
}

std::string WithoutTrailingSlash(std::string uri) {
  while (uri.ends_with('/')) uri.pop_back();
  return uri;
}

void AddFile(const fs::path& file, std::vector<AptSource>& sources) {
  const auto text = ReadFile(file, kMaxSourcesBytes);
  if (!text) return;
  auto more =
      file.extension() == ".sources" ? ParseDeb822Sources(*text) : ParseOneLineSources(*text);
  sources.insert(sources.end(), more.begin(), more.end());
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
    if (std::find(types.begin(), types.end(), "deb") == types.end()) continue;
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
  std::vector<AptSource> sources;
  AddFile(apt_dir / "sources.list", sources);
  std::vector<fs::path> parts;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(apt_dir / "sources.list.d", ignored)) {
    const fs::path extension = entry.path().extension();
    if (extension == ".list" || extension == ".sources") parts.push_back(entry.path());
  }
  std::sort(parts.begin(), parts.end());
  for (const auto& part : parts) AddFile(part, sources);

  std::vector<std::string> mirrors;
  for (const AptSource& source : sources) {
    const std::string uri = WithoutTrailingSlash(source.uri);
    if (MayHaveThePool(source) && std::find(mirrors.begin(), mirrors.end(), uri) == mirrors.end()) {
      mirrors.push_back(uri);
    }
  }
  // Third parties have a component main too; Debian's own archive is called debian on every mirror.
  std::stable_partition(mirrors.begin(), mirrors.end(),
                        [](const std::string& uri) { return uri.ends_with("/debian"); });
  return mirrors;
}

}  // namespace kassay
