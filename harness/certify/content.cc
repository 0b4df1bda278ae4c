#include "harness/certify/content.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "harness/base/file.h"
#include "harness/certify/waiver.h"
#include "harness/result/json_identity.h"
#include "harness/verdict/conclude.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

tl::unexpected<Error> Refuse(const std::string& why) { return Fail(why, ErrorKind::kRefuted); }

Status CheckWhole(const RunRecord& record, const RunResult& run) {
  if (run.interrupted) return Refuse("the run did not come to its end");
  if (!run.filter.empty()) return Refuse("the run left out cases");
  if (run.environment.isolation != "case")
    return Refuse("cases shared a kernel: --isolation case is needed");
  if (record.config.Empty()) return Refuse("the kernel's configuration is not known");
  std::set<std::string> told;
  for (const CaseResult& result : run.cases) told.insert(result.Id());
  for (const Suite& suite : record.suites) {
    for (const ListedCase& listed : suite.list.cases) {
      const std::string id = suite.catalogue.suite + "." + listed.name;
      if (!told.contains(id)) return Refuse(id + " was not run: the journal lacks it");
    }
  }
  for (const auto& [profile, machine] : record.journal.machines) {
    if (machine.boot == "bzimage") continue;
    return Refuse(
        fmt::format("the kernel was not booted as the vendor ships it under the profile "
                    "'{}': --boot bzimage is needed",
                    profile));
  }
  return {};
}

// The first word, module or file that is not accepted; empty if all are.
std::string FirstNotAccepted(const ProfileChanges& changes, const ProfileChanges& accepted) {
  const auto first = [](const char* what, const std::vector<std::string>& made,
                        const std::vector<std::string>& allowed) -> std::string {
    const auto found = std::ranges::find_if(
        made, [&](const std::string& one) { return std::ranges::count(allowed, one) == 0; });
    return found == made.end() ? "" : fmt::format("{} '{}'", what, *found);
  };
  std::string found = first("the word", changes.command_line, accepted.command_line);
  if (found.empty()) found = first("the module", changes.modules, accepted.modules);
  if (found.empty()) found = first("the file", changes.files, accepted.files);
  return found.empty() ? first("the enrolled certificate", changes.enroll, accepted.enroll) : found;
}

// The cases that the level rests on, by profile: a number each.
std::map<std::string, int> RestsOn(const ResolvedLevel& level, const std::vector<Suite>& suites,
                                   const std::string& profile_override) {
  const auto must_pass = [&](const std::string& id) {
    return std::ranges::binary_search(level.must_pass, id);
  };
  std::map<std::string, int> cases;
  for (const Suite& suite : suites) {
    for (const ListedCase& listed : suite.list.cases) {
      if (std::ranges::any_of(listed.requirements, must_pass))
        ++cases[ProfileOf(suite, listed, profile_override)];
    }
  }
  return cases;
}

// Who answers for each waived requirement.
Json WaivedJson(const LevelReport& report, const RunResult& run,
                const std::vector<Waiver>& waivers) {
  Json list = Json::array();
  for (const std::string& id : report.waived) {
    for (const Waiver& waiver : waivers) {
      const bool acts = std::ranges::any_of(run.cases, [&](const CaseResult& result) {
        return result.waiver == waiver.id && std::ranges::count(result.requirements, id) > 0;
      });
      if (!acts) continue;
      list.push_back({{"requirement", id},
                      {"waiver", waiver.id},
                      {"reason", waiver.reason},
                      {"owner", waiver.owner},
                      {"until", waiver.until}});
    }
  }
  return list;
}

std::string TitleOf(const Level& level, const LevelReport& report, std::optional<int> allowed) {
  if (allowed)
    return fmt::format("{}, at most {} of its requirements waived", level.title, *allowed);
  if (report.waived.empty()) return level.title;
  return fmt::format("{}, {} of its requirements waived", level.title, report.waived.size());
}

