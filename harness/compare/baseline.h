// What of a run is worth comparing: verdicts, reasons, stable evidence, the state of the features,
// and under which conditions they were found. The file is small, in a stable order, one case a
// line, and holds no times, no logs and nothing of the machine, so that two recordings of the same
// kernel are the same bytes and a diff of two is readable.
#pragma once

#include <filesystem>
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

// `fresh`, and of `recorded` the suites that `fresh` does not have: one suite can be recorded anew
// without the others. Both must be of one kernel image and found under the same conditions, command
// lines included (else a usage error). The suites' digest is then one over both.
[[nodiscard]] Result<Baseline> Complemented(Baseline fresh, const Baseline& recorded);

[[nodiscard]] std::string ToJson(const Baseline& baseline);
[[nodiscard]] Result<Baseline> BaselineFromJson(std::string_view json);

// Reads a baseline or a run's results.json, whichever the file is.
[[nodiscard]] Result<Baseline> LoadBaseline(const std::filesystem::path& file);

// "debian-7.0.13-1~bpo13+1.json"; a kernel without package is named by its release and image hash,
// the reference kernel by its release: "reference-7.0.13-kassay.json".
[[nodiscard]] std::string BaselineFileName(const KernelIdentity& kernel);

// The recorded baseline for a kernel in `folder`: by package version or image hash when they are
// given, else by spec or release as the user wrote it. Usage error when there is none.
[[nodiscard]] Result<std::filesystem::path> FindBaseline(const std::filesystem::path& folder,
                                                         const KernelIdentity& kernel);

}  // namespace kassay
