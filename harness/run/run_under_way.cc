#include "harness/run/run_under_way.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <tuple>

#include "harness/base/file.h"
#include "harness/base/interrupt.h"
#include "harness/verdict/judge.h"
#include "harness/verdict/outcome_json.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

constexpr int kProbeLimitSeconds = 60;

std::string Now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

std::string NameOf(Isolation isolation) { return isolation == Isolation::kCase ? "case" : "suite"; }

}  // namespace

Status RunUnderWay::Begin() {
  KASSAY_TRY(facts_.version,
             ParseKernelVersion(kernel_.identity.version.empty() ? kernel_.identity.release
                                                                 : kernel_.identity.version));
  facts_.config = &kernel_.config;
  KASSAY_CHECK(options_.resume ? Resume() : BeginAnew());
  if (kernel_.config.Empty())
    notes_.Add("no config of this kernel was found: probes alone decide what it has");
  return {};
}

Status RunUnderWay::BeginAnew() {
  KASSAY_TRY(selection_, Select(installation_, options_.suites, options_.filters));
  plan_.profile = options_.profile;
  KASSAY_CHECK(lab_.Ready(Profiles()));
  plan_.kernel = kernel_.identity;
  plan_.kassay_version = KASSAY_VERSION;
  plan_.started_at = Now();
  for (const Suite& suite : selection_.suites) plan_.suites.push_back(suite.catalogue.suite);
  KASSAY_TRY(plan_.suite_sha256, installation_.Sha256Of(plan_.suites));
  plan_.filters = options_.filters;
  plan_.isolation = NameOf(options_.isolation);
  plan_.boot = options_.vm.boot;
  plan_.repeat = options_.repeat;
  if (!options_.prepared.empty()) TakePreparedProbes();
  KASSAY_TRY(journal_, Journal::Begin(options_.out_dir, plan_));
  notes_.WriteTo(*journal_);
  return {};
}

static bool SameKernel(const KernelIdentity& a, const KernelIdentity& b) {
  return a.image_sha256 == b.image_sha256 && a.modules_sha256 == b.modules_sha256 &&
         a.config_sha256 == b.config_sha256;
}

void RunUnderWay::TakePreparedProbes() {
  const auto content = ReadJournal(options_.prepared);
  if (!content) return;
  const RunPlanRecord& was = content->plan;
  if (!SameKernel(was.kernel, plan_.kernel) || was.suite_sha256 != plan_.suite_sha256 ||
      was.profile != plan_.profile || was.boot != plan_.boot) {
    return;
  }
  for (const auto& [suite, outcome] : content->probes) probe_outcomes_[suite] = outcome;
}

std::set<std::string> RunUnderWay::Profiles() const {
  std::set<std::string> profiles;
  for (const Suite& suite : selection_.suites) {
    profiles.insert(ProbeProfileOf(suite, plan_.profile));
    for (const ListedCase& listed : suite.list.cases)
      profiles.insert(ProfileOf(suite, listed, plan_.profile));
  }
  return profiles;
}

Status RunUnderWay::Resume() {
  KASSAY_TRY(const JournalContent content, ReadJournal(options_.out_dir));
  plan_ = content.plan;
  const auto refuse = [&](const std::string& what) -> Status {
    return Fail(fmt::format("cannot go on with {}: {}", options_.out_dir.string(), what),
                ExitCode::kUsage);
  };
  if (!SameKernel(plan_.kernel, kernel_.identity))
    return refuse("the kernel is not the one that it began with");
  KASSAY_TRY(selection_, Select(installation_, plan_.suites, plan_.filters));
  KASSAY_TRY(const std::string suite_sha256, installation_.Sha256Of(plan_.suites));
  if (suite_sha256 != plan_.suite_sha256)
    return refuse("the suites have changed since; begin a new run");
  KASSAY_CHECK(lab_.Ready(Profiles()));
  for (const auto& [suite, outcome] : content.probes) probe_outcomes_[suite] = outcome;
  // What failed for the harness's own fault is tried again.
  for (const JournalledCase& finished : content.cases) {
    if (finished.result.verdict != Verdict::kError)
      results_[finished.result.Id()] = finished.result;
  }
  notes_.Remember(content.notes);
  KASSAY_TRY(journal_, Journal::Continue(options_.out_dir, content));
  return {};
}

