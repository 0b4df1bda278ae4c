#include "harness/run/execute.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>

#include "harness/base/interrupt.h"
#include "harness/protocol/suite_program.h"

namespace kassay {
namespace {

using Clock = std::chrono::steady_clock;
using Unit = std::vector<const PlannedCase*>;  // what one worker does in one go

std::vector<Unit> UnitsOf(const std::vector<PlannedCase>& cases, bool together) {
  std::vector<Unit> units;
  std::map<std::tuple<std::string, std::string, std::string>, size_t> by_group;
  for (const PlannedCase& planned : cases) {
    const bool alone = !together || !planned.why_left.Runs();
    const auto [at, is_new] = by_group.try_emplace(
        {planned.which.suite, planned.which.profile, alone ? planned.which.listed->name : ""},
        units.size());
    if (is_new) units.emplace_back();
    units[at->second].push_back(&planned);
  }
  return units;
}

// A worker's machine: fresh for each case, or kept until it was harmed.
class Worker {
 public:
  Worker(Lab& lab, const RunOptions& options, const NoteSink& note)
      : lab_(lab), options_(options), note_(note) {}

  // Each attempt that the case is to have.
  Result<std::vector<Attempt>> RunCase(const CaseToJudge& which) {
    std::vector<Attempt> attempts;
    for (int i = 0; i < options_.repeat; ++i) {
      const Clock::time_point began = Clock::now();
      auto outcome = RunOnce(which);
      if (Interrupted()) return Fail(Interruption());
      Attempt& attempt = attempts.emplace_back();
      if (outcome) {
        attempt.outcome = *std::move(outcome);
      } else {
        attempt.error = outcome.error().message;
      }
      attempt.duration_ms =
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count();
      if (IsHarmed(which, attempt)) guest_.reset();
    }
    return attempts;
  }

 private:
  Result<GuestOutcome> RunOnce(const CaseToJudge& which) {
    const ListedCase& listed = *which.listed;
    if (!guest_ || options_.isolation == kCaseIsolation) {
      guest_.reset();
      KASSAY_TRY(guest_, lab_.Fresh(which.profile, note_));
    }
    GuestCommand command;
    command.argv = {lab_.SuitePath(which.profile, which.suite), "--gtest_filter=" + listed.name,
                    "--gtest_color=no"};
    command.limit = std::chrono::milliseconds(
        static_cast<std::int64_t>(listed.timeout_s * 1000 * options_.limit_scale));
    if (options_.limit_scale != 1)
      command.argv.push_back(fmt::format("{}{}", kLimitScaleOption, options_.limit_scale));
    command.log_name = which.suite + "." + listed.name;
    KASSAY_TRY(const GuestOutcome outcome, guest_->Run(command, {}));
    return AsJournalled(outcome);
  }

  static bool IsHarmed(const CaseToJudge& which, const Attempt& attempt) {
    return !attempt.outcome || attempt.outcome->end == GuestOutcome::End::kKernelDied ||
           attempt.outcome->taint_after != attempt.outcome->taint_before ||
           IsHarmful(Judge(which, *attempt.outcome).verdict);
  }

  Lab& lab_;
  const RunOptions& options_;
  const NoteSink& note_;
  std::unique_ptr<Guest> guest_;
};

}  // namespace

bool IsHarmful(Verdict verdict) {
  return verdict == Verdict::kCrash || verdict == Verdict::kTimeout || verdict == Verdict::kError;
}

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

Status ExecuteCases(const std::vector<PlannedCase>& cases, Lab& lab, const RunOptions& options,
                    const NoteSink& note, const OnEnded& on_ended) {
  const std::vector<Unit> units = UnitsOf(cases, options.isolation == kSuiteIsolation);
  std::mutex reporting;
  const Status status = InParallel(units.size(), options.jobs, [&](size_t unit) -> Status {
    Worker worker(lab, options, note);
    for (const PlannedCase* planned : units[unit]) {
      std::vector<Attempt> attempts;
      if (planned->why_left.Runs()) {
        KASSAY_TRY(attempts, worker.RunCase(planned->which));
      }
      const std::lock_guard<std::mutex> lock(reporting);
      KASSAY_CHECK(on_ended(*planned, attempts));
    }
    return {};
  });
  // What was finished before Ctrl-C is a result, not a failure.
  if (!status && status.error().kind == ErrorKind::kInterrupted) return {};
  return status;
}

}  // namespace kassay
