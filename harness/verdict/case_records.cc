#include "harness/verdict/case_records.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/protocol/records.h"
#include "harness/result/json_identity.h"
#include "harness/verdict/complaint.h"

namespace kassay {
namespace {

// One record as JSON with its type; null and a problem if it is none.
Json ParseRecord(const std::string& text, std::string& type, std::string& problem) {
  if (text.size() > kMaxRecordBytes) {
    problem = fmt::format("a record of more than {} bytes", kMaxRecordBytes);
    return {};
  }
  auto json = ParseJson(text);
  if (!json) {
    problem = "a record that is not JSON: " + OneLine(text, 80);
    return {};
  }
  JsonReader(*json, "record", problem).Get("type", type);
  return problem.empty() ? *std::move(json) : Json();
}

void TakeLeave(JsonReader& reader, CaseRecords& out) {
  std::string verdict;
  reader.Get("verdict", verdict);
  reader.Get("reason", out.left_reason);
  out.left = VerdictFromString(verdict);
  if (out.problem.empty() && out.left != Verdict::kAbsent && out.left != Verdict::kUnmet)
    out.problem = fmt::format("a case left as '{}'", OneLine(verdict, 40));
  out.left_reason = OneLine(out.left_reason);
  reader.GetOptional("cause", out.left_cause);
  if (out.problem.empty() && !out.left_cause.empty() &&
      (out.left_cause != kCauseTrust || out.left != Verdict::kUnmet))
    out.problem = fmt::format("a case left for the cause '{}'", OneLine(out.left_cause, 40));
  if (out.problem.empty() && out.left_reason.empty()) out.problem = "a case left without a reason";
}

void TakeRecord(const std::string& text, const std::string& case_name, CaseRecords& out) {
  std::string type;
  const Json json = ParseRecord(text, type, out.problem);
  if (!out.problem.empty()) return;
  JsonReader reader(json, type, out.problem);
  std::string name;
  reader.Get("case", name);
  if (!out.problem.empty()) return;
  const std::string shown = OneLine(type, 40);
  if (name != case_name) {
    out.problem = fmt::format("a record of another case: '{}'", OneLine(name, 80));
  } else if (type == "case_start") {
    if (++out.starts > 1) out.problem = "the case began twice";
  } else if (out.starts == 0) {
    out.problem = fmt::format("a record '{}' before the case began", shown);
  } else if (out.ends > 0) {
    out.problem = fmt::format("a record '{}' after the case ended", shown);
  } else if (type == "case_end") {
    ++out.ends;
    reader.Get("passed", out.passed);
  } else if (type == "failure") {
    out.failures.push_back(ReadJson<Failure>(json, type, out.problem));
  } else if (type == "evidence") {
    out.evidence.push_back(ReadJson<Evidence>(json, type, out.problem));
  } else if (type == "measure") {
    out.measures.push_back(ReadJson<Measure>(json, type, out.problem));
  } else if (type == "leave") {
    TakeLeave(reader, out);
  } else {
    out.problem = fmt::format("a record of the unknown type '{}'", shown);
  }
}

// The bound on a case's and a probe's records; empty if they keep it.
std::string WhyTooMany(const std::vector<std::string>& records) {
  return records.size() <= kMaxRecordsPerCase
             ? ""
             : fmt::format("more than {} records", kMaxRecordsPerCase);
}

}  // namespace

CaseRecords ReadCaseRecords(const std::vector<std::string>& records, const std::string& case_name) {
  CaseRecords out;
  out.problem = WhyTooMany(records);
  for (const std::string& record : records) {
    if (!out.problem.empty()) break;
    TakeRecord(record, case_name, out);
  }
  return out;
}

ProbeRecords ReadProbeRecords(const std::vector<std::string>& records) {
  ProbeRecords out;
  out.problem = WhyTooMany(records);
  for (const std::string& record : records) {
    if (!out.problem.empty()) break;
    std::string type;
    const Json json = ParseRecord(record, type, out.problem);
    if (!out.problem.empty()) break;
    if (type != "feature") {
      out.problem = fmt::format("a record '{}' from a probe", OneLine(type, 40));
      return out;
    }
    ProbeRecord& feature = out.features.emplace_back();
    JsonReader reader(json, type, out.problem);
    reader.Get("feature", feature.feature);
    reader.Get("present", feature.present);
    reader.Get("detail", feature.detail);
    feature.detail = OneLine(feature.detail);
    if (std::ranges::count(out.features, feature.feature, &ProbeRecord::feature) > 1)
      out.problem = fmt::format("'{}' probed twice", OneLine(feature.feature, 80));
  }
  return out;
}

std::string OneLine(std::string_view text, std::size_t max_bytes) {
  const std::vector<std::string> lines = PlainLines(text.substr(0, max_bytes), max_bytes);
  return lines.empty() ? "" : lines.front();
}

}  // namespace kassay