Status RunUnderWay::ProbeSuite(const Suite& suite) {
  const std::string& name = suite.catalogue.suite;
  const std::string profile = ProbeProfileOf(suite, plan_.profile);
  auto guest = lab_.Fresh(profile);
  GuestCommand command;
  command.argv = {lab_.SuitePath(profile, name), "--kassay_probe"};
  command.limit = std::chrono::milliseconds(
      static_cast<std::int64_t>(kProbeLimitSeconds * 1000 * options_.limit_scale));
  command.log_name = name + ".Probe";
  Result<GuestOutcome> outcome =
      guest ? (*guest)->Run(command, {}) : Result<GuestOutcome>(Fail(guest.error()));
  if (Interrupted()) return Fail(Interruption());
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!outcome) {
    if (!first_machine_error_) first_machine_error_ = outcome.error();
    notes_.Add(
        fmt::format("{}: its probes could not be run: {}", name, OneLine(outcome.error().message)));
    return {};
  }
  probe_outcomes_[name] = AsJournalled(*outcome);
  return journal_->AddProbe(name, probe_outcomes_[name]);
}

Status RunUnderWay::Probe() {
  std::vector<const Suite*> to_probe;
  std::set<std::string> profiles;
  for (const Suite& suite : selection_.suites) {
    if (probe_outcomes_.contains(suite.catalogue.suite)) continue;
    to_probe.push_back(&suite);
    profiles.insert(ProbeProfileOf(suite, plan_.profile));
  }
  if (!to_probe.empty()) {
    observer_.OnPhase(
        fmt::format("preparing {} and probing", profiles.size() == 1
                                                    ? std::string("a machine")
                                                    : fmt::format("{} machines", profiles.size())));
  }
  const Status status = InParallel(to_probe.size(), options_.jobs,
                                   [&](size_t i) { return ProbeSuite(*to_probe[i]); });
  if (!status && status.error().code != ExitCode::kInterrupted) return status;
  if (Interrupted()) return {};
  // No machine came up at all: nothing can be said about this kernel.
  if (first_machine_error_ && probe_outcomes_.empty()) return Fail(*first_machine_error_);
  for (const Suite& suite : selection_.suites) {
    const auto outcome = probe_outcomes_.find(suite.catalogue.suite);
    if (outcome != probe_outcomes_.end()) JudgeProbe(suite, outcome->second);
  }
  return {};
}

// A probe that crashes the kernel, hangs or breaks the protocol is a result of its own.
void RunUnderWay::JudgeProbe(const Suite& suite, const GuestOutcome& outcome) {
  ProbeRecords records = ReadProbeRecords(outcome.records);
  for (ProbeRecord& record : records.features) {
    if (suite.catalogue.FindFeature(record.feature) == nullptr) {
      notes_.Add(fmt::format("{}: a probe of the unknown feature '{}'", suite.catalogue.suite,
                             OneLine(record.feature, 80)));
      continue;
    }
    probes_[record.feature] = std::move(record);
  }
  // Judged like a case that passed if the program ended well.
  ListedCase listed;
  listed.name = "Probe";
  listed.timeout_s = kProbeLimitSeconds;
  GuestOutcome as_case = outcome;
  as_case.records = {R"({"type":"case_start","case":"Probe"})",
                     R"({"type":"case_end","case":"Probe","passed":true})"};
  CaseResult result =
      Judge({suite.catalogue.suite, ProbeProfileOf(suite, plan_.profile), &listed}, as_case);
  if (result.verdict == Verdict::kPass && !records.problem.empty()) {
    result.verdict = Verdict::kError;
    result.reason = "the probe's records are wrong: " + records.problem;
  }
  if (result.verdict != Verdict::kPass) results_[result.Id()] = std::move(result);
}

void RunUnderWay::Stand() {
  for (const Suite& suite : selection_.suites) {
    for (const Feature& feature : suite.catalogue.features) {
      const auto probe = probes_.find(feature.id);
      FeatureStanding standing = StandingOf(
          feature, suite.catalogue, facts_,
          probe == probes_.end() ? std::nullopt : std::optional<ProbeRecord>(probe->second));
      for (const std::string& note : standing.notes) notes_.Add(note);
      standings_[suite.catalogue.suite][feature.id] = std::move(standing);
    }
  }
}

std::vector<PlannedCase> RunUnderWay::Plan() const {
  std::vector<PlannedCase> planned;
  for (const Suite& suite : selection_.suites) {
    const Standings& standings = standings_.at(suite.catalogue.suite);
    for (const ListedCase& listed : suite.list.cases) {
      if (results_.contains(suite.catalogue.suite + "." + listed.name)) continue;
      PlannedCase& one = planned.emplace_back();
      one.suite = suite.catalogue.suite;
      one.profile = ProfileOf(suite, listed, plan_.profile);
      one.listed = listed;
      one.catalogue = &suite.catalogue;
      one.why_not = WhyCaseDoesNotRun(listed, suite.catalogue, standings, facts_);
    }
  }
  // What needs no machine first. Then the cases of one profile together, so that what prepares a
  // machine delays as few as possible; the slow ones first, so that none is left alone at the end.
  const auto order = [](const PlannedCase& one) {
    return std::tuple(one.why_not.empty(), one.profile, -one.listed.timeout_s);
  };
  std::stable_sort(planned.begin(), planned.end(),
                   [&](const PlannedCase& a, const PlannedCase& b) { return order(a) < order(b); });
  return planned;
}

