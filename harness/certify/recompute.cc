#include "harness/certify/recompute.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/base/text/json_reader.h"
#include "harness/verdict/case_records.h"
#include "harness/verdict/feature_status.h"
#include "harness/verdict/judge.h"

namespace kassay {
namespace {

tl::unexpected<Error> Refuse(const std::string& why) { return Fail(why, ExitCode::kNonconformant); }

class Recomputation {
 public:
  explicit Recomputation(const RunRecord& record) : record_(record) {}

  Result<RunResult> Go() {
    const KernelIdentity& kernel = record_.journal.plan.kernel;
    KASSAY_TRY(facts_.version,
               ParseKernelVersion(kernel.version.empty() ? kernel.release : kernel.version));
    facts_.config = &record_.config;
    KASSAY_CHECK(Index());
    run_.kernel = kernel;
    for (const Suite& suite : record_.suites) {
      run_.suites.push_back(suite.catalogue.suite);
      KASSAY_CHECK(TakeSuite(suite));
    }
    if (!journalled_.empty()) {
      return Refuse(journalled_.begin()->first + " is in the journal but in no suite");
    }
    std::sort(run_.cases.begin(), run_.cases.end(),
              [](const CaseResult& a, const CaseResult& b) { return a.Id() < b.Id(); });
    return std::move(run_);
  }

 private:
  Status Index() {
    for (const JournalledCase& finished : record_.journal.cases) {
      const std::string id = finished.result.Id();
      const auto before = journalled_.find(id);
      if (before != journalled_.end() && before->second->result.verdict != Verdict::kError) {
        return Refuse(id + " is in the journal twice");
      }
      journalled_[id] = &finished;
    }
    return {};
  }

  Status TakeSuite(const Suite& suite) {
    const auto probes = TakeProbe(suite);
    Standings standings;
    for (const Feature& feature : suite.catalogue.features) {
      const auto probe = probes.find(feature.id);
      standings[feature.id] = StandingOf(
          feature, suite.catalogue, facts_,
          probe == probes.end() ? std::nullopt : std::optional<ProbeRecord>(probe->second));
    }
    std::map<std::string, std::vector<size_t>> by_feature;  // indices into run_.cases
    for (const ListedCase& listed : suite.list.cases) {
      KASSAY_TRY(CaseResult result, TakeCase(suite, listed, standings));
      std::set<std::string> features;
      for (const std::string& id : listed.requirements) {
        if (const Requirement* requirement = suite.catalogue.FindRequirement(id)) {
          features.insert(requirement->feature);
        }
      }
      for (const std::string& feature : features) {
        by_feature[feature].push_back(run_.cases.size());
      }
      result.features = {features.begin(), features.end()};
      run_.cases.push_back(std::move(result));
    }
    for (const Feature& feature : suite.catalogue.features) {
      FeatureResult result = standings[feature.id].result;
      std::vector<const CaseResult*> cases;
      for (const size_t index : by_feature[feature.id]) cases.push_back(&run_.cases[index]);
      ConcludeFeature(result, cases);
      run_.features.push_back(std::move(result));
    }
    return {};
  }

  // The features that the suite's probe spoke about. A probe that did not end well counts as a case
  // of its own, as it does in a run.
  std::map<std::string, ProbeRecord> TakeProbe(const Suite& suite) {
    std::map<std::string, ProbeRecord> features;
    const std::string& name = suite.catalogue.suite;
    for (const auto& [probed, outcome] : record_.journal.probes) {
      if (probed != name) continue;
      ProbeRecords records = ReadProbeRecords(outcome.records);
      for (ProbeRecord& record : records.features) {
        if (suite.catalogue.FindFeature(record.feature) == nullptr) continue;
        features[record.feature] = std::move(record);
      }
    }
    return features;
  }

  Result<CaseResult> TakeCase(const Suite& suite, const ListedCase& listed,
                              const Standings& standings) {
    const std::string id = suite.catalogue.suite + "." + listed.name;
    const auto found = journalled_.find(id);
    if (found == journalled_.end()) return Refuse(id + " was not run: the journal lacks it");
    const JournalledCase& finished = *found->second;
    journalled_.erase(found);
    const CaseToJudge which{suite.catalogue.suite,
                            ProfileOf(suite, listed, record_.journal.plan.profile), &listed};
    const std::string why_not = WhyCaseDoesNotRun(listed, suite.catalogue, standings, facts_);
    if (!why_not.empty()) {
      if (!finished.outcomes.empty()) return Refuse(id + " ran although it should not have");
      return NotRun(which, why_not);
    }
    if (finished.outcomes.empty()) {
      if (finished.result.verdict == Verdict::kError) return finished.result;
      return Refuse(id + " has a verdict and nothing that it was made from");
    }
    CaseResult result = Judge(which, finished.outcomes.front());
    for (size_t i = 1; i < finished.outcomes.size(); ++i) {
      AddAttempt(result, Judge(which, finished.outcomes[i]));
    }
    Explain(result, suite.catalogue, facts_);
    result.duration_ms = finished.result.duration_ms;
    return result;
  }

  const RunRecord& record_;
  KernelFacts facts_;
  std::map<std::string, const JournalledCase*> journalled_;
  RunResult run_;
};

std::string Shown(const CaseResult& result) {
  return fmt::format("{}{}{}", ToString(result.verdict), result.reason.empty() ? "" : ": ",
                     result.reason);
}

}  // namespace

Result<RunResult> Recompute(const RunRecord& record) { return Recomputation(record).Go(); }

Status CheckClaims(const RunResult& recomputed, const RunResult& claimed) {
  std::map<std::string, const CaseResult*> claims;
  for (const CaseResult& result : claimed.cases) {
    if (!claims.emplace(result.Id(), &result).second) {
      return Refuse(result.Id() + " has two results");
    }
  }
  for (const CaseResult& truth : recomputed.cases) {
    const auto claim = claims.find(truth.Id());
    if (claim == claims.end()) return Refuse(truth.Id() + " has no result");
    if (ToJsonLine(*claim->second) != ToJsonLine(truth)) {
      if (Shown(truth) == Shown(*claim->second)) {
        return Refuse(truth.Id() + " has evidence in the results that the journal does not have");
      }
      return Refuse(fmt::format("{} is '{}' by the journal and '{}' in the results", truth.Id(),
                                Shown(truth), Shown(*claim->second)));
    }
    claims.erase(claim);
  }
  if (!claims.empty()) return Refuse(claims.begin()->first + " has a result and was never run");
  const auto fields = [](const FeatureResult& f) {
    return std::tie(f.feature, f.suite, f.title, f.since, f.status, f.reason, f.probe);
  };
  const bool same = std::equal(
      recomputed.features.begin(), recomputed.features.end(), claimed.features.begin(),
      claimed.features.end(), [&](const auto& a, const auto& b) { return fields(a) == fields(b); });
  if (!same) return Refuse("the state of the features is not what the journal says");
  return {};
}

std::string ToJson(const CaseList& list) {
  Json cases = Json::array();
  for (const ListedCase& listed : list.cases) {
    cases.push_back({{"case", listed.name},
                     {"requirements", listed.requirements},
                     {"detection", listed.detection},
                     {"timeout_s", listed.timeout_s},
                     {"profile", listed.profile},
                     {"expects_panic", listed.expects_panic},
                     {"allows_taint", listed.allows_taint},
                     {"file", listed.file},
                     {"line", listed.line}});
  }
  return DumpJson({{"suite", list.suite}, {"features", list.features}, {"cases", cases}}, 1) + "\n";
}

}  // namespace kassay
