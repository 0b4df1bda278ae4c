// What of a run is worth comparing: verdicts, reasons, evidence, the state of the features, and
// under which conditions they were found. The text is small, in a stable order, one case a line,
// and holds no times, no measures, no logs and nothing of the machine, so that two recordings of
// the same kernel are the same bytes and a diff of two is readable. baseline_files.h says where it
// is kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/result/run_result.h"

namespace kassay {

inline constexpr int kBaselineFormat = 1;
// Bounds of the reader.
inline constexpr size_t kMaxBaselineBytes = size_t{64} << 20;
inline constexpr size_t kMaxBaselineCases = 200'000;

struct BaselineCase {
  std::string id;  // "io_uring.TaskFilter.IsInheritedOverFork"
  std::string profile;
  std::vector<std::string> requirements;  // sorted
  Verdict verdict = Verdict::kError;
  std::string reason;
  std::string erratum;             // requirement id of the known bug, empty without
  std::string erratum_fixed;       // first release without it
  std::string waiver;              // id of the waiver that acts
  std::vector<Evidence> evidence;  // long values as a digest; no measures
  int attempts = 1;
  int passes = 0;

  // The part of the id before the first dot.
  [[nodiscard]] std::string Suite() const { return id.substr(0, id.find('.')); }
  friend bool operator==(const BaselineCase&, const BaselineCase&) = default;
};

struct BaselineFeature {
  std::string feature;
  std::string suite;
  FeatureStatus status = FeatureStatus::kUntested;
  std::string reason;
  friend bool operator==(const BaselineFeature&, const BaselineFeature&) = default;
};

struct Baseline {
  KernelIdentity kernel;
  Environment environment;
  std::vector<std::string> suites;
  std::string filter;        // empty for a baseline; a run that is compared may have one
  bool interrupted = false;  // never in a file
  std::vector<BaselineFeature> features;  // sorted by suite and feature
  std::vector<BaselineCase> cases;        // sorted by id, unique
};

// The comparable part of a run; the path of a local kernel is left out of the identity.
[[nodiscard]] Baseline BaselineOf(const RunResult& run);

// A baseline can be recorded from this run: complete, unfiltered, no harness errors. The error says
// what is in the way.
[[nodiscard]] Status CheckRecordable(const RunResult& run);

// One baseline a suite, with what of the conditions is its own: the digest of its executable and
// the command lines of its profiles. Nothing of QEMU for a suite that needed no machine.
[[nodiscard]] std::vector<Baseline> BySuite(const Baseline& baseline);

// The opposite: what several suites say about one kernel. Conditions in which they differ stand
// there both ("7.2.22 / 10.0.2"), so that a comparison shows the difference. Needs one part at
// least and no suite twice.
[[nodiscard]] Baseline Joined(std::vector<Baseline> parts);

// `fresh` can stand beside a suite that was recorded before: one kernel image, accelerator, CPU
// model, way to boot, isolation and command line a profile; versions of kassay and QEMU may differ.
// Else a usage error that names what is not the same.
[[nodiscard]] Status CheckBeside(const Baseline& fresh, const Baseline& recorded);

[[nodiscard]] std::string ToJson(const Baseline& baseline);
[[nodiscard]] Result<Baseline> BaselineFromJson(std::string_view json);

}  // namespace kassay
