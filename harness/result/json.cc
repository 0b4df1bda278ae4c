// RunResult to JSON and back. Reading trusts nothing: wrong types, unknown verdicts and missing
// fields are errors that name their place.
#include "harness/base/file.h"
#include "harness/base/text/json_fields.h"
#include "harness/result/json_identity.h"
#include "harness/result/run_result.h"

namespace kassay {

void Describe(JsonFields& fields, KernelIdentity& kernel) {
  fields("spec", kernel.spec);
  fields("release", kernel.release);
  fields("version", kernel.version);
  fields("vendor", kernel.vendor);
  fields("package", kernel.package);
  fields("package_version", kernel.package_version);
  // Results are older than a second architecture.
  if (fields.IsReading() || kernel.architecture != KernelIdentity().architecture)
    fields.Optional("architecture", kernel.architecture);
  fields("image_sha256", kernel.image_sha256);
  fields("modules_sha256", kernel.modules_sha256);
  fields("config_sha256", kernel.config_sha256);
}

static void Describe(JsonFields& fields, Enrolled& enrolled) {
  fields("variable", enrolled.variable);
  fields("what", enrolled.what);
  fields("sha256", enrolled.sha256);
}

void Describe(JsonFields& fields, Firmware& firmware) {
  fields.Optional("profile", firmware.profile);
  fields("file", firmware.file);
  fields("sha256", firmware.sha256);
  fields("secure_boot", firmware.secure_boot);
  fields("enrolled", firmware.enrolled);
}

void Describe(JsonFields& fields, Environment& environment) {
  fields("kassay_version", environment.kassay_version);
  fields.Optional("suites_sha256", environment.suites_sha256);
  fields("qemu_version", environment.qemu_version);
  fields("accelerator", environment.accelerator);
  fields.Optional("cpu", environment.cpu);
  fields("boot", environment.boot);
  fields("isolation", environment.isolation);
  fields("command_lines", environment.command_lines);
  fields.Optional("firmware", environment.firmware);
}

void Describe(JsonFields& fields, Failure& failure) {
  fields("file", failure.file);
  fields("line", failure.line);
  fields("message", failure.message);
}

void Describe(JsonFields& fields, Evidence& evidence) {
  fields("key", evidence.key);
  fields("value", evidence.value);
}

void Describe(JsonFields& fields, Measure& measure) {
  fields("name", measure.name);
  fields("value", measure.value);
  fields.Optional("unit", measure.unit);
}

void Describe(JsonFields& fields, ErratumMatch& erratum) {
  fields("id", erratum.id);
  fields("fixed", erratum.fixed);
  fields("text", erratum.text);
  fields("source", erratum.source);
}

static void Describe(JsonFields& fields, CaseResult& result) {
  fields("suite", result.suite);
  fields("case", result.case_name);
  fields("profile", result.profile);
  fields.Enum("verdict", result.verdict, ToString, VerdictFromString);
  fields("requirements", result.requirements);
  fields("features", result.features);
  fields("reason", result.reason);
  fields.Optional("cause", result.cause);
  fields("failures", result.failures);
  fields("evidence", result.evidence);
  fields.Optional("measures", result.measures);
  fields("kernel_log", result.kernel_log);
  fields("console", result.console);
  fields("erratum", result.erratum);
  fields("waiver", result.waiver);
  fields("duration_ms", result.duration_ms);
  fields("attempts", result.attempts);
  fields("passes", result.passes);
}

void Describe(JsonFields& fields, FeatureResult& feature) {
  fields("feature", feature.feature);
  fields("suite", feature.suite);
  fields("title", feature.title);
  fields("since", feature.since);
  fields.Enum("status", feature.status, ToString, FeatureStatusFromString);
  fields("reason", feature.reason);
  fields("probe", feature.probe);
}

static void Describe(JsonFields& fields, RunResult& run) {
  fields.Constant("format", kRunResultFormat);
  fields("kernel", run.kernel);
  fields("environment", run.environment);
  fields.Optional("asked", run.asked);
  fields("suites", run.suites);
  fields("filter", run.filter);
  fields("started_at", run.started_at);
  fields("finished_at", run.finished_at);
  fields("interrupted", run.interrupted);
  fields("features", run.features);
  fields("cases", run.cases);
  fields("notes", run.notes);
}

std::string ToJson(const RunResult& run) { return DumpJson(JsonOf(run), 1) + "\n"; }

Result<RunResult> RunResultFromJson(std::string_view text) {
  KASSAY_TRY(const Json json, ParseJson(text));
  std::string problem;
  int format = 0;
  JsonReader(json, "", problem).Get("format", format);
  if (problem.empty() && format != kRunResultFormat) {
    return Fail("result format " + std::to_string(format) +
                    " is not known to this kassay (it reads " + std::to_string(kRunResultFormat) +
                    ")",
                ErrorKind::kUsage);
  }
  RunResult run = ReadJson<RunResult>(json, "", problem);
  if (!problem.empty()) return Fail("not a result file: " + problem, ErrorKind::kUsage);
  return run;
}

Result<RunResult> LoadRunResult(const std::filesystem::path& result) {
  std::error_code ignored;
  const auto file =
      std::filesystem::is_directory(result, ignored) ? result / "results.json" : result;
  KASSAY_TRY(const std::string text, ReadFile(file));
  auto run = RunResultFromJson(text);
  if (!run) return Fail(run.error().Within(file.string()));
  return run;
}

}  // namespace kassay
