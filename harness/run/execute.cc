#include "harness/run/execute.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include "harness/base/interrupt.h"
#include "harness/protocol/records.h"
#include "harness/verdict/judge.h"
#include "harness/verdict/outcome_json.h"

namespace kassay {
namespace {

using Clock = std::chrono::steady_clock;
using Unit = std::vector<const PlannedCase*>;  // what one worker does in one go

std::vector<Unit> UnitsOf(const std::vector<PlannedCase>& cases, Isolation isolation) {
  std::vector<Unit> units;
  std::map<std::pair<std::string, std::string>, size_t> by_group;
  for (const PlannedCase& planned : cases) {
    if (isolation == Isolation::kCase || !planned.why_not.empty()) {
      units.push_back({&planned});
      continue;
    }
    const auto [at, is_new] = by_group.try_emplace({planned.suite, planned.profile}, units.size());
    if (is_new) units.emplace_back();
    units[at->second].push_back(&planned);
  }
  return units;
}

// A worker's machine: fresh for each case, or kept until it was harmed.
class Worker {
 public:
  Worker(Lab& lab, const ExecuteOptions& options) : lab_(lab), options_(options) {}

  Result<JournalledCase> RunCase(const PlannedCase& planned) {
    const CaseToJudge which{planned.suite, planned.profile, &planned.listed};
    JournalledCase finished;
    if (!planned.why_not.empty()) {
      finished.result = NotRun(which, planned.why_not);
      return finished;
    }
    for (int attempt = 0; attempt < options_.repeat; ++attempt) {
      const Clock::time_point began = Clock::now();
      auto outcome = RunOnce(planned);
      if (Interrupted()) return Fail(Interruption());
      CaseResult result = outcome ? Judge(which, *outcome) : CouldNotRun(which, outcome.error());
      result.duration_ms =
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count();
      if (IsHarmed(result, outcome)) guest_.reset();
      if (outcome) finished.outcomes.push_back(*std::move(outcome));
      if (attempt == 0) {
        finished.result = std::move(result);
      } else {
        AddAttempt(finished.result, std::move(result));
      }
    }
    Explain(finished.result, *planned.catalogue, options_.kernel);
    return finished;
  }

 private:
  Result<GuestOutcome> RunOnce(const PlannedCase& planned) {
    if (!guest_ || options_.isolation == Isolation::kCase) {
      guest_.reset();
      KASSAY_TRY(guest_, lab_.Fresh(planned.profile));
    }
    GuestCommand command;
    command.argv = {lab_.SuitePath(planned.profile, planned.suite),
                    "--gtest_filter=" + planned.listed.name, "--gtest_color=no"};
    command.limit = std::chrono::milliseconds(
        static_cast<std::int64_t>(planned.listed.timeout_s * 1000 * options_.limit_scale));
    if (options_.limit_scale != 1)
      command.argv.push_back(fmt::format("{}{}", kLimitScaleOption, options_.limit_scale));
    command.log_name = planned.suite + "." + planned.listed.name;
    KASSAY_TRY(const GuestOutcome outcome, guest_->Run(command, {}));
    return AsJournalled(outcome);
  }

  // After this, a kept machine can no longer be trusted with the next case.
  static bool IsHarmed(const CaseResult& result, const Result<GuestOutcome>& outcome) {
    return !outcome || result.verdict == Verdict::kCrash || result.verdict == Verdict::kTimeout ||
           result.verdict == Verdict::kError || outcome->end == GuestOutcome::End::kKernelDied ||
           outcome->taint_after != outcome->taint_before;
  }

  Lab& lab_;
  const ExecuteOptions& options_;
  std::unique_ptr<Guest> guest_;
};

}  // namespace

Status InParallel(size_t count, int jobs, const std::function<Status(size_t)>& work) {
  std::atomic<size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  Status first;
  const auto loop = [&] {
    while (!failed && !Interrupted()) {
      const size_t mine = next++;
      if (mine >= count) return;
      const Status status = work(mine);
      if (status) continue;
      const std::lock_guard<std::mutex> lock(mutex);
      if (!failed.exchange(true)) first = status;
    }
  };
  {
    const size_t threads = std::min(count, static_cast<size_t>(std::max(jobs, 1)));
    std::vector<std::jthread> workers;
    for (size_t i = 0; i < threads; ++i) workers.emplace_back(loop);
  }
  return first;
}

Status ExecuteCases(const std::vector<PlannedCase>& cases, Lab& lab, Journal& journal,
                    const ExecuteOptions& options, const OnFinished& on_finished) {
  const std::vector<Unit> units = UnitsOf(cases, options.isolation);
  std::mutex reporting;
  const Status status = InParallel(units.size(), options.jobs, [&](size_t unit) -> Status {
    Worker worker(lab, options);
    for (const PlannedCase* planned : units[unit]) {
      KASSAY_TRY(const JournalledCase finished, worker.RunCase(*planned));
      const std::lock_guard<std::mutex> lock(reporting);
      KASSAY_CHECK(journal.AddCase(finished));
      if (on_finished) on_finished(finished);
    }
    return {};
  });
  // What was finished before Ctrl-C is a result, not a failure.
  if (!status && status.error().code == ExitCode::kInterrupted) return {};
  return status;
}

}  // namespace kassay
