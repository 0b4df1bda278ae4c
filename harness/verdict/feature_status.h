// Is a feature in this kernel, and why not: version, config and probe held against each other.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/result/run_result.h"
#include "harness/suite/case_list.h"
#include "harness/suite/catalogue.h"
#include "harness/verdict/case_records.h"
#include "harness/verdict/judge.h"

namespace kassay {

// What the status of a feature rests on.
struct KernelFacts {
  KernelVersion version;
  const KernelConfig* config = nullptr;  // never null; may be empty
  bool has_modules = true;               // some came with the kernel
};

struct FeatureStanding {
  // status is kUntested where the cases decide (see ConcludeFeature), kBackported likewise.
  FeatureResult result;
  // Cases of the feature run; otherwise `why_left` says why not.
  bool cases_run = true;
  WhyLeft why_left;
  // Findings for the run's notes: the probe contradicts the config, or there was no config.
  std::vector<std::string> notes;
};

// `probe` is what the suite's probe said, nothing if it gave no answer.
//
//   version  config  probe    standing
//   new      on      yes      cases run
//   new      on      no       missing: version and config say yes, the probe no; where it is a
//                             module and no modules came with the kernel: untested, cases unmet
//   new      off     no       disabled: CONFIG_X is not set
//   new      off     yes      cases run, and a note: the config says no, the probe yes
//   old      any     no       absent: older kernel
//   old      any     yes      backported, cases run
//   any      none    no       missing if no config could turn it off, else absent with a note
//   any      any     silent   as version and config say; on and new: cases run, they will tell
//
// A feature that stands is left `untested` where the suite itself relies on an option that is off.
[[nodiscard]] FeatureStanding StandingOf(const Feature& feature, const Catalogue& suite,
                                         const KernelFacts& kernel,
                                         const std::optional<ProbeRecord>& probe);

// Gives a feature whose cases ran its last status, from the results of the cases that cite it:
// `nonconformant` if one failed; `untested` if one could not be run, or if not every essential
// requirement of the feature that is in force on this kernel passed; else `conformant`. A
// requirement passed if a case that cites it passed, and none of them is unmet for another cause
// than trust.
void ConcludeFeature(FeatureResult& feature, const Catalogue& suite, const KernelFacts& kernel,
                     const std::vector<const CaseResult*>& cases);

// By feature id.
using Standings = std::map<std::string, FeatureStanding, std::less<>>;

// Why a case does not run on this kernel. A case runs if
// * all features of its requirements stand (detection cases: always),
// * the options that its suite, all of its requirements and (detection cases: not) what their
//   features need name are as they say, and
// * at least one of its requirements is in force: not younger or older than the kernel by its own
//   since/until.
// Where no configuration is known, no option stops a case.
[[nodiscard]] WhyLeft WhyCaseDoesNotRun(const ListedCase& listed, const Catalogue& catalogue,
                                        const Standings& standings, const KernelFacts& kernel);

// Says what is known of a case that failed: the erratum that explains it (MatchErratum), and where
// no configuration is known, the options that the case relies on and nobody could check.
void Explain(CaseResult& result, const Catalogue& catalogue, const KernelFacts& kernel);

}  // namespace kassay
