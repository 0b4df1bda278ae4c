// One run from its plan to its result; run.h is the door to it.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/run/notes.h"
#include "harness/run/run.h"
#include "harness/suite/selection.h"
#include "harness/target/lab.h"
#include "harness/verdict/conclude.h"
#include "harness/verdict/journal.h"

namespace kassay {

class RunUnderWay {
 public:
  RunUnderWay(Lab& lab, const Kernel& kernel, const RunOptions& options, RunObserver& observer,
              Notes& notes)
      : lab_(lab),
        kernel_(kernel),
        options_(options),
        observer_(observer),
        notes_(notes),
        installation_(options.installation) {}

  // Goes to the end, or as far as Ctrl-C lets it. After an error in which nothing was said about
  // the kernel, no journal stays behind.
  [[nodiscard]] Result<RunResult> Go();

 private:
  [[nodiscard]] Result<RunResult> Steps();
  [[nodiscard]] Status Begin();
  [[nodiscard]] Status BeginAnew();
  [[nodiscard]] Status Resume();
  void TakePreparedProbes();
  [[nodiscard]] Status Probe();
  [[nodiscard]] Status ProbeSuite(const Suite& suite);
  void Stand();
  [[nodiscard]] std::vector<PlannedCase> Plan() const;
  void Keep(const CaseResult& result, const std::vector<Attempt>& attempts);
  [[nodiscard]] NoteSink Noting() {
    return [this](const std::string& text) { notes_.Add(text); };
  }
  [[nodiscard]] Status RecordMachines();
  [[nodiscard]] bool NothingWasTested() const;

  Lab& lab_;
  const Kernel& kernel_;
  const RunOptions& options_;
  RunObserver& observer_;
  Notes& notes_;
  const Installation& installation_;

  RunPlanRecord plan_;
  Selection selection_;
  KernelFacts facts_;
  std::optional<Journal> journal_;
  std::mutex mutex_;                                // guards what follows while probes run
  std::map<std::string, GuestOutcome> probes_;      // by suite
  std::map<std::string, Verdict> told_;             // of cases that ran, by Id()
  std::map<std::string, SuiteStanding> standings_;  // by suite
  std::map<std::string, MachineRecord> machines_;   // by profile, as they are in the journal
  std::optional<Error> first_machine_error_;
};

}  // namespace kassay