static std::string FileNameOf(const std::string& case_id) {
  std::string name = case_id;
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

void RunUnderWay::Keep(const JournalledCase& finished) {
  const CaseResult& result = finished.result;
  const bool keep_console = result.verdict == Verdict::kCrash ||
                            result.verdict == Verdict::kTimeout ||
                            result.verdict == Verdict::kError;
  std::string console;
  for (const GuestOutcome& outcome : finished.outcomes) console += outcome.console;
  if (keep_console && !console.empty()) {
    const fs::path file = options_.out_dir / "console" / (FileNameOf(result.Id()) + ".log");
    if (const Status status = WriteFileAtomically(file, console); !status)
      notes_.Add(status.error().message);
  }
  observer_.OnCase(result);
  results_[result.Id()] = result;
}

static std::vector<std::string> FeaturesOf(const ListedCase& listed, const Catalogue& catalogue) {
  std::set<std::string> features;
  for (const std::string& id : listed.requirements) {
    if (const Requirement* requirement = catalogue.FindRequirement(id))
      features.insert(requirement->feature);
  }
  return {features.begin(), features.end()};
}

RunResult RunUnderWay::Conclude() {
  RunResult run;
  run.kernel = plan_.kernel;
  run.environment.kassay_version = plan_.kassay_version;
  run.environment.suite_sha256 = plan_.suite_sha256;
  run.environment.isolation = plan_.isolation;
  for (const auto& [profile, facts] : lab_.Facts()) {
    run.environment.qemu_version = facts.qemu_version;
    run.environment.accelerator = Name(facts.accelerator);
    const std::string boot = Name(facts.boot);
    const bool same = run.environment.boot.empty() || run.environment.boot == boot;
    run.environment.boot = same ? boot : "mixed";
    run.environment.command_lines[profile] = facts.command_line;
  }
  run.suites = plan_.suites;
  NameFilter filter;
  for (const std::string& one : plan_.filters) filter.Add(one);
  run.filter = filter.Text();
  run.started_at = plan_.started_at;
  run.finished_at = Now();
  run.interrupted = Interrupted();
  std::map<std::string, std::vector<const CaseResult*>> by_feature;
  for (const Suite& suite : selection_.suites) {
    for (const ListedCase& listed : suite.list.cases) {
      const auto found = results_.find(suite.catalogue.suite + "." + listed.name);
      if (found == results_.end()) continue;
      found->second.features = FeaturesOf(listed, suite.catalogue);
      for (const std::string& feature : found->second.features)
        by_feature[feature].push_back(&found->second);
    }
  }
  for (const Suite& suite : selection_.suites) {
    for (const Feature& feature : suite.catalogue.features) {
      if (standings_.empty()) break;
      FeatureResult result = standings_[suite.catalogue.suite][feature.id].result;
      ConcludeFeature(result, by_feature[feature.id]);
      run.features.push_back(std::move(result));
    }
  }
  for (const auto& [id, result] : results_) run.cases.push_back(result);
  run.notes = notes_.texts();
  return run;
}

// Every case that was to run in a machine failed for the harness's own fault.
bool RunUnderWay::NothingWasTested() const {
  return std::none_of(results_.begin(), results_.end(), [](const auto& entry) {
    return entry.second.verdict != Verdict::kError && entry.second.attempts > 0;
  });
}

Result<RunResult> RunUnderWay::Go() {
  auto run = Steps();
  const bool is_new = journal_.has_value() && !options_.resume;
  if (!run && is_new && results_.empty()) {
    std::error_code ignored;
    journal_.reset();
    fs::remove(options_.out_dir / kJournalName, ignored);
    fs::remove(options_.out_dir, ignored);  // only if nothing else is in it
  }
  return run;
}

Result<RunResult> RunUnderWay::Steps() {
  KASSAY_CHECK(Begin());
  const Status probed = Probe();
  if (!probed) return Fail(probed.error());
  if (!Interrupted() && !options_.probe_only) {
    Stand();
    const std::vector<PlannedCase> planned = Plan();
    observer_.OnPlan(planned.size(), results_.size());
    ExecuteOptions execute;
    execute.jobs = options_.jobs;
    execute.isolation = plan_.isolation == "suite" ? Isolation::kSuite : Isolation::kCase;
    execute.repeat = plan_.repeat;
    execute.limit_scale = options_.limit_scale;
    execute.kernel = facts_;
    KASSAY_CHECK(ExecuteCases(planned, lab_, *journal_, execute,
                              [&](const JournalledCase& finished) { Keep(finished); }));
  }
  if (first_machine_error_ && NothingWasTested() && !options_.probe_only && !Interrupted())
    return Fail(*first_machine_error_);
  KASSAY_CHECK(journal_->End(Interrupted()));
  return Conclude();
}

}  // namespace kassay