Json ChangesJson(const std::map<std::string, int>& rests_on,
                 const std::map<std::string, Profile>& profiles) {
  Json list = Json::array();
  for (const auto& [name, cases] : rests_on) {
    if (name == kHostProfile) continue;
    const ProfileChanges changes = ChangesOf(profiles.at(name));
    Json one = {{"profile", name},
                {"cases", cases},
                {"command_line", changes.command_line},
                {"modules", changes.modules},
                {"files", changes.files}};
    if (!changes.enroll.empty()) one["enroll"] = changes.enroll;
    list.push_back(std::move(one));
  }
  return list;
}

std::string FirstFailures(const LevelReport& report) {
  constexpr size_t kShown = 5;
  std::vector<std::string> shown;
  for (const auto& [requirement, reason] : report.failed) {
    if (shown.size() < kShown) shown.push_back(fmt::format("{} ({})", requirement, reason));
  }
  if (report.failed.size() > kShown)
    shown.push_back(fmt::format("and {} more", report.failed.size() - kShown));
  return fmt::format("{}", fmt::join(shown, "; "));
}

Status CheckReport(const ResolvedLevel& level, const LevelReport& report,
                   std::optional<int> allowed) {
  if (!report.failed.empty()) {
    return Refuse(fmt::format("level {}: {} of {} must-pass requirements do not hold: {}",
                              level.name, report.failed.size(), level.must_pass.size(),
                              FirstFailures(report)));
  }
  const size_t most = allowed ? static_cast<size_t>(*allowed) : level.must_pass.size() / 10;
  if (report.waived.size() <= most) return {};
  return Refuse(fmt::format(
      "level {}: {} of {} must-pass requirements are waived, more than {}: "
      "--allow-waived {} lets it pass and stands in its title",
      level.name, report.waived.size(), level.must_pass.size(),
      allowed ? fmt::format("the {} allowed", *allowed) : "a tenth", report.waived.size()));
}

Statement StatementOf(const LevelReport& report, const RunResult& run) {
  Statement statement;
  statement.subjects.push_back({"linux " + run.kernel.release + " image", run.kernel.image_sha256});
  if (!run.kernel.modules_sha256.empty()) {
    statement.subjects.push_back(
        {"linux " + run.kernel.release + " modules", run.kernel.modules_sha256});
  }
  statement.result = report.waived.empty() ? "PASSED" : "WARNED";
  statement.passed = report.passed;
  statement.warned = report.waived;
  return statement;
}

std::string Shown(const CaseResult& result) {
  return fmt::format("{}{}{}", ToString(result.verdict), result.reason.empty() ? "" : ": ",
                     result.reason);
}

}  // namespace

