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

class CaseReader {
 public:
  explicit CaseReader(const std::string& case_name) : case_name_(case_name) {}

  void Read(const std::string& text) {
    std::string type;
    const Json json = ParseRecord(text, type, out_.problem);
    if (!out_.problem.empty()) return;
    JsonReader reader(json, type, out_.problem);
    std::string name;
    reader.Get("case", name);
    if (out_.problem.empty() && name != case_name_)
      out_.problem = fmt::format("a record of another case: '{}'", OneLine(name, 80));
    if (out_.problem.empty()) Take(type, json, reader);
  }

  CaseRecords Finish() && { return std::move(out_); }

 private:
  void Take(const std::string& type, const Json& json, JsonReader& reader) {
    if (type == "case_start") {
      if (++out_.starts > 1) out_.problem = "the case began twice";
    } else if (out_.starts == 0) {
      out_.problem = fmt::format("a record '{}' before the case began", OneLine(type, 40));
    } else if (out_.ends > 0) {
      out_.problem = fmt::format("a record '{}' after the case ended", OneLine(type, 40));
    } else if (type == "case_end") {
      ++out_.ends;
      reader.Get("passed", out_.passed);
    } else if (type == "failure") {
      out_.failures.push_back(ReadJson<Failure>(json, type, out_.problem));
    } else if (type == "evidence") {
      out_.evidence.push_back(ReadJson<Evidence>(json, type, out_.problem));
    } else if (type == "measure") {
      out_.measures.push_back(ReadJson<Measure>(json, type, out_.problem));
    } else if (type == "leave") {
      TakeLeave(reader);
    } else {
      out_.problem = fmt::format("a record of the unknown type '{}'", OneLine(type, 40));
    }
  }

  void TakeLeave(JsonReader& reader) {
    std::string verdict;
    reader.Get("verdict", verdict);
    reader.Get("reason", out_.left_reason);
    out_.left = VerdictFromString(verdict);
    if (out_.problem.empty() && out_.left != Verdict::kAbsent && out_.left != Verdict::kUnmet)
      out_.problem = fmt::format("a case left as '{}'", OneLine(verdict, 40));
    out_.left_reason = OneLine(out_.left_reason);
    if (out_.problem.empty() && out_.left_reason.empty())
      out_.problem = "a case left without a reason";
  }

  const std::string& case_name_;
  CaseRecords out_;
};

}  // namespace

CaseRecords ReadCaseRecords(const std::vector<std::string>& records, const std::string& case_name) {
  CaseReader reader(case_name);
  if (records.size() > kMaxRecordsPerCase) {
    CaseRecords out;
    out.problem = fmt::format("more than {} records", kMaxRecordsPerCase);
    return out;
  }
  for (const std::string& record : records) reader.Read(record);
  return std::move(reader).Finish();
}

ProbeRecords ReadProbeRecords(const std::vector<std::string>& records) {
  ProbeRecords out;
  if (records.size() > kMaxRecordsPerCase) {
    out.problem = fmt::format("more than {} records", kMaxRecordsPerCase);
    return out;
  }
  for (const std::string& record : records) {
    std::string type;
    const Json json = ParseRecord(record, type, out.problem);
    if (!out.problem.empty()) return out;
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
