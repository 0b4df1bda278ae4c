#include "harness/certify/level.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/base/file.h"
#include "harness/base/text/toml_reader.h"
#include "harness/suite/name_pattern.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

bool IsGlob(const std::string& text) { return text.find_first_of("*?") != std::string::npos; }

// Why a level does not ask for a requirement that is not excepted; empty if it does.
std::string WhyNotAsked(const Requirement& requirement, const KernelVersion& version) {
  const auto text = [](const KernelVersion& v) { return fmt::format("{}.{}", v.major, v.minor); };
  if (!requirement.untested.empty()) return "not tested: " + requirement.untested;
  if (requirement.since && version < *requirement.since)
    return "promised from " + text(*requirement.since) + " on";
  if (requirement.until && version >= *requirement.until)
    return "no longer promised since " + text(*requirement.until);
  return "";
}

std::string Why(const CaseResult& result) {
  if (result.verdict == Verdict::kPass) {
    return fmt::format("{}: passed only {} of {} attempts", result.Id(), result.passes,
                       result.attempts);
  }
  return fmt::format("{}: {}{}{}", result.Id(), ToString(result.verdict),
                     result.reason.empty() ? "" : ": ", result.reason);
}

bool Passed(const CaseResult& result) {
  return result.verdict == Verdict::kPass &&
         (result.attempts <= 1 || result.passes == result.attempts);
}

}  // namespace

Result<Level> ParseLevel(std::string_view text, const std::string& file) {
  KASSAY_TRY(const toml::table document, ParseToml(text, file));
  Level level;
  std::string problem;
  TomlReader top(document, file, problem);
  if (const toml::table* table = top.Table("level")) {
    TomlReader reader(*table, file, problem);
    level.name = reader.Text("name");
    level.title = reader.Text("title");
    level.text = reader.Text("text");
    level.must_pass = reader.Texts("must_pass");
    level.profile = reader.Text("profile", /*required=*/false);
    if (level.must_pass.empty()) reader.Complain("must_pass", "is empty");
    reader.Finish();
  }
  if (const toml::table* table = top.Table("accepts", /*required=*/false)) {
    TomlReader reader(*table, file, problem);
    level.accepts.command_line = reader.Texts("command_line", /*required=*/false);
    level.accepts.modules = reader.Texts("modules", /*required=*/false);
    level.accepts.files = reader.Texts("files", /*required=*/false);
    level.accepts.enroll = reader.Texts("enroll", /*required=*/false);
    reader.Finish();
  }
  for (const toml::table* table : top.Tables("except")) {
    TomlReader reader(*table, file, problem);
    level.except.push_back({reader.Text("requirement"), reader.Text("reason")});
    reader.Finish();
  }
  top.Finish();
  if (!problem.empty()) return Fail(problem, ErrorKind::kUsage);
  return level;
}

Result<Level> LoadLevel(const fs::path& levels_dir, const std::string& name) {
  std::vector<std::string> known;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(levels_dir, error)) {
    if (entry.path().extension() == ".toml") known.push_back(entry.path().stem().string());
  }
  std::ranges::sort(known);
  if (std::ranges::find(known, name) == known.end()) {
    return Fail(fmt::format("there is no level '{}'; known: {}", name, fmt::join(known, ", ")),
                ErrorKind::kUsage);
  }
  const fs::path file = levels_dir / (name + ".toml");
  KASSAY_TRY(const std::string text, ReadFile(file, kMaxTomlBytes));
  KASSAY_TRY(Level level, ParseLevel(text, file.string()));
  if (level.name != name) {
    return Fail(file.string() + ": the level's name is '" + level.name + "'", ErrorKind::kUsage);
  }
  return level;
}

Result<ResolvedLevel> ResolveLevel(const Level& level, const std::vector<Catalogue>& catalogues,
                                   const KernelVersion& version) {
  const auto refuse = [&](const std::string& why) {
    return Fail(fmt::format("level {}: {}", level.name, why), ErrorKind::kUsage);
  };
  std::map<std::string, const Requirement*> known;
  for (const Catalogue& catalogue : catalogues) {
    for (const Requirement& requirement : catalogue.requirements)
      known.emplace(requirement.id, &requirement);
  }
  std::map<std::string, std::string> excepted;
  for (const auto& [id, reason] : level.except) {
    if (!known.contains(id)) return refuse("no catalogue knows a requirement '" + id + "'");
    excepted[id] = "excepted: " + reason;
  }
  std::map<std::string, std::string> why_not;  // by id; empty for what must pass
  for (const std::string& pattern : level.must_pass) {
    bool matched = false;
    for (const auto& [id, requirement] : known) {
      if (!GlobMatches(pattern, id)) continue;
      matched = true;
      const auto exception = excepted.find(id);
      if (exception == excepted.end() && !requirement->untested.empty() && !IsGlob(pattern))
        return refuse("no case can test " + id + ": " + requirement->untested);
      why_not[id] =
          exception == excepted.end() ? WhyNotAsked(*requirement, version) : exception->second;
    }
    if (!matched) return refuse("no catalogue knows a requirement '" + pattern + "'");
  }
  ResolvedLevel resolved{level.name, {}, {}, level.accepts};
  for (const auto& [id, reason] : why_not) {
    if (reason.empty()) {
      resolved.must_pass.push_back(id);
    } else {
      resolved.not_asked.push_back({id, reason});
    }
  }
  return resolved;
}

LevelReport JudgeLevel(const ResolvedLevel& level, const RunResult& run) {
  std::map<std::string, std::vector<const CaseResult*>> citing;
  for (const CaseResult& result : run.cases) {
    for (const std::string& id : result.requirements) citing[id].push_back(&result);
  }
  LevelReport report;
  report.level = level.name;
  for (const std::string& id : level.must_pass) {
    const auto& cases = citing[id];
    const auto bad = std::ranges::find_if(
        cases, [](const CaseResult* result) { return !Passed(*result) && result->waiver.empty(); });
    if (cases.empty()) {
      report.failed.push_back({id, "did not run"});
    } else if (bad != cases.end()) {
      report.failed.push_back({id, Why(**bad)});
    } else {
      const bool passed =
          std::ranges::all_of(cases, [](const CaseResult* result) { return Passed(*result); });
      (passed ? report.passed : report.waived).push_back(id);
    }
  }
  return report;
}

}  // namespace kassay
