#include "harness/report/exports/kcidb.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "harness/base/sha256.h"
#include "harness/result/json_identity.h"

namespace kassay {
namespace {

constexpr size_t kMaxExcerpt = 16'384;  // characters; bytes are never fewer

// Of the verdicts, in their enumeration's order.
constexpr std::array<const char*, 7> kStatuses{"PASS", "FAIL", "FAIL", "FAIL",
                                               "SKIP", "MISS", "ERROR"};

// No text of a report may hold a zero byte, nor may "misc": PostgreSQL keeps it as jsonb, which
// takes no \u0000.
std::string Text(const std::string& text) {
  std::string out = text;
  std::ranges::replace(out, '\0', '?');
  return out;
}

// A path is made of letters, digits, '_', '-' and dots.
std::string Path(const std::string& id) {
  std::string out = "kassay." + id;
  const auto is_odd = [](unsigned char c) {
    return std::isalnum(c) == 0 && c != '_' && c != '-' && c != '.';
  };
  std::ranges::replace_if(out, is_odd, '_');
  return out;
}

// The last part of what the case left behind, cut where a line begins.
std::string Excerpt(const CaseResult& result) {
  std::string text;
  for (const Failure& failure : result.failures) {
    text += failure.file + ":" + std::to_string(failure.line) + "\n" + failure.message + "\n";
  }
  for (const std::string& line : result.kernel_log) text += line + "\n";
  text += result.console;
  if (text.size() <= kMaxExcerpt) return Text(text);
  const size_t line = text.find('\n', text.size() - kMaxExcerpt);
  return Text(line == std::string::npos ? "" : text.substr(line + 1));
}

Json TestOf(const RunResult& run, const CaseResult& result, const std::string& origin,
            const std::string& run_id) {
  Json evidence = Json::object();
  for (const Evidence& item : result.evidence) evidence[Text(item.key)] = Text(item.value);
  Json measures = Json::object();
  for (const Measure& item : result.measures) measures[Text(item.name)] = Text(item.Text());
  Json misc = {{"requirements", result.requirements},
               {"verdict", ToString(result.verdict)},
               {"reason", Text(result.reason)},
               {"profile", result.profile},
               {"waiver", Text(result.waiver)},
               {"evidence", evidence},
               {"measures", measures}};
  if (result.erratum) {
    misc["known_bug"] = {{"requirement", result.erratum->id}, {"fixed", result.erratum->fixed}};
  }
  Json test = {{"id", origin + ":" + run_id + "." + result.Id()},
               {"build_id", origin + ":" + run_id},
               {"origin", origin},
               {"path", Path(result.Id())},
               {"status", kStatuses.at(static_cast<size_t>(result.verdict))},
               {"duration", static_cast<double>(result.duration_ms) / 1000},
               {"environment", {{"comment", Text(run.environment.Machine())}}},
               {"misc", misc}};
  if (!run.started_at.empty()) test["start_time"] = run.started_at;
  if (!result.reason.empty()) test["comment"] = Text(result.reason);
  if (std::string excerpt = Excerpt(result); !excerpt.empty()) test["log_excerpt"] = excerpt;
  return test;
}

}  // namespace

Result<std::string> KcidbOf(const RunResult& run, const std::string& origin) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyz0123456789_";
  if (origin.empty() || origin.find_first_not_of(kPlain) != std::string::npos) {
    return Fail("the origin '" + origin + "' is not made of lower-case letters, digits and '_'",
                ErrorKind::kUsage);
  }
  std::string identity = run.kernel.image_sha256 + run.started_at;
  for (const auto& [suite, sha256] : run.environment.suites_sha256) identity += sha256;
  const std::string run_id = Sha256Hex(identity).substr(0, 24);
  Json tests = Json::array();
  for (const CaseResult& result : run.cases) tests.push_back(TestOf(run, result, origin, run_id));
  const std::string checkout = origin + ":" + Sha256Hex(run.kernel.image_sha256).substr(0, 24);
  const std::string name = Text(run.kernel.release + " " + run.kernel.package_version);
  const Json json = {
      {"version", {{"major", 5}, {"minor", 3}}},
      {"checkouts", Json::array({{{"id", checkout},
                                  {"origin", origin},
                                  {"git_commit_name", Text("v" + run.kernel.version)},
                                  {"comment", name},
                                  {"valid", true}}})},
      {"builds", Json::array({{{"id", origin + ":" + run_id},
                               {"checkout_id", checkout},
                               {"origin", origin},
                               {"architecture", Text(run.kernel.architecture)},
                               {"comment", name},
                               {"status", "PASS"},
                               {"misc", {{"kernel", JsonOf(run.kernel)}}}}})},
      {"tests", tests}};
  return DumpJson(json, 1) + "\n";
}

}  // namespace kassay
