#include "harness/verdict/conclude.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/suite/name_pattern.h"
#include "harness/verdict/case_records.h"

namespace kassay {
namespace {

tl::unexpected<Error> Refuse(const std::string& why) { return Fail(why, ErrorKind::kRefuted); }

std::vector<std::string> FeaturesOf(const ListedCase& listed, const Catalogue& catalogue) {
  std::set<std::string> features;
  for (const std::string& id : listed.requirements) {
    if (const Requirement* requirement = catalogue.FindRequirement(id))
      features.insert(requirement->feature);
  }
  return {features.begin(), features.end()};
}

// What all machines have in common, or "mixed"; one that is not known says nothing.
void TakeShared(std::string& all, const std::string& one) {
  if (!one.empty()) all = all.empty() || all == one ? one : "mixed";
}

Environment EnvironmentOf(const JournalContent& journal) {
  Environment environment;
  environment.kassay_version = journal.plan.kassay_version;
  environment.suites_sha256 = journal.plan.suites_sha256;
  environment.isolation = journal.plan.isolation;
  const bool all_uefi = std::ranges::all_of(
      journal.machines, [](const auto& entry) { return entry.second.firmware.has_value(); });
  for (const auto& [profile, machine] : journal.machines) {
    TakeShared(environment.accelerator, machine.accelerator);
    TakeShared(environment.cpu, machine.cpu);
    environment.qemu_version = machine.qemu_version;
    environment.command_lines[profile] = machine.command_line;
    if (machine.firmware) {
      environment.firmware.push_back(*machine.firmware);
      environment.firmware.back().profile = profile;
      if (!all_uefi) continue;
    }
    TakeShared(environment.boot, machine.boot);
  }
  return environment;
}

class Conclusion {
 public:
  explicit Conclusion(const RunRecord& record) : record_(record), plan_(record.journal.plan) {}

  Result<RunResult> Draw() && {
    KASSAY_TRY(facts_.version, VersionOf(plan_.kernel));
    facts_.config = &record_.config;
    facts_.has_modules = !plan_.kernel.modules_sha256.empty();
    for (const JournalledCase& finished : record_.journal.cases)
      ran_[finished.Id()].push_back(&finished);
    run_.kernel = plan_.kernel;
    run_.asked = plan_.asked;
    run_.environment = EnvironmentOf(record_.journal);
    run_.suites = plan_.suites;
    run_.filter = FilterOf(plan_.filters).Text();
    run_.started_at = plan_.started_at;
    run_.finished_at = record_.journal.ended_at;
    run_.interrupted = !record_.journal.ended || record_.journal.interrupted;
    run_.notes = record_.journal.notes;
    for (const Suite& suite : record_.suites) KASSAY_CHECK(TakeSuite(suite));
    if (!ran_.empty()) return Refuse(ran_.begin()->first + " is in the journal but in no suite");
    std::ranges::sort(run_.cases, {}, &CaseResult::Id);
    return std::move(run_);
  }

 private:
  Status TakeSuite(const Suite& suite) {
    const auto probe = record_.journal.probes.find(suite.catalogue.suite);
    const bool probed = probe != record_.journal.probes.end();
    SuiteStanding standing =
        StandingOf(suite, plan_.profile, probed ? &probe->second : nullptr, facts_);
    if (standing.bad_probe) run_.cases.push_back(*std::move(standing.bad_probe));
    std::map<std::string, std::vector<size_t>> by_feature;  // indices into run_.cases
    for (const ListedCase& listed : suite.list.cases) {
      KASSAY_TRY(std::optional<CaseResult> result,
                 TakeCase(suite, listed, standing.features, probed || !run_.interrupted));
      if (!result) continue;
      for (const std::string& feature : result->features)
        by_feature[feature].push_back(run_.cases.size());
      run_.cases.push_back(*std::move(result));
    }
    for (const Feature& feature : suite.catalogue.features) {
      FeatureResult result = standing.features[feature.id].result;
      std::vector<const CaseResult*> cases;
      for (const size_t index : by_feature[feature.id]) cases.push_back(&run_.cases[index]);
      ConcludeFeature(result, suite.catalogue, facts_, cases);
      run_.features.push_back(std::move(result));
    }
    return {};
  }

  // Nothing for a case that was not reached.
  Result<std::optional<CaseResult>> TakeCase(const Suite& suite, const ListedCase& listed,
                                             const Standings& standings, bool settled) {
    const CaseToJudge which{suite.catalogue.suite, ProfileOf(suite, listed, plan_.profile),
                            &listed};
    const std::string id = suite.catalogue.suite + "." + listed.name;
    const WhyLeft why = WhyCaseDoesNotRun(listed, suite.catalogue, standings, facts_);
    const auto found = ran_.find(id);
    if (found == ran_.end()) {
      if (why.Runs() || !settled) return std::optional<CaseResult>();
      CaseResult result = NotRun(which, why);
      result.features = FeaturesOf(listed, suite.catalogue);
      return std::optional(std::move(result));
    }
    if (!why.Runs()) return Refuse(id + " ran although it should not have: " + why.reason);
    std::optional<CaseResult> result;
    for (const JournalledCase* finished : found->second) {
      // What failed by the harness's own fault may have been tried again.
      if (result && result->verdict != Verdict::kError)
        return Refuse(id + " is in the journal twice");
      result = ConcludeCase(which, finished->attempts, suite.catalogue, facts_);
    }
    ran_.erase(found);
    return result;
  }

  const RunRecord& record_;
  const RunPlanRecord& plan_;
  KernelFacts facts_;
  std::map<std::string, std::vector<const JournalledCase*>> ran_;  // by Id()
  RunResult run_;
};

}  // namespace

SuiteStanding StandingOf(const Suite& suite, const std::string& profile_override,
                         const GuestOutcome* probe, const KernelFacts& kernel) {
  SuiteStanding standing;
  std::map<std::string, std::optional<ProbeRecord>> told;
  if (probe != nullptr) {
    ListedCase listed;
    listed.name = "Probe";
    CaseResult result = JudgeProbe(
        {suite.catalogue.suite, ProbeProfileOf(suite, profile_override), &listed}, *probe);
    if (result.verdict != Verdict::kPass) standing.bad_probe = std::move(result);
    for (ProbeRecord& record : ReadProbeRecords(probe->records).features) {
      if (suite.catalogue.FindFeature(record.feature) == nullptr) {
        standing.notes.push_back(fmt::format("{}: a probe of the unknown feature '{}'",
                                             suite.catalogue.suite, OneLine(record.feature, 80)));
        continue;
      }
      told[record.feature] = std::move(record);
    }
  }
  for (const Feature& feature : suite.catalogue.features) {
    FeatureStanding one = StandingOf(feature, suite.catalogue, kernel, told[feature.id]);
    standing.notes.insert(standing.notes.end(), one.notes.begin(), one.notes.end());
    standing.features[feature.id] = std::move(one);
  }
  return standing;
}

CaseResult ConcludeCase(const CaseToJudge& which, const std::vector<Attempt>& attempts,
                        const Catalogue& catalogue, const KernelFacts& kernel) {
  CaseResult result = Judge(which, attempts);
  Explain(result, catalogue, kernel);
  result.features = FeaturesOf(*which.listed, catalogue);
  return result;
}

Result<KernelVersion> VersionOf(const KernelIdentity& kernel) {
  return ParseKernelVersion(kernel.version.empty() ? kernel.release : kernel.version);
}

Result<RunResult> Conclude(const RunRecord& record) { return Conclusion(record).Draw(); }

}  // namespace kassay
