#include "harness/host/run/case_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <set>

#include "harness/host/result/json_reader.h"
#include "harness/host/run/program.h"
#include "harness/protocol/records.h"

namespace kassay {
namespace {

constexpr int kMaxTimeoutS = 3600;

// What GoogleTest lets through in a name, minus what a filter would take for its own language.
bool IsCaseName(std::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '/' || c == '.';
  });
  return plain && !name.empty() && name.size() <= kMaxCaseNameBytes &&
         name.find('.') != std::string_view::npos;
}

bool IsRegex(const std::string& text) {
  try {
    const std::regex regex(text);
    return true;
  } catch (const std::regex_error&) {
    return false;
  }
}

ListedCase ReadListedCase(const Json& json, const std::string& place, std::string& problem) {
  ListedCase listed;
  JsonReader reader(json, place, problem);
  reader.Get("case", listed.name);
  reader.Get("requirements", listed.requirements);
  reader.GetOptional("on_host", listed.on_host);
  reader.Get("detection", listed.detection);
  reader.Get("timeout_s", listed.timeout_s);
  reader.Get("profile", listed.profile);
  reader.Get("expects_panic", listed.expects_panic);
  reader.GetOptional("allows_taint", listed.allows_taint);
  reader.Get("file", listed.file);
  reader.Get("line", listed.line);
  if (!IsCaseName(listed.name)) reader.Complain("case", "is not a case's name");
  if (listed.requirements.empty()) reader.Complain("requirements", "is empty");
  if (listed.timeout_s < 1 || listed.timeout_s > kMaxTimeoutS)
    reader.Complain("timeout_s", fmt::format("is not within 1 and {}", kMaxTimeoutS));
  if (listed.profile.find_first_of("/.") != std::string::npos)
    reader.Complain("profile", "is not a profile's name");
  if (!IsRegex(listed.expects_panic)) reader.Complain("expects_panic", "is no regular expression");
  return listed;
}

}  // namespace

const ListedCase* CaseList::Find(std::string_view name) const {
  const auto found = std::find_if(cases.begin(), cases.end(),
                                  [&](const ListedCase& listed) { return listed.name == name; });
  return found == cases.end() ? nullptr : &*found;
}

Result<CaseList> ParseCaseList(std::string_view text) {
  KASSAY_TRY(const Json json, ParseJson(text));
  CaseList list;
  std::string problem;
  JsonReader reader(json, "", problem);
  reader.Get("suite", list.suite);
  reader.Get("features", list.features);
  reader.GetOptional("prepares", list.prepares);
  reader.GetList("cases", list.cases, ReadListedCase);
  std::set<std::string> seen;
  for (const ListedCase& listed : list.cases) {
    if (!seen.insert(listed.name).second) reader.Complain("cases", "has " + listed.name + " twice");
  }
  if (!problem.empty()) return Fail("not a case list: " + problem);
  return list;
}

Result<CaseList> ListCases(const std::filesystem::path& executable) {
  Program program;
  program.argv = {executable.string(), "--kassay_list"};
  KASSAY_TRY(const ProgramOutcome outcome, RunProgram(program));
  if (!outcome.Succeeded()) {
    const std::string said = outcome.standard_error.substr(0, outcome.standard_error.find('\n'));
    return Fail(fmt::format("{} --kassay_list {}{}{}", executable.string(), outcome.HowItEnded(),
                            said.empty() ? "" : ": ", said.substr(0, 300)));
  }
  auto list = ParseCaseList(outcome.standard_output);
  if (!list) return Fail(list.error().Within(executable.string() + " --kassay_list"));
  if (list->suite != executable.filename().string()) {
    return Fail(fmt::format("{} says that it is the suite '{}'", executable.string(), list->suite));
  }
  return list;
}

}  // namespace kassay
