#include "harness/report/exports/annotations.h"

#include <fmt/format.h>

#include "harness/base/sha256.h"
#include "harness/base/text/json_reader.h"

namespace kassay {
namespace {

bool IsShown(const CaseResult& result) {
  return IsNonconformant(result.verdict) || result.verdict == Verdict::kError;
}

bool IsExcused(const CaseResult& result) {
  return !result.waiver.empty() || result.erratum.has_value() || result.verdict == Verdict::kError;
}

// GoogleTest knows no place of what was thrown: no file, or a line below 1.
bool HasPlace(const CaseResult& result) {
  return !result.failures.empty() && !result.failures[0].file.empty() &&
         result.failures[0].line >= 1;
}

// The escapes of workflow commands: of a message, and (more) of a property's value.
std::string Escaped(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    const bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    out += special ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return out;
}

std::string Title(const CaseResult& result) {
  return fmt::format("{} {}: {}", fmt::join(result.requirements, " "), result.Id(),
                     ToString(result.verdict));
}

std::string Message(const RunResult& run, const CaseResult& result) {
  std::string message = run.kernel.release + ": " + result.reason;
  for (const Failure& failure : result.failures) message += "\n" + failure.message;
  if (!result.waiver.empty()) message += "\nwaived by " + result.waiver;
  return message;
}

}  // namespace

std::string GitHubAnnotationsOf(const RunResult& run) {
  std::string out;
  for (const CaseResult& result : run.cases) {
    if (!IsShown(result)) continue;
    out += IsExcused(result) ? "::warning " : "::error ";
    if (HasPlace(result)) {
      out += fmt::format("file={},line={},", Escaped(result.failures[0].file, true),
                         result.failures[0].line);
    }
    out += fmt::format("title={}::{}\n", Escaped(Title(result), true),
                       Escaped(Message(run, result), false));
  }
  return out;
}

std::string GitLabCodeQualityOf(const RunResult& run) {
  Json list = Json::array();
  for (const CaseResult& result : run.cases) {
    if (!IsShown(result)) continue;
    const bool located = HasPlace(result);
    const std::string path =
        located ? result.failures[0].file : "suites/" + result.suite + "/requirements.toml";
    const char* severity = IsExcused(result)                   ? "minor"
                           : result.verdict == Verdict::kCrash ? "blocker"
                                                               : "critical";
    list.push_back(
        {{"description", Title(result) + ": " + Message(run, result)},
         {"check_name", result.requirements.empty() ? result.Id() : result.requirements[0]},
         {"fingerprint", Sha256Hex(result.Id() + "\n" + std::string(ToString(result.verdict)))},
         {"severity", severity},
         {"location",
          {{"path", path}, {"lines", {{"begin", located ? result.failures[0].line : 1}}}}}});
  }
  return DumpJson(list, 1) + "\n";
}

}  // namespace kassay
