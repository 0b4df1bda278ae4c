#include "harness/suite/case_list.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <regex>
#include <set>

#include "harness/base/file.h"
#include "harness/base/process/program.h"
#include "harness/base/sha256.h"
#include "harness/base/text/json_fields.h"
#include "harness/protocol/records.h"
#include "harness/protocol/suite_program.h"

namespace kassay {
namespace {

constexpr int kMaxTimeoutS = 3600;
constexpr size_t kMaxListBytes = size_t{8} << 20;

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

}  // namespace

static void Describe(JsonFields& fields, ListedCase& listed) {
  fields("case", listed.name);
  fields("requirements", listed.requirements);
  fields.Optional("on_host", listed.on_host);
  fields("detection", listed.detection);
  fields("timeout_s", listed.timeout_s);
  fields("profile", listed.profile);
  fields("expects_panic", listed.expects_panic);
  fields.Optional("allows_taint", listed.allows_taint);
  fields("file", listed.file);
  fields("line", listed.line);
  if (!fields.IsReading()) return;
  if (!IsCaseName(listed.name)) fields.Complain("case", "is not a case's name");
  if (listed.requirements.empty()) fields.Complain("requirements", "is empty");
  if (listed.timeout_s < 1 || listed.timeout_s > kMaxTimeoutS)
    fields.Complain("timeout_s", fmt::format("is not within 1 and {}", kMaxTimeoutS));
  if (listed.profile.find_first_of("/.") != std::string::npos)
    fields.Complain("profile", "is not a profile's name");
  if (!IsRegex(listed.expects_panic)) fields.Complain("expects_panic", "is no regular expression");
}

static void Describe(JsonFields& fields, CaseList& list) {
  fields("suite", list.suite);
  fields("features", list.features);
  fields.Optional("prepares", list.prepares);
  fields("cases", list.cases);
  std::set<std::string> seen;
  for (const ListedCase& listed : list.cases) {
    if (!seen.insert(listed.name).second && fields.IsReading())
      fields.Complain("cases", "has " + listed.name + " twice");
  }
}

Result<CaseList> ParseCaseList(std::string_view text) {
  KASSAY_TRY(const Json json, ParseJson(text));
  std::string problem;
  CaseList list = ReadJson<CaseList>(json, "", problem);
  if (!problem.empty()) return Fail("not a case list: " + problem);
  return list;
}

std::string ToJson(const CaseList& list) { return DumpJson(JsonOf(list), 1) + "\n"; }

namespace {

Result<std::string> AskForList(const std::filesystem::path& executable) {
  // Generous: the machine may be busy with guests.
  const Limits limits{.time = std::chrono::seconds(60)};
  KASSAY_TRY(ProgramOutcome outcome,
             RunProgram({.argv = {executable.string(), kListOption}}, limits));
  if (outcome.ending.Succeeded()) return std::move(outcome.standard_output);
  const std::string said = outcome.standard_error.substr(0, outcome.standard_error.find('\n'));
  return Fail(fmt::format("{} --kassay_list {}{}{}", executable.string(), outcome.ending.Words(),
                          said.empty() ? "" : ": ", said.substr(0, 300)));
}

// Where the answer of this very file is kept; empty if it is not to be kept.
std::filesystem::path PlaceInCache(const std::filesystem::path& executable,
                                   const std::filesystem::path& cache_dir) {
  struct stat info {};
  if (cache_dir.empty() || ::stat(executable.c_str(), &info) != 0) return {};
  const std::string key =
      fmt::format("{} {} {} {}.{}", std::filesystem::absolute(executable).string(), info.st_ino,
                  info.st_size, info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
  return cache_dir / (Sha256Hex(key).substr(0, 32) + ".json");
}

}  // namespace

Result<CaseList> ListCases(const std::filesystem::path& executable,
                           const std::filesystem::path& cache_dir) {
  const std::filesystem::path kept = PlaceInCache(executable, cache_dir);
  if (!kept.empty()) {
    const auto text = ReadFile(kept, kMaxListBytes);
    auto list = text ? ParseCaseList(*text) : Result<CaseList>(Fail(text.error()));
    if (list && list->suite == executable.filename().string()) return list;
  }
  KASSAY_TRY(const std::string text, AskForList(executable));
  auto list = ParseCaseList(text);
  if (!list) return Fail(list.error().Within(executable.string() + " --kassay_list"));
  if (list->suite != executable.filename().string())
    return Fail(fmt::format("{} says that it is the suite '{}'", executable.string(), list->suite));
  if (!kept.empty()) static_cast<void>(WriteFileAtomically(kept, text));
  return list;
}

}  // namespace kassay
