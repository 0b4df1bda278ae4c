// The text of a baseline: one feature and one case a line; read as untrusted input.
#include <algorithm>

#include "harness/compare/baseline.h"
#include "harness/result/json_identity.h"

namespace kassay {

static void Describe(JsonFields& fields, BaselineFeature& feature) {
  fields("feature", feature.feature);
  fields("suite", feature.suite);
  fields.Enum("status", feature.status, ToString, FeatureStatusFromString);
  fields.Optional("reason", feature.reason);
}

// Fields that say nothing are left out: most lines then are id, verdict, profile, requirements.
static void Describe(JsonFields& fields, BaselineCase& c) {
  std::optional<int> attempts;
  std::optional<int> passes;
  std::vector<std::vector<std::string>> evidence;
  if (c.attempts != 1) {
    attempts = c.attempts;
    passes = c.passes;
  }
  for (const Evidence& each : c.evidence) evidence.push_back({each.key, each.value});
  fields("case", c.id);
  fields.Enum("verdict", c.verdict, ToString, VerdictFromString);
  fields("profile", c.profile);
  fields("requirements", c.requirements);
  fields.Optional("reason", c.reason);
  fields.Optional("erratum", c.erratum);
  fields.Optional("fixed", c.erratum_fixed);
  fields.Optional("waiver", c.waiver);
  fields.Optional("attempts", attempts);
  fields.Optional("passes", passes);
  fields.Optional("evidence", evidence);
  if (!fields.IsReading()) return;
  c.attempts = attempts.value_or(1);
  c.passes = passes.value_or(c.verdict == Verdict::kPass ? 1 : 0);
  if (c.attempts < 1 || c.passes < 0 || c.passes > c.attempts)
    fields.Complain("passes", "is not between 0 and attempts");
  for (const std::vector<std::string>& pair : evidence) {
    if (pair.size() != 2) return fields.Complain("evidence", "is not of pairs of texts");
    c.evidence.push_back({pair[0], pair[1]});
  }
  if (c.id.find('.') == std::string::npos) fields.Complain("case", "is not SUITE.CASE");
}

namespace {

template <typename List>
void AppendLines(std::string& out, const char* name, const List& list) {
  out += std::string(" \"") + name + "\": [";
  const char* separator = "\n";
  for (const auto& item : list) {
    out += separator;
    out += "  " + DumpJson(JsonOf(item));
    separator = ",\n";
  }
  out += list.empty() ? "]" : "\n ]";
}

}  // namespace

// For reading alone: ToJson() writes the same, with its own lines.
static void Describe(JsonFields& fields, Baseline& baseline) {
  fields("kernel", baseline.kernel);
  fields("environment", baseline.environment);
  fields("suites", baseline.suites);
  fields("features", baseline.features);
  fields("cases", baseline.cases);
  if (baseline.cases.size() > kMaxBaselineCases) fields.Complain("cases", "is too long");
  for (size_t i = 1; i < baseline.cases.size(); ++i) {
    if (baseline.cases[i - 1].id >= baseline.cases[i].id)
      fields.Complain("cases", std::to_string(i) + " is out of order or there twice");
  }
}

std::string ToJson(const Baseline& baseline) {
  std::string out = "{\n \"kassay_baseline\": " + std::to_string(kBaselineFormat) + ",\n";
  out += " \"kernel\": " + DumpJson(JsonOf(baseline.kernel)) + ",\n";
  out += " \"environment\": " + DumpJson(JsonOf(baseline.environment)) + ",\n";
  out += " \"suites\": " + DumpJson(Json(baseline.suites)) + ",\n";
  AppendLines(out, "features", baseline.features);
  out += ",\n";
  AppendLines(out, "cases", baseline.cases);
  out += "\n}\n";
  return out;
}

Result<Baseline> BaselineFromJson(std::string_view text) {
  if (text.size() > kMaxBaselineBytes) return Fail("baseline is too large", ErrorKind::kUsage);
  KASSAY_TRY(const Json json, ParseJson(text));
  std::string problem;
  int format = 0;
  JsonReader(json, "", problem).Get("kassay_baseline", format);
  if (problem.empty() && (format < 1 || format > kBaselineFormat)) {
    return Fail("baseline format " + std::to_string(format) +
                    " is not known to this kassay (it reads up to " +
                    std::to_string(kBaselineFormat) + ")",
                ErrorKind::kUsage);
  }
  Baseline baseline = ReadJson<Baseline>(json, "", problem);
  if (!problem.empty()) return Fail("not a baseline: " + problem, ErrorKind::kUsage);
  return baseline;
}

}  // namespace kassay
