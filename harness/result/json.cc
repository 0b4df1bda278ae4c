// RunResult to JSON and back. The reader trusts nothing: wrong types, unknown verdicts and missing
// fields are errors that name their place.
#include "harness/base/text/json_reader.h"
#include "harness/result/json_identity.h"
#include "harness/result/run_result.h"

namespace kassay {
namespace {

Json Write(const CaseResult& result) {
  Json json = {{"suite", result.suite},
               {"case", result.case_name},
               {"profile", result.profile},
               {"verdict", ToString(result.verdict)},
               {"requirements", result.requirements},
               {"features", result.features},
               {"reason", result.reason},
               {"failures", Json::array()},
               {"evidence", Json::array()},
               {"kernel_log", result.kernel_log},
               {"console", result.console},
               {"erratum", nullptr},
               {"waiver", result.waiver},
               {"duration_ms", result.duration_ms},
               {"attempts", result.attempts},
               {"passes", result.passes}};
  for (const Failure& failure : result.failures) {
    json["failures"].push_back(
        {{"file", failure.file}, {"line", failure.line}, {"message", failure.message}});
  }
  for (const Evidence& evidence : result.evidence) {
    json["evidence"].push_back({{"key", evidence.key}, {"value", evidence.value}});
  }
  if (const auto& erratum = result.erratum) {
    json["erratum"] = {{"id", erratum->id},
                       {"fixed", erratum->fixed},
                       {"text", erratum->text},
                       {"source", erratum->source}};
  }
  return json;
}

Json Write(const FeatureResult& feature) {
  return {{"feature", feature.feature},
          {"suite", feature.suite},
          {"title", feature.title},
          {"since", feature.since},
          {"status", ToString(feature.status)},
          {"reason", feature.reason},
          {"probe", feature.probe}};
}

Failure ReadFailure(const Json& json, const std::string& place, std::string& problem) {
  Failure failure;
  JsonReader reader(json, place, problem);
  reader.Get("file", failure.file);
  reader.Get("line", failure.line);
  reader.Get("message", failure.message);
  return failure;
}

Evidence ReadEvidence(const Json& json, const std::string& place, std::string& problem) {
  Evidence evidence;
  JsonReader reader(json, place, problem);
  reader.Get("key", evidence.key);
  reader.Get("value", evidence.value);
  return evidence;
}

CaseResult ReadCase(const Json& json, const std::string& place, std::string& problem) {
  CaseResult result;
  JsonReader reader(json, place, problem);
  reader.Get("suite", result.suite);
  reader.Get("case", result.case_name);
  reader.Get("profile", result.profile);
  reader.GetEnum("verdict", result.verdict, VerdictFromString);
  reader.Get("requirements", result.requirements);
  reader.GetOptional("features", result.features);
  reader.Get("reason", result.reason);
  reader.GetList("failures", result.failures, ReadFailure);
  reader.GetList("evidence", result.evidence, ReadEvidence);
  reader.Get("kernel_log", result.kernel_log);
  reader.Get("console", result.console);
  reader.Get("waiver", result.waiver);
  reader.Get("duration_ms", result.duration_ms);
  reader.Get("attempts", result.attempts);
  reader.Get("passes", result.passes);
  if (const Json* field = reader.Find("erratum"); field != nullptr && !field->is_null()) {
    ErratumMatch erratum;
    JsonReader inner(*field, reader.PlaceOf("erratum"), problem);
    inner.Get("id", erratum.id);
    inner.Get("fixed", erratum.fixed);
    inner.Get("text", erratum.text);
    inner.Get("source", erratum.source);
    result.erratum = std::move(erratum);
  }
  return result;
}

FeatureResult ReadFeature(const Json& json, const std::string& place, std::string& problem) {
  FeatureResult feature;
  JsonReader reader(json, place, problem);
  reader.Get("feature", feature.feature);
  reader.Get("suite", feature.suite);
  reader.Get("title", feature.title);
  reader.Get("since", feature.since);
  reader.GetEnum("status", feature.status, FeatureStatusFromString);
  reader.Get("reason", feature.reason);
  reader.Get("probe", feature.probe);
  return feature;
}

}  // namespace

Json ToJsonObject(const KernelIdentity& kernel) {
  return {{"spec", kernel.spec},
          {"release", kernel.release},
          {"version", kernel.version},
          {"vendor", kernel.vendor},
          {"package", kernel.package},
          {"package_version", kernel.package_version},
          {"image_sha256", kernel.image_sha256},
          {"modules_sha256", kernel.modules_sha256},
          {"config_sha256", kernel.config_sha256}};
}

Json ToJsonObject(const Environment& environment) {
  return {{"kassay_version", environment.kassay_version},
          {"suite_sha256", environment.suite_sha256},
          {"qemu_version", environment.qemu_version},
          {"accelerator", environment.accelerator},
          {"boot", environment.boot},
          {"isolation", environment.isolation},
          {"command_lines", environment.command_lines}};
}

KernelIdentity ReadKernelIdentity(const Json& json, const std::string& place,
                                  std::string& problem) {
  KernelIdentity kernel;
  JsonReader reader(json, place, problem);
  reader.Get("spec", kernel.spec);
  reader.Get("release", kernel.release);
  reader.Get("version", kernel.version);
  reader.Get("vendor", kernel.vendor);
  reader.Get("package", kernel.package);
  reader.Get("package_version", kernel.package_version);
  reader.Get("image_sha256", kernel.image_sha256);
  reader.Get("modules_sha256", kernel.modules_sha256);
  reader.Get("config_sha256", kernel.config_sha256);
  return kernel;
}

Environment ReadEnvironment(const Json& json, const std::string& place, std::string& problem) {
  Environment environment;
  JsonReader reader(json, place, problem);
  reader.Get("kassay_version", environment.kassay_version);
  reader.Get("suite_sha256", environment.suite_sha256);
  reader.Get("qemu_version", environment.qemu_version);
  reader.Get("accelerator", environment.accelerator);
  reader.Get("boot", environment.boot);
  reader.Get("isolation", environment.isolation);
  reader.Get("command_lines", environment.command_lines);
  return environment;
}

std::string ToJson(const RunResult& run) {
  Json json = {{"format", kRunResultFormat},
               {"kernel", ToJsonObject(run.kernel)},
               {"environment", ToJsonObject(run.environment)},
               {"suites", run.suites},
               {"filter", run.filter},
               {"started_at", run.started_at},
               {"finished_at", run.finished_at},
               {"interrupted", run.interrupted},
               {"features", Json::array()},
               {"cases", Json::array()},
               {"notes", run.notes}};
  for (const FeatureResult& feature : run.features) json["features"].push_back(Write(feature));
  for (const CaseResult& result : run.cases) json["cases"].push_back(Write(result));
  return DumpJson(json, 1) + "\n";
}

Result<RunResult> RunResultFromJson(std::string_view text) {
  KASSAY_TRY(const Json json, ParseJson(text));
  RunResult run;
  std::string problem;
  int format = 0;
  JsonReader reader(json, "", problem);
  reader.Get("format", format);
  if (problem.empty() && (format < 1 || format > kRunResultFormat)) {
    return Fail("result format " + std::to_string(format) +
                    " is not known to this kassay (it reads up to " +
                    std::to_string(kRunResultFormat) + ")",
                ExitCode::kUsage);
  }
  if (const Json* field = reader.Find("kernel"))
    run.kernel = ReadKernelIdentity(*field, "/kernel", problem);
  if (const Json* field = reader.Find("environment")) {
    run.environment = ReadEnvironment(*field, "/environment", problem);
  }
  reader.Get("suites", run.suites);
  reader.Get("filter", run.filter);
  reader.Get("started_at", run.started_at);
  reader.Get("finished_at", run.finished_at);
  reader.Get("interrupted", run.interrupted);
  reader.GetList("features", run.features, ReadFeature);
  reader.GetList("cases", run.cases, ReadCase);
  reader.Get("notes", run.notes);
  if (!problem.empty()) return Fail("not a result file: " + problem, ExitCode::kUsage);
  return run;
}

std::string ToJsonLine(const CaseResult& result) { return DumpJson(Write(result), -1); }

Result<CaseResult> CaseResultFromJson(std::string_view text) {
  KASSAY_TRY(const Json json, ParseJson(text));
  std::string problem;
  CaseResult result = ReadCase(json, "", problem);
  if (!problem.empty()) return Fail("not a case result: " + problem, ExitCode::kUsage);
  return result;
}

}  // namespace kassay
