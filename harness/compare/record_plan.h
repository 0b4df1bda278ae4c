// Which baselines no longer say what the suites would find today, and are to be recorded anew.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/compare/baseline.h"
#include "harness/suite/installed_suites.h"

namespace kassay {

struct RecordStep {
  std::string kernel;  // its spec
  std::string suite;
  std::string why;  // "not recorded", "3 cases are new"
  friend bool operator==(const RecordStep&, const RecordStep&) = default;
};

// Why what was recorded of a suite is out of date: other cases, requirements or profiles, or
// another digest (Sha256OfSuites); empty if it is not.
[[nodiscard]] std::string WhyStale(const Baseline& recorded, const Suite& suite,
                                   const std::string& sha256);

struct RecordPlanOptions {
  std::filesystem::path folder;  // of the baselines
  std::vector<std::string> kernels;
  std::vector<std::string> suites;
  bool force = false;  // what is up to date too
};

// The steps in the order of kernels and suites. A baseline that cannot be read is out of date; what
// is done already is not, so a plan that was interrupted goes on where it stopped.
[[nodiscard]] Result<std::vector<RecordStep>> PlanRecording(const RecordPlanOptions& options,
                                                            const Installation& installation);

// What a person types to do exactly these steps by force, a command a choice of suites.
[[nodiscard]] std::vector<std::string> CommandsFor(const std::vector<RecordStep>& steps);

}  // namespace kassay
