// One run from its plan to its result; run.h is the door to it.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <tuple>

#include "harness/base/file.h"
#include "harness/base/interrupt.h"
#include "harness/protocol/suite_program.h"
#include "harness/run/execute.h"
#include "harness/verdict/conclude.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

constexpr int kProbeLimitSeconds = 60;

std::string Now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

bool SameKernel(const KernelIdentity& a, const KernelIdentity& b) {
  return a.image_sha256 == b.image_sha256 && a.modules_sha256 == b.modules_sha256 &&
         a.config_sha256 == b.config_sha256;
}

// What was asked for by --cpu; empty: what the profiles say.
std::string CpuOf(const RunPlanRecord& plan) {
  const auto asked = plan.asked.find("cpu");
  return asked == plan.asked.end() ? std::string() : asked->second;
}

// Findings about the surroundings (a fallback to emulation, a probe against the config), from any
// thread, each once; to the observer, and to the journal once there is one.
class Notes {
 public:
  explicit Notes(RunObserver& observer) : observer_(observer) {}

  void Add(const std::string& text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!texts_.insert(text).second) return;
    // A note that cannot be written shows itself with the next case.
    if (journal_ != nullptr) static_cast<void>(journal_->AddNote(text));
    observer_.OnNote(text);
  }
  void Remember(const std::vector<std::string>& texts) { texts_ = {texts.begin(), texts.end()}; }
  void WriteTo(Journal& journal) { journal_ = &journal; }

 private:
  RunObserver& observer_;
  std::mutex mutex_;
  Journal* journal_ = nullptr;
  std::set<std::string> texts_;
};

class RunUnderWay {
 public:
  RunUnderWay(Lab& lab, const Kernel& kernel, const RunOptions& options, RunObserver& observer)
      : lab_(lab), kernel_(kernel), options_(options), observer_(observer), notes_(observer) {
    if (options_.jobs < 1) options_.jobs = DefaultJobs();
  }

  // Goes to the end, or as far as Ctrl-C lets it. After an error in which nothing was said about
  // the kernel, no journal stays behind.
  Result<RunResult> Go() {
    auto run = Steps();
    if (!run && !options_.resume && told_.empty()) {
      std::error_code ignored;
      if (journal_) {
        journal_.reset();
        fs::remove(options_.out_dir / kJournalName, ignored);
        fs::remove_all(options_.out_dir / kInputsName, ignored);
      }
      // Only an empty folder of its own; what a link or a file of that name is, stays.
      if (fs::is_directory(fs::symlink_status(options_.out_dir, ignored)))
        fs::remove(options_.out_dir, ignored);
    }
    return run;
  }

 private:
  Result<RunResult> Steps() {
    KASSAY_TRY(facts_.version, VersionOf(kernel_.identity));
    facts_.config = &kernel_.config;
    facts_.has_modules = !kernel_.identity.modules_sha256.empty();
    KASSAY_CHECK(options_.resume ? Resume() : BeginAnew());
    if (kernel_.config.Empty())
      notes_.Add("no config of this kernel was found: probes alone decide what it has");
    if (kernel_.config.Value("CONFIG_MODULES") == "y" && !facts_.has_modules)
      notes_.Add(
          "the kernel came without its modules: what needs one cannot be tested; name the package "
          "that holds them too, or give --modules DIR");
    KASSAY_CHECK(Probe());
    KASSAY_CHECK(RecordMachines());
    if (!Interrupted() && !options_.probe_only) {
      const std::vector<PlannedCase> planned = Plan();
      observer_.OnPlan(planned.size(), told_.size());
      KASSAY_CHECK(
          ExecuteCases(planned, lab_, options_, noting_,
                       [this](const PlannedCase& ended, const std::vector<Attempt>& attempts) {
                         return Keep(ended, attempts);
                       }));
    }
    // Every case that was to run in a machine failed for the harness's own fault.
    const bool nothing_tested = std::ranges::all_of(
        told_, [](const auto& entry) { return entry.second == Verdict::kError; });
    if (first_machine_error_ && nothing_tested && !options_.probe_only && !Interrupted())
      return Fail(*first_machine_error_);
    KASSAY_CHECK(RecordMachines());
    KASSAY_CHECK(journal_->End(Now(), Interrupted()));
    KASSAY_TRY(JournalContent content, ReadJournal(options_.out_dir));
    return Conclude({std::move(content), selection_.suites, kernel_.config});
  }

