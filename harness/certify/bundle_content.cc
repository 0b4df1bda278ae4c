#include "harness/certify/bundle_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/base/file.h"
#include "harness/base/sha256.h"
#include "harness/certify/recompute.h"
#include "harness/profile/profile.h"
#include "harness/result/json_identity.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMaxResultBytes = size_t{512} << 20;

tl::unexpected<Error> Refuse(const std::string& why) { return Fail(why, ExitCode::kNonconformant); }

Result<RunRecord> ReadRecord(const fs::path& bundle, const std::vector<std::string>& suites) {
  RunRecord record;
  KASSAY_TRY(record.journal, ReadJournal(bundle));
  for (const std::string& name : suites) {
    Suite suite;
    KASSAY_TRY(suite.catalogue, LoadCatalogue(bundle / "suites", name));
    KASSAY_TRY(const std::string cases, ReadFile(bundle / "suites" / name / "cases.json"));
    KASSAY_TRY(suite.list, ParseCaseList(cases));
    if (suite.list.suite != name)
      return Refuse("suites/" + name + "/cases.json is another suite's");
    record.suites.push_back(std::move(suite));
  }
  KASSAY_TRY(const std::string config, ReadFile(bundle / "kernel.config"));
  if (Sha256Hex(config) != record.journal.plan.kernel.config_sha256) {
    return Refuse("kernel.config is not the configuration of the kernel that was tested");
  }
  KASSAY_TRY(record.config, KernelConfig::Parse(config));
  return record;
}

// The results say of themselves what the journal's plan says.
Status CheckSameRun(const RunPlanRecord& plan, const JournalContent& journal,
                    const RunResult& run) {
  if (!journal.ended || run.interrupted || run.finished_at.empty()) {
    return Refuse("the run did not come to its end");
  }
  if (!plan.filters.empty() || !run.filter.empty()) return Refuse("the run left out cases");
  const bool same = DumpJson(ToJsonObject(plan.kernel)) == DumpJson(ToJsonObject(run.kernel)) &&
                    plan.suites == run.suites && plan.started_at == run.started_at &&
                    plan.suite_sha256 == run.environment.suite_sha256 &&
                    plan.kassay_version == run.environment.kassay_version &&
                    plan.isolation == run.environment.isolation;
  if (!same) return Refuse("results.json and journal.jsonl are of different runs");
  if (plan.isolation != "case") return Refuse("cases shared a kernel: --isolation case is needed");
  return {};
}

// The cases that a certificate rests on ran on the vendor's image, booted as shipped.
Status CheckProfiles(const fs::path& bundle, const ResolvedLevel& level, const RunPlanRecord& plan,
                     const RunResult& run) {
  const auto wrong_boot = [](const std::string& where) {
    return Refuse("the kernel was not booted as the vendor ships it" + where +
                  ": --boot bzimage is needed");
  };
  if (run.environment.boot != "bzimage") return wrong_boot("");
  const std::set<std::string> must(level.must_pass.begin(), level.must_pass.end());
  std::map<std::string, Profile> profiles;
  for (const CaseResult& result : run.cases) {
    const bool matters = std::any_of(result.requirements.begin(), result.requirements.end(),
                                     [&](const std::string& id) { return must.count(id) != 0; });
    if (!matters || profiles.count(result.profile) != 0) continue;
    auto profile = LoadProfile(bundle / "profiles", result.profile);
    if (!profile) return Refuse("profiles/" + result.profile + ".toml: " + profile.error().message);
    if (!profile->certification || !profile->command_line.empty()) {
      return Refuse(fmt::format("{} ran under the profile '{}', which is not for certification",
                                result.Id(), result.profile));
    }
    // What the results say of all machines must be what the run asked for each.
    if ((plan.boot.empty() ? profile->boot : plan.boot) != "bzimage")
      return wrong_boot(" under the profile '" + result.profile + "'");
    profiles[result.profile] = *std::move(profile);
  }
  return {};
}

std::string FirstFailures(const LevelReport& report) {
  std::string text;
  constexpr size_t kShown = 5;
  for (size_t i = 0; i < std::min(kShown, report.failed.size()); ++i) {
    text += fmt::format("{}{} ({})", i == 0 ? "" : "; ", report.failed[i].requirement,
                        report.failed[i].why);
  }
  if (report.failed.size() > kShown) {
    text += fmt::format("; and {} more", report.failed.size() - kShown);
  }
  return text;
}

std::string CertificateText(const Level& level, const ResolvedLevel& resolved,
                            const RunResult& run) {
  Json not_asked = Json::array();
  for (const NotAsked& item : resolved.not_asked) {
    not_asked.push_back({{"requirement", item.requirement}, {"reason", item.reason}});
  }
  const Json json = {{"format", 1},
                     {"level", level.name},
                     {"title", level.title},
                     {"text", level.text},
                     {"result", "every must-pass requirement holds"},
                     {"tested_at", run.finished_at},
                     {"kernel", ToJsonObject(run.kernel)},
                     {"environment", ToJsonObject(run.environment)},
                     {"suites", run.suites},
                     {"must_pass", resolved.must_pass},
                     {"not_asked", not_asked}};
  return DumpJson(json, 1) + "\n";
}

Statement StatementOf(const ResolvedLevel& level, const RunResult& run) {
  Statement statement;
  statement.subjects.push_back({"linux " + run.kernel.release + " image", run.kernel.image_sha256});
  if (!run.kernel.modules_sha256.empty()) {
    statement.subjects.push_back(
        {"linux " + run.kernel.release + " modules", run.kernel.modules_sha256});
  }
  statement.result = "PASSED";
  statement.passed = level.must_pass;
  return statement;
}

}  // namespace

Result<Conclusion> Conclude(const fs::path& bundle) {
  Conclusion conclusion;
  KASSAY_TRY(const std::string results, ReadFile(bundle / "results.json", kMaxResultBytes));
  KASSAY_TRY(conclusion.run, RunResultFromJson(results));
  if (ToJson(conclusion.run) != results) return Refuse("results.json is not in kassay's own form");
  KASSAY_TRY(const RunRecord record, ReadRecord(bundle, conclusion.run.suites));
  KASSAY_CHECK(CheckSameRun(record.journal.plan, record.journal, conclusion.run));
  KASSAY_TRY(const RunResult recomputed, Recompute(record));
  KASSAY_CHECK(CheckClaims(recomputed, conclusion.run));

  KASSAY_TRY(const std::string level_text, ReadFile(bundle / "level.toml", size_t{4} << 20));
  KASSAY_TRY(const Level level, ParseLevel(level_text, "level.toml"));
  std::vector<Catalogue> catalogues;
  for (const Suite& suite : record.suites) catalogues.push_back(suite.catalogue);
  KASSAY_TRY(const KernelVersion version, ParseKernelVersion(conclusion.run.kernel.version));
  KASSAY_TRY(conclusion.level, ResolveLevel(level, catalogues, version));
  const LevelReport report = JudgeLevel(conclusion.level, recomputed);
  if (!report.failed.empty()) {
    return Refuse(fmt::format("level {}: {} of {} must-pass requirements do not hold: {}",
                              level.name, report.failed.size(), conclusion.level.must_pass.size(),
                              FirstFailures(report)));
  }
  KASSAY_CHECK(CheckProfiles(bundle, conclusion.level, record.journal.plan, conclusion.run));
  conclusion.text = CertificateText(level, conclusion.level, conclusion.run);
  conclusion.statement = StatementOf(conclusion.level, conclusion.run);
  return conclusion;
}

}  // namespace kassay
