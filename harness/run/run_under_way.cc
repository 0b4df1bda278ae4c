#include "harness/run/run_under_way.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <tuple>

#include "harness/base/file.h"
#include "harness/base/interrupt.h"
#include "harness/protocol/suite_program.h"
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
  KASSAY_TRY(facts_.version, VersionOf(kernel_.identity));
  facts_.config = &kernel_.config;
  KASSAY_CHECK(options_.resume ? Resume() : BeginAnew());
  if (kernel_.config.Empty())
    notes_.Add("no config of this kernel was found: probes alone decide what it has");
  return {};
}

Status RunUnderWay::BeginAnew() {
  KASSAY_TRY(selection_, Select(installation_, options_.suites, options_.filters));
  plan_.profile = options_.profile;
  const std::set<std::string> profiles = ProfilesOf(selection_.suites, plan_.profile);
  KASSAY_CHECK(lab_.Ready(profiles));
  plan_.kernel = kernel_.identity;
  plan_.kassay_version = KASSAY_VERSION;
  plan_.started_at = Now();
  for (const Suite& suite : selection_.suites) plan_.suites.push_back(suite.catalogue.suite);
  KASSAY_TRY(plan_.suites_sha256, Sha256OfSuites(installation_, plan_.suites));
  plan_.filters = options_.filters;
  plan_.isolation = NameOf(options_.isolation);
  plan_.boot = options_.boot;
  plan_.repeat = options_.repeat;
  if (!options_.prepared.empty()) TakePreparedProbes();
  KASSAY_TRY(journal_, Journal::Begin(options_.out_dir, plan_));
  KASSAY_TRY(const std::vector<Suite> whole, LoadSuites(installation_, plan_.suites));
  KASSAY_CHECK(WriteInputs(options_.out_dir, installation_, whole, profiles, kernel_));
  for (const auto& [suite, outcome] : probes_) KASSAY_CHECK(journal_->AddProbe(suite, outcome));
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
  if (!SameKernel(was.kernel, plan_.kernel) || was.suites_sha256 != plan_.suites_sha256 ||
      was.profile != plan_.profile || was.boot != plan_.boot) {
    return;
  }
  probes_ = content->probes;
}

Status RunUnderWay::Resume() {
  KASSAY_TRY(const JournalContent content, ReadJournal(options_.out_dir));
  plan_ = content.plan;
  const auto refuse = [&](const std::string& what) -> Status {
    return Fail(fmt::format("cannot go on with {}: {}", options_.out_dir.string(), what),
                ErrorKind::kUsage);
  };
  if (!SameKernel(plan_.kernel, kernel_.identity))
    return refuse("the kernel is not the one that it began with");
  KASSAY_TRY(selection_, Select(installation_, plan_.suites, plan_.filters));
  KASSAY_TRY(const auto suites_sha256, Sha256OfSuites(installation_, plan_.suites));
  if (suites_sha256 != plan_.suites_sha256)
    return refuse("the suites have changed since; begin a new run");
  KASSAY_CHECK(lab_.Ready(ProfilesOf(selection_.suites, plan_.profile)));
  probes_ = content.probes;
  machines_ = content.machines;
  KASSAY_TRY(const RunResult so_far, Conclude({content, selection_.suites, kernel_.config}));
  // What failed for the harness's own fault is tried again.
  for (const CaseResult& result : so_far.cases) {
    if (result.verdict != Verdict::kError && result.attempts > 0)
      told_[result.Id()] = result.verdict;
  }
  notes_.Remember(content.notes);
  KASSAY_TRY(journal_, Journal::Continue(options_.out_dir, content));
  return {};
}

Status RunUnderWay::ProbeSuite(const Suite& suite) {
  const std::string& name = suite.catalogue.suite;
  const std::string profile = ProbeProfileOf(suite, plan_.profile);
  auto guest = lab_.Fresh(profile, Noting());
  GuestCommand command;
  command.argv = {lab_.SuitePath(profile, name), kProbeOption};
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
  probes_[name] = AsJournalled(*outcome);
  return journal_->AddProbe(name, probes_[name]);
}

