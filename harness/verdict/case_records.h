// What a suite said while it ran one case. The records come from the guest and are not trusted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/result/run_result.h"

namespace kassay {

struct CaseRecords {
  int starts = 0;
  int ends = 0;
  bool passed = false;  // what case_end said
  std::vector<Failure> failures;
  std::vector<Evidence> evidence;
  std::vector<Measure> measures;
  std::optional<Verdict> left;  // kAbsent or kUnmet
  std::string left_reason;
  std::string left_cause;  // kCauseTrust or empty
  std::string problem;     // the first breach of the protocol, for a person; empty if there is none
};

// `case_name` is the one case that these records may be about.
[[nodiscard]] CaseRecords ReadCaseRecords(const std::vector<std::string>& records,
                                          const std::string& case_name);

struct ProbeRecord {
  std::string feature;
  bool present = false;
  std::string detail;
};

struct ProbeRecords {
  std::vector<ProbeRecord> features;
  std::string problem;
};

[[nodiscard]] ProbeRecords ReadProbeRecords(const std::vector<std::string>& records);

// The first line of a text, without control characters, cut to `max_bytes`: fit for a reason.
[[nodiscard]] std::string OneLine(std::string_view text, std::size_t max_bytes = 300);

}  // namespace kassay