Result<CertificateContent> ContentOf(const fs::path& folder, std::optional<int> allowed) {
  CertificateContent content;
  KASSAY_TRY(const RunRecord record, ReadRunRecord(folder));
  KASSAY_TRY(content.run, Conclude(record));
  RunResult& run = content.run;
  KASSAY_CHECK(CheckWhole(record, run));
  const fs::path inputs = folder / kInputsName;
  std::error_code ignored;
  std::vector<Waiver> waivers;
  if (fs::exists(inputs / kWaiversName, ignored)) {
    KASSAY_TRY(waivers, LoadWaivers(inputs / kWaiversName));
  }
  KASSAY_TRY(const auto findings, ApplyWaivers(run, waivers, run.finished_at.substr(0, 10)));

  KASSAY_TRY(const std::string level_text, ReadFile(inputs / kLevelName, size_t{4} << 20));
  KASSAY_TRY(const Level level, ParseLevel(level_text, kLevelName));
  std::vector<Catalogue> catalogues;
  for (const Suite& suite : record.suites) catalogues.push_back(suite.catalogue);
  KASSAY_TRY(const KernelVersion version, VersionOf(run.kernel));
  KASSAY_TRY(content.level, ResolveLevel(level, catalogues, version));
  content.report = JudgeLevel(content.level, run);
  KASSAY_CHECK(CheckReport(content.level, content.report, allowed));
  KASSAY_TRY(const auto profiles, ReadProfiles(folder));
  const std::string& profile_override = record.journal.plan.profile;
  KASSAY_CHECK(CheckAccepted(content.level, record.suites, profiles, profile_override));

  const std::map<std::string, int> rests_on =
      RestsOn(content.level, record.suites, profile_override);
  content.title = TitleOf(level, content.report, allowed);
  Json not_asked = Json::array();
  for (const auto& [requirement, reason] : content.level.not_asked)
    not_asked.push_back({{"requirement", requirement}, {"reason", reason}});
  const auto on_host = rests_on.find(kHostProfile);
  const Json json = {
      {"format", 2},
      {"level", level.name},
      {"title", content.title},
      {"text", level.text},
      {"result", content.report.waived.empty() ? "every must-pass requirement holds"
                                               : "every must-pass requirement holds or is waived"},
      {"tested_at", run.finished_at},
      {"kernel", JsonOf(run.kernel)},
      {"environment", JsonOf(run.environment)},
      {"suites", run.suites},
      {"changes", ChangesJson(rests_on, profiles)},
      {"cases_on_this_machine", on_host == rests_on.end() ? 0 : on_host->second},
      {"must_pass", content.level.must_pass},
      {"allow_waived", allowed ? Json(*allowed) : Json()},
      {"waived", WaivedJson(content.report, run, waivers)},
      {"not_asked", not_asked}};
  content.text = DumpJson(json, 1) + "\n";
  content.statement = StatementOf(content.report, run);
  return content;
}

Result<std::optional<int>> AllowedWaivers(const std::string& certificate_json) {
  KASSAY_TRY(const Json json, ParseJson(certificate_json));
  std::string problem;
  std::optional<int> allowed;
  JsonReader reader(json, "", problem);
  if (const Json* field = reader.Find("allow_waived"); field != nullptr && !field->is_null()) {
    reader.Get("allow_waived", allowed.emplace());
    if (*allowed < 0) reader.Complain("allow_waived", "is less than 0");
  }
  if (!problem.empty()) return Refuse(std::string(kCertificateName) + ": " + problem);
  return allowed;
}

Status CheckClaims(const RunResult& truth, const RunResult& claimed) {
  std::map<std::string, const CaseResult*> claims;
  for (const CaseResult& result : claimed.cases) {
    if (!claims.emplace(result.Id(), &result).second)
      return Refuse(result.Id() + " has two results");
  }
  for (const CaseResult& result : truth.cases) {
    const auto claim = claims.find(result.Id());
    if (claim == claims.end()) return Refuse(result.Id() + " has no result");
    const CaseResult& said = *claim->second;
    if (Shown(said) != Shown(result))
      return Refuse(fmt::format("{} is '{}' by the journal and '{}' in the results", result.Id(),
                                Shown(result), Shown(said)));
    claims.erase(claim);
  }
  if (!claims.empty()) return Refuse(claims.begin()->first + " has a result and was never run");
  if (ToJson(truth) == ToJson(claimed)) return {};
  return Refuse("results.json says what the journal does not");
}

Status CheckAccepted(const ResolvedLevel& level, const std::vector<Suite>& suites,
                     const std::map<std::string, Profile>& profiles,
                     const std::string& profile_override) {
  for (const auto& [name, cases] : RestsOn(level, suites, profile_override)) {
    if (name == kHostProfile) continue;
    const auto profile = profiles.find(name);
    if (profile == profiles.end()) return Refuse("the profile '" + name + "' is not known");
    const std::string found = FirstNotAccepted(ChangesOf(profile->second), level.accepts);
    if (found.empty()) continue;
    return Refuse(
        fmt::format("level {} does not accept {}, by which the profile '{}' changes the "
                    "vendor's boot ({} cases)",
                    level.name, found, name, cases));
  }
  return {};
}

}  // namespace kassay