  Status BeginAnew() {
    const Installation& installation = options_.installation;
    KASSAY_TRY(selection_, Select(installation, options_.suites, options_.filters));
    const std::set<std::string> profiles = ProfilesOf(selection_.suites, options_.profile);
    KASSAY_CHECK(lab_.Ready(profiles));
    plan_ = {.kernel = kernel_.identity,
             .kassay_version = KASSAY_VERSION,
             .started_at = Now(),
             .filters = options_.filters,
             .isolation = options_.isolation,
             .boot = options_.boot,
             .profile = options_.profile,
             .repeat = options_.repeat,
             .asked = options_.asked};
    for (const Suite& suite : selection_.suites) plan_.suites.push_back(suite.catalogue.suite);
    KASSAY_TRY(plan_.suites_sha256, Sha256OfSuites(installation, plan_.suites));
    if (!options_.prepared.empty()) TakePreparedProbes();
    KASSAY_TRY(journal_, Journal::Begin(options_.out_dir, plan_));
    KASSAY_TRY(const std::vector<Suite> whole, LoadSuites(installation, plan_.suites));
    KASSAY_CHECK(WriteInputs(options_.out_dir, installation, whole, profiles, kernel_));
    for (const auto& [suite, outcome] : probes_) KASSAY_CHECK(journal_->AddProbe(suite, outcome));
    notes_.WriteTo(*journal_);
    return {};
  }

  void TakePreparedProbes() {
    const auto content = ReadJournal(options_.prepared);
    if (!content) return;
    const RunPlanRecord& was = content->plan;
    if (SameKernel(was.kernel, plan_.kernel) && was.suites_sha256 == plan_.suites_sha256 &&
        was.profile == plan_.profile && was.boot == plan_.boot && CpuOf(was) == CpuOf(plan_))
      probes_ = content->probes;
  }

  Status Resume() {
    KASSAY_TRY(const JournalContent content, ReadJournal(options_.out_dir));
    plan_ = content.plan;
    options_.isolation = plan_.isolation;
    options_.repeat = plan_.repeat;
    const auto refuse = [&](const std::string& what) -> Status {
      return Fail(fmt::format("cannot go on with {}: {}", options_.out_dir.string(), what),
                  ErrorKind::kUsage);
    };
    if (!SameKernel(plan_.kernel, kernel_.identity))
      return refuse("the kernel is not the one that it began with");
    KASSAY_TRY(selection_, Select(options_.installation, plan_.suites, plan_.filters));
    KASSAY_TRY(const auto suites_sha256, Sha256OfSuites(options_.installation, plan_.suites));
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
    notes_.WriteTo(*journal_);
    return {};
  }

  Status Probe() {
    std::vector<const Suite*> to_probe;
    std::set<std::string> profiles;
    for (const Suite& suite : selection_.suites) {
      if (probes_.contains(suite.catalogue.suite)) continue;
      to_probe.push_back(&suite);
      profiles.insert(ProbeProfileOf(suite, plan_.profile));
    }
    if (!to_probe.empty()) {
      const size_t count = profiles.size();
      observer_.OnPhase(fmt::format("preparing {} and probing",
                                    count == 1 ? "a machine" : fmt::format("{} machines", count)));
    }
    const Status status = InParallel(to_probe.size(), options_.jobs,
                                     [&](size_t i) { return ProbeSuite(*to_probe[i]); });
    if (!status && status.error().kind != ErrorKind::kInterrupted) return status;
    // No machine came up at all: nothing can be said about this kernel.
    if (!Interrupted() && first_machine_error_ && probes_.empty())
      return Fail(*first_machine_error_);
    return {};
  }

