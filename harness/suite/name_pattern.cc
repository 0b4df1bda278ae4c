#include "harness/suite/name_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace kassay {

bool GlobMatches(std::string_view glob, std::string_view name) {
  size_t in_glob = 0;
  size_t in_name = 0;
  size_t last_star = std::string_view::npos;
  size_t retry_from = 0;
  while (in_name < name.size()) {
    if (in_glob < glob.size() && glob[in_glob] == '*') {
      last_star = in_glob++;
      retry_from = in_name;
    } else if (in_glob < glob.size() && (glob[in_glob] == '?' || glob[in_glob] == name[in_name])) {
      ++in_glob;
      ++in_name;
    } else if (last_star != std::string_view::npos) {
      // The last '*' takes one character more.
      in_glob = last_star + 1;
      in_name = ++retry_from;
    } else {
      return false;
    }
  }
  while (in_glob < glob.size() && glob[in_glob] == '*') ++in_glob;
  return in_glob == glob.size();
}

namespace {

void Split(std::string_view part, std::vector<std::string>& globs) {
  std::istringstream in{std::string(part)};
  for (std::string glob; std::getline(in, glob, ':');) {
    if (!glob.empty()) globs.push_back(glob);
  }
}

}  // namespace

void NameFilter::Add(std::string_view filter) {
  const size_t dash = filter.find('-');
  Split(filter.substr(0, dash), wanted_);
  if (dash != std::string_view::npos) Split(filter.substr(dash + 1), unwanted_);
}

std::string NameFilter::Text() const {
  std::string text = fmt::format("{}", fmt::join(wanted_, ":"));
  if (!unwanted_.empty()) text += fmt::format("-{}", fmt::join(unwanted_, ":"));
  return text;
}

bool NameFilter::MatchesCase(const std::string& suite, const std::string& case_name) const {
  const std::string full = suite + "." + case_name;
  const auto matches = [&](const std::string& glob) {
    return GlobMatches(glob, case_name) || GlobMatches(glob, full);
  };
  if (std::any_of(unwanted_.begin(), unwanted_.end(), matches)) return false;
  return wanted_.empty() || std::any_of(wanted_.begin(), wanted_.end(), matches);
}

NameFilter FilterOf(const std::vector<std::string>& filters) {
  NameFilter all;
  for (const std::string& filter : filters) all.Add(filter);
  return all;
}

}  // namespace kassay
