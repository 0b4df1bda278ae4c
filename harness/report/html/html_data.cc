#include "harness/report/html/html_data.h"

#include "harness/compare/compare_text.h"
#include "harness/report/repeat_command.h"
#include "harness/result/json_identity.h"

namespace kassay {
namespace {

Json Write(const RequirementText& requirement) {
  Json json = {{"id", requirement.id},
               {"suite", requirement.suite},
               {"feature", requirement.feature},
               {"text", requirement.text},
               {"source", requirement.source}};
  if (!requirement.untested.empty()) json["untested"] = requirement.untested;
  return json;
}

Json Write(const FeatureResult& feature) {
  return {{"feature", feature.feature}, {"suite", feature.suite},
          {"title", feature.title},     {"since", feature.since},
          {"reason", feature.reason},   {"status", ToString(feature.status)},
          {"probe", feature.probe}};
}

// Only what says something: most cases pass and have nothing to tell.
Json Write(const RunResult& run, const CaseResult& result) {
  Json json = {{"suite", result.suite},
               {"case", result.case_name},
               {"profile", result.profile},
               {"verdict", ToString(result.verdict)},
               {"requirements", result.requirements},
               {"duration_ms", result.duration_ms},
               {"command", CommandThatRepeats(run, result)}};
  if (!result.reason.empty()) json["reason"] = result.reason;
  for (const Failure& failure : result.failures) {
    json["failures"].push_back(
        {{"file", failure.file}, {"line", failure.line}, {"message", failure.message}});
  }
  for (const Evidence& evidence : result.evidence) {
    json["evidence"].push_back(Json::array({evidence.key, evidence.value}));
  }
  for (const Measure& measure : result.measures) {
    json["measures"].push_back(Json::array({measure.name, measure.Text()}));
  }
  if (!result.kernel_log.empty()) json["kernel_log"] = result.kernel_log;
  if (!result.console.empty()) json["console"] = result.console;
  if (!result.waiver.empty()) json["waiver"] = result.waiver;
  if (const auto& erratum = result.erratum) {
    json["erratum"] = {{"id", erratum->id},
                       {"fixed", erratum->fixed},
                       {"text", erratum->text},
                       {"source", erratum->source}};
  }
  if (result.attempts != 1) {
    json["attempts"] = result.attempts;
    json["passes"] = result.passes;
  }
  return json;
}

// {"a":1,"list":[item,item],...} where each item is escaped and forgotten before the next is made.
class Document {
 public:
  // The fields of an object come first.
  explicit Document(const Json& fields) {
    out_ = EscapeForScript(DumpJson(fields));
    out_.pop_back();
  }
  // Adds the object that `json`, the text of one, holds: its fields become the document's.
  void Splice(std::string_view json) {
    const size_t first = json.find('{');
    const size_t last = json.rfind('}');
    out_ += "," + EscapeForScript(json.substr(first + 1, last - first - 1));
  }
  template <typename List, typename WriteOne>
  void AddList(const char* name, const List& list, WriteOne write_one) {
    out_ += std::string(",\"") + name + "\":[";
    const char* separator = "\n";
    for (const auto& item : list) {
      out_ += separator;
      out_ += EscapeForScript(DumpJson(write_one(item)));
      separator = ",\n";
    }
    out_ += "]";
  }
  [[nodiscard]] std::string Take() && { return std::move(out_) + "}"; }

 private:
  std::string out_;
};

Json WriteText(const RequirementText& requirement) { return Write(requirement); }

}  // namespace

std::string DataOfRun(const RunResult& run, const HtmlContext& context,
                      const std::string& verdict) {
  Document document({{"kind", "run"},
                     {"kassay_version", run.environment.kassay_version},
                     {"verdict", verdict},
                     {"kernel", JsonOf(run.kernel)},
                     {"environment", JsonOf(run.environment)},
                     {"suites", run.suites},
                     {"filter", run.filter},
                     {"started_at", run.started_at},
                     {"finished_at", run.finished_at},
                     {"notes", run.notes},
                     {"findings", context.findings}});
  document.AddList("features", run.features,
                   [](const FeatureResult& feature) { return Write(feature); });
  document.AddList("requirements", context.requirements, WriteText);
  document.AddList("cases", run.cases,
                   [&](const CaseResult& result) { return Write(run, result); });
  return std::move(document).Take();
}

std::string DataOfComparison(const Comparison& comparison, const HtmlContext& context) {
  Document document({{"kassay_version", KASSAY_VERSION}, {"findings", context.findings}});
  document.Splice(ToJson(comparison));
  document.AddList("requirements", context.requirements, WriteText);
  return std::move(document).Take();
}

std::string DataOfMatrix(const Matrix& matrix, const HtmlContext& context) {
  Document document({{"kassay_version", KASSAY_VERSION}, {"findings", context.findings}});
  document.Splice(ToJson(matrix));
  document.AddList("requirements", context.requirements, WriteText);
  return std::move(document).Take();
}

}  // namespace kassay
