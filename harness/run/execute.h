// Runs planned cases in guests, several at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/suite/case_list.h"
#include "harness/suite/catalogue.h"
#include "harness/target/lab.h"
#include "harness/verdict/feature_status.h"
#include "harness/verdict/journal.h"

namespace kassay {

enum class Isolation {
  kCase,   // a fresh kernel for every case
  kSuite,  // one kernel for the cases of a suite and profile, a fresh one after it was harmed
};

struct PlannedCase {
  std::string suite;
  std::string profile;
  ListedCase listed;
  const Catalogue* catalogue = nullptr;  // of the suite; never null
  std::string why_not;                   // not empty: left without a machine, as `absent`
};

struct ExecuteOptions {
  int jobs = 1;
  Isolation isolation = Isolation::kCase;
  int repeat = 1;
  double limit_scale = 1;  // of each case's time limit, for slow machines
  KernelFacts kernel;      // what a failure is explained by
  NoteSink note;           // what is found out about machines
};

// Called as cases end, one call at a time; without attempts for a case that did not run.
using OnFinished = std::function<void(const CaseResult&, const std::vector<Attempt>&)>;

// What a case did is in the journal before on_finished sees it. Fails if the journal cannot
// be written. On Ctrl-C it returns early; what is finished was reported.
[[nodiscard]] Status ExecuteCases(const std::vector<PlannedCase>& cases, Lab& lab, Journal& journal,
                                  const ExecuteOptions& options, const OnFinished& on_finished);

// Calls `work` with 0 ... count-1 from up to `jobs` threads; stops handing out on Ctrl-C or after a
// call failed, and gives the first failure.
[[nodiscard]] Status InParallel(size_t count, int jobs, const std::function<Status(size_t)>& work);

}  // namespace kassay
