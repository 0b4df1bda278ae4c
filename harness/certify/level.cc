#include "harness/certify/level.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/base/file.h"
#include "harness/base/text/toml_reader.h"
#include "harness/suite/name_pattern.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

bool IsGlob(const std::string& text) { return text.find_first_of("*?") != std::string::npos; }

// Why a requirement is no promise of this version, empty if it is one.
std::string WhyNotPromised(const Requirement& requirement, const KernelVersion& version) {
  const auto text = [](const KernelVersion& v) { return fmt::format("{}.{}", v.major, v.minor); };
  if (requirement.since && version < *requirement.since) {
    return "promised from " + text(*requirement.since) + " on";
  }
  if (requirement.until && version >= *requirement.until) {
    return "no longer promised since " + text(*requirement.until);
  }
  return "";
}

class Resolver {
 public:
  Resolver(const Level& level, const std::vector<Catalogue>& catalogues,
           const KernelVersion& version)
      : level_(level), version_(version) {
    for (const Catalogue& catalogue : catalogues) {
      for (const Requirement& requirement : catalogue.requirements) {
        known_.emplace(requirement.id, &requirement);
      }
    }
  }

  Result<ResolvedLevel> Resolve() && {
    for (const LevelExcept& except : level_.except) {
      if (known_.count(except.requirement) == 0) return Unknown(except.requirement);
      excepted_[except.requirement] = except.reason;
    }
    for (const std::string& pattern : level_.must_pass) KASSAY_CHECK(Take(pattern));
    ResolvedLevel resolved{level_.name, {must_.begin(), must_.end()}, {}, level_.accepts};
    for (const auto& [id, reason] : not_asked_) resolved.not_asked.push_back({id, reason});
    return resolved;
  }

 private:
  tl::unexpected<Error> Unknown(const std::string& id) const {
    return Fail(fmt::format("level {}: no catalogue knows a requirement '{}'", level_.name, id),
                ErrorKind::kUsage);
  }

  Status Take(const std::string& pattern) {
    bool matched = false;
    for (const auto& [id, requirement] : known_) {
      if (!GlobMatches(pattern, id)) continue;
      matched = true;
      KASSAY_CHECK(Take(*requirement, !IsGlob(pattern)));
    }
    if (!matched) return Unknown(pattern);
    return {};
  }

  Status Take(const Requirement& requirement, bool named) {
    const auto excepted = excepted_.find(requirement.id);
    const std::string not_promised = WhyNotPromised(requirement, version_);
    if (excepted != excepted_.end()) {
      not_asked_[requirement.id] = "excepted: " + excepted->second;
    } else if (!requirement.untested.empty()) {
      if (named) {
        return Fail(fmt::format("level {}: no case can test {}: {}", level_.name, requirement.id,
                                requirement.untested),
                    ErrorKind::kUsage);
      }
      not_asked_[requirement.id] = "not tested: " + requirement.untested;
    } else if (!not_promised.empty()) {
      not_asked_[requirement.id] = not_promised;
    } else {
      must_.insert(requirement.id);
    }
    return {};
  }

  const Level& level_;
  const KernelVersion version_;
  std::map<std::string, const Requirement*> known_;
  std::map<std::string, std::string> excepted_;
  std::set<std::string> must_;
  std::map<std::string, std::string> not_asked_;
};

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
  std::sort(known.begin(), known.end());
  if (std::find(known.begin(), known.end(), name) == known.end()) {
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
  return Resolver(level, catalogues, version).Resolve();
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
    const auto bad = std::find_if(cases.begin(), cases.end(), [](const CaseResult* result) {
      return !Passed(*result) && result->waiver.empty();
    });
    const bool waived = std::any_of(cases.begin(), cases.end(), [](const CaseResult* result) {
      return !Passed(*result) && !result->waiver.empty();
    });
    if (cases.empty()) {
      report.failed.push_back({id, "did not run"});
    } else if (bad != cases.end()) {
      report.failed.push_back({id, Why(**bad)});
    } else if (waived) {
      report.waived.push_back(id);
    } else {
      report.passed.push_back(id);
    }
  }
  return report;
}

}  // namespace kassay