  Status ProbeSuite(const Suite& suite) {
    const std::string& name = suite.catalogue.suite;
    const std::string profile = ProbeProfileOf(suite, plan_.profile);
    const auto guest = lab_.Fresh(profile, noting_);
    const std::chrono::milliseconds limit(
        static_cast<std::int64_t>(kProbeLimitSeconds * 1000 * options_.limit_scale));
    const auto outcome =
        guest ? (*guest)->Run(
                    {{lab_.SuitePath(profile, name), kProbeOption}, limit, name + ".Probe"}, {})
              : Result<GuestOutcome>(Fail(guest.error()));
    if (Interrupted()) return Fail(Interruption());
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!outcome) {
      if (!first_machine_error_) first_machine_error_ = outcome.error();
      notes_.Add(fmt::format("{}: its probes could not be run: {}", name,
                             OneLine(outcome.error().message)));
      return {};
    }
    probes_[name] = AsJournalled(*outcome);
    return journal_->AddProbe(name, probes_[name]);
  }

  std::vector<PlannedCase> Plan() {
    std::vector<PlannedCase> planned;
    for (const Suite& suite : selection_.suites) {
      const std::string& name = suite.catalogue.suite;
      const auto probe = probes_.find(name);
      const SuiteStanding standing = StandingOf(
          suite, plan_.profile, probe == probes_.end() ? nullptr : &probe->second, facts_);
      for (const std::string& note : standing.notes) notes_.Add(note);
      for (const ListedCase& listed : suite.list.cases) {
        if (told_.contains(name + "." + listed.name)) continue;
        planned.push_back({{name, ProfileOf(suite, listed, plan_.profile), &listed},
                           &suite.catalogue,
                           WhyCaseDoesNotRun(listed, suite.catalogue, standing.features, facts_)});
      }
    }
    // What needs no machine first. Then the cases of one profile together, so that what prepares a
    // machine delays as few as possible; the slow ones first, so that none is left alone at the
    // end.
    std::ranges::stable_sort(planned, {}, [](const PlannedCase& one) {
      return std::tuple(one.why_left.Runs(), one.which.profile, -one.which.listed->timeout_s);
    });
    return planned;
  }

  // What a case did is in the journal before anybody sees it.
  Status Keep(const PlannedCase& ended, const std::vector<Attempt>& attempts) {
    if (ended.why_left.Runs()) {
      KASSAY_CHECK(journal_->AddCase({ended.which.suite, ended.which.listed->name, attempts}));
      const CaseResult result = ConcludeCase(ended.which, attempts, *ended.catalogue, facts_);
      KeepConsole(result, attempts);
      observer_.OnCase(result);
      told_[result.Id()] = result.verdict;
    } else {
      observer_.OnCase(NotRun(ended.which, ended.why_left));
    }
    // What cannot be written shows itself with the next case.
    static_cast<void>(RecordMachines());
    return {};
  }

  void KeepConsole(const CaseResult& result, const std::vector<Attempt>& attempts) {
    if (!IsHarmful(result.verdict)) return;
    std::string console;
    for (const Attempt& attempt : attempts) {
      if (attempt.outcome) console += attempt.outcome->console;
    }
    if (console.empty()) return;
    std::string name = result.Id();
    std::ranges::replace(name, '/', '_');
    const Status status =
        WriteFileAtomically(options_.out_dir / "console" / (name + ".log"), console);
    if (!status) notes_.Add(status.error().message);
  }

  // What the machines turned out to be, as far as the journal does not have it.
  Status RecordMachines() {
    for (const auto& [profile, facts] : lab_.Facts()) {
      const MachineRecord machine{facts.emulator, facts.accelerator,  facts.cpu,
                                  facts.boot,     facts.command_line, facts.firmware};
      const auto before = machines_.find(profile);
      if (before != machines_.end() && before->second == machine) continue;
      machines_[profile] = machine;
      KASSAY_CHECK(journal_->AddMachine(profile, machine));
    }
    return {};
  }

  Lab& lab_;
  const Kernel& kernel_;
  RunOptions options_;
  RunObserver& observer_;
  Notes notes_;
  const NoteSink noting_ = [this](const std::string& text) { notes_.Add(text); };

  RunPlanRecord plan_;
  Selection selection_;
  KernelFacts facts_;
  std::optional<Journal> journal_;
  std::mutex mutex_;                               // guards what follows while probes run
  std::map<std::string, GuestOutcome> probes_;     // by suite
  std::map<std::string, Verdict> told_;            // of cases that ran, by Id()
  std::map<std::string, MachineRecord> machines_;  // by profile, as they are in the journal
  std::optional<Error> first_machine_error_;
};

}  // namespace

Result<RunResult> RunKernel(Lab& lab, const Kernel& kernel, const RunOptions& options,
                            RunObserver& observer) {
  return RunUnderWay(lab, kernel, options, observer).Go();
}

}  // namespace kassay