Status RunUnderWay::Probe() {
  std::vector<const Suite*> to_probe;
  std::set<std::string> profiles;
  for (const Suite& suite : selection_.suites) {
    if (probes_.contains(suite.catalogue.suite)) continue;
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
  if (!status && status.error().kind != ErrorKind::kInterrupted) return status;
  if (Interrupted()) return {};
  // No machine came up at all: nothing can be said about this kernel.
  if (first_machine_error_ && probes_.empty()) return Fail(*first_machine_error_);
  return {};
}

void RunUnderWay::Stand() {
  for (const Suite& suite : selection_.suites) {
    const auto probe = probes_.find(suite.catalogue.suite);
    SuiteStanding standing =
        StandingOf(suite, plan_.profile, probe == probes_.end() ? nullptr : &probe->second, facts_);
    for (const std::string& note : standing.notes) notes_.Add(note);
    standings_[suite.catalogue.suite] = std::move(standing);
  }
}

std::vector<PlannedCase> RunUnderWay::Plan() const {
  std::vector<PlannedCase> planned;
  for (const Suite& suite : selection_.suites) {
    const Standings& standings = standings_.at(suite.catalogue.suite).features;
    for (const ListedCase& listed : suite.list.cases) {
      if (told_.contains(suite.catalogue.suite + "." + listed.name)) continue;
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

void RunUnderWay::Keep(const CaseResult& result, const std::vector<Attempt>& attempts) {
  const bool keep_console = result.verdict == Verdict::kCrash ||
                            result.verdict == Verdict::kTimeout ||
                            result.verdict == Verdict::kError;
  std::string console;
  for (const Attempt& attempt : attempts) {
    if (attempt.outcome) console += attempt.outcome->console;
  }
  if (keep_console && !console.empty()) {
    const fs::path file = options_.out_dir / "console" / (FileNameOf(result.Id()) + ".log");
    if (const Status status = WriteFileAtomically(file, console); !status)
      notes_.Add(status.error().message);
  }
  observer_.OnCase(result);
  if (!attempts.empty()) told_[result.Id()] = result.verdict;
  // What cannot be written shows itself with the next case.
  static_cast<void>(RecordMachines());
}

// What the machines turned out to be, as far as the journal does not have it.
Status RunUnderWay::RecordMachines() {
  for (const auto& [profile, facts] : lab_.Facts()) {
    const MachineRecord machine{facts.emulator, facts.accelerator, facts.boot, facts.command_line};
    const auto before = machines_.find(profile);
    if (before != machines_.end() && before->second == machine) continue;
    machines_[profile] = machine;
    KASSAY_CHECK(journal_->AddMachine(profile, machine));
  }
  return {};
}

// Every case that was to run in a machine failed for the harness's own fault.
bool RunUnderWay::NothingWasTested() const {
  return std::none_of(told_.begin(), told_.end(),
                      [](const auto& entry) { return entry.second != Verdict::kError; });
}

Result<RunResult> RunUnderWay::Go() {
  auto run = Steps();
  const bool is_new = journal_.has_value() && !options_.resume;
  if (!run && is_new && told_.empty()) {
    std::error_code ignored;
    journal_.reset();
    fs::remove(options_.out_dir / kJournalName, ignored);
    fs::remove_all(options_.out_dir / kInputsName, ignored);
    fs::remove(options_.out_dir, ignored);  // only if nothing else is in it
  }
  return run;
}

Result<RunResult> RunUnderWay::Steps() {
  KASSAY_CHECK(Begin());
  KASSAY_CHECK(Probe());
  KASSAY_CHECK(RecordMachines());
  if (!Interrupted() && !options_.probe_only) {
    Stand();
    const std::vector<PlannedCase> planned = Plan();
    observer_.OnPlan(planned.size(), told_.size());
    ExecuteOptions execute;
    execute.jobs = options_.jobs;
    execute.isolation = plan_.isolation == "suite" ? Isolation::kSuite : Isolation::kCase;
    execute.repeat = plan_.repeat;
    execute.limit_scale = options_.limit_scale;
    execute.kernel = facts_;
    execute.note = Noting();
    KASSAY_CHECK(ExecuteCases(planned, lab_, *journal_, execute,
                              [&](const CaseResult& result, const std::vector<Attempt>& attempts) {
                                Keep(result, attempts);
                              }));
  }
  if (first_machine_error_ && NothingWasTested() && !options_.probe_only && !Interrupted())
    return Fail(*first_machine_error_);
  KASSAY_CHECK(RecordMachines());
  KASSAY_CHECK(journal_->End(Now(), Interrupted()));
  KASSAY_TRY(JournalContent content, ReadJournal(options_.out_dir));
  return Conclude({std::move(content), selection_.suites, kernel_.config});
}

}  // namespace kassay
