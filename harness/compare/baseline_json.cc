// The file of a baseline. Written with one feature and one case a line; read as untrusted input.
#include <algorithm>

#include "harness/compare/baseline.h"
#include "harness/result/json_identity.h"

namespace kassay {
namespace {

Json Write(const BaselineFeature& feature) {
  Json json = {
      {"feature", feature.feature}, {"suite", feature.suite}, {"status", ToString(feature.status)}};
  if (!feature.reason.empty()) json["reason"] = feature.reason;
  return json;
}

// Fields that say nothing are left out: most lines then are id, profile, requirements, verdict.
Json Write(const BaselineCase& c) {
  Json json = {{"case", c.id},
               {"verdict", ToString(c.verdict)},
               {"profile", c.profile},
               {"requirements", c.requirements}};
  if (!c.reason.empty()) json["reason"] = c.reason;
  if (!c.erratum.empty()) json["erratum"] = c.erratum;
  if (!c.erratum_fixed.empty()) json["fixed"] = c.erratum_fixed;
  if (!c.waiver.empty()) json["waiver"] = c.waiver;
  if (c.attempts != 1) {
    json["attempts"] = c.attempts;
    json["passes"] = c.passes;
  }
  if (!c.evidence.empty()) {
    Json& list = json["evidence"] = Json::array();
    for (const Evidence& evidence : c.evidence) {
      list.push_back(Json::array({evidence.key, evidence.value}));
    }
  }
  return json;
}

BaselineFeature ReadFeature(const Json& json, const std::string& place, std::string& problem) {
  BaselineFeature feature;
  JsonReader reader(json, place, problem);
  reader.Get("feature", feature.feature);
  reader.Get("suite", feature.suite);
  reader.GetEnum("status", feature.status, FeatureStatusFromString);
  reader.GetOptional("reason", feature.reason);
  return feature;
}

Evidence ReadEvidence(const Json& json, const std::string& place, std::string& problem) {
  if (!json.is_array() || json.size() != 2 || !json[0].is_string() || !json[1].is_string()) {
    if (problem.empty()) problem = place + " is not a pair of texts";
    return {};
  }
  return {json[0].get<std::string>(), json[1].get<std::string>()};
}

BaselineCase ReadCase(const Json& json, const std::string& place, std::string& problem) {
  BaselineCase c;
  JsonReader reader(json, place, problem);
  reader.Get("case", c.id);
  reader.GetEnum("verdict", c.verdict, VerdictFromString);
  reader.Get("profile", c.profile);
  reader.Get("requirements", c.requirements);
  reader.GetOptional("reason", c.reason);
  reader.GetOptional("erratum", c.erratum);
  reader.GetOptional("fixed", c.erratum_fixed);
  reader.GetOptional("waiver", c.waiver);
  c.passes = c.verdict == Verdict::kPass ? 1 : 0;
  reader.GetOptional("attempts", c.attempts);
  reader.GetOptional("passes", c.passes);
  if (reader.Has("evidence")) reader.GetList("evidence", c.evidence, ReadEvidence);
  if (c.attempts < 1 || c.passes < 0 || c.passes > c.attempts) {
    reader.Complain("passes", "is not between 0 and attempts");
  }
  if (c.id.find('.') == std::string::npos) reader.Complain("case", "is not SUITE.CASE");
  return c;
}

template <typename List>
void AppendLines(std::string& out, const char* name, const List& list) {
  out += std::string(" \"") + name + "\": [";
  const char* separator = "\n";
  for (const auto& item : list) {
    out += separator;
    out += "  " + DumpJson(Write(item));
    separator = ",\n";
  }
  out += list.empty() ? "]" : "\n ]";
}

void CheckCases(const Baseline& baseline, JsonReader& reader) {
  if (baseline.cases.size() > kMaxBaselineCases) reader.Complain("cases", "is too long");
  for (size_t i = 1; i < baseline.cases.size(); ++i) {
    if (baseline.cases[i - 1].id >= baseline.cases[i].id) {
      reader.Complain("cases/" + std::to_string(i), "is out of order or there twice");
    }
  }
}

}  // namespace

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
  if (text.size() > kMaxBaselineBytes) return Fail("baseline is too large", ExitCode::kUsage);
  KASSAY_TRY(const Json json, ParseJson(text));
  Baseline baseline;
  std::string problem;
  int format = 0;
  JsonReader reader(json, "", problem);
  reader.Get("kassay_baseline", format);
  if (problem.empty() && (format < 1 || format > kBaselineFormat)) {
    return Fail("baseline format " + std::to_string(format) +
                    " is not known to this kassay (it reads up to " +
                    std::to_string(kBaselineFormat) + ")",
                ExitCode::kUsage);
  }
  if (const Json* field = reader.Find("kernel"))
    baseline.kernel = ReadJson<KernelIdentity>(*field, "/kernel", problem);
  if (const Json* field = reader.Find("environment")) {
    baseline.environment = ReadJson<Environment>(*field, "/environment", problem);
  }
  reader.Get("suites", baseline.suites);
  reader.GetList("features", baseline.features, ReadFeature);
  reader.GetList("cases", baseline.cases, ReadCase);
  CheckCases(baseline, reader);
  if (!problem.empty()) return Fail("not a baseline: " + problem, ExitCode::kUsage);
  return baseline;
}

}  // namespace kassay
