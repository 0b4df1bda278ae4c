// Counts of verdicts, and what of a run is wrong.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "harness/result/run_result.h"

namespace kassay {

inline constexpr std::array<Verdict, 7> kAllVerdicts{
    Verdict::kPass,   Verdict::kFail,  Verdict::kCrash, Verdict::kTimeout,
    Verdict::kAbsent, Verdict::kUnmet, Verdict::kError};

struct Tally {
  std::array<int, kAllVerdicts.size()> counts{};
  int known = 0;   // nonconformant, with an erratum that explains it
  int waived = 0;  // nonconformant, with a waiver

  void Add(const CaseResult& result);
  [[nodiscard]] int Of(Verdict verdict) const;
  [[nodiscard]] int Total() const;
  // "212 cases: 205 pass, 5 fail (2 known), 2 absent"; verdicts that do not occur are left out.
  [[nodiscard]] std::string Line() const;
};

[[nodiscard]] Tally TallyOf(const RunResult& run);
[[nodiscard]] Tally TallyOfFeature(const RunResult& run, const std::string& feature);

// The cases that a person must look at: fail, crash, timeout and error; those that nothing explains
// first.
[[nodiscard]] std::vector<const CaseResult*> WrongCases(const RunResult& run);

}  // namespace kassay
