#include "harness/report/html/html.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>

#include "harness/compare/compare_text.h"
#include "harness/report/html/assets.h"
#include "harness/report/repeat_command.h"
#include "harness/result/json_identity.h"

namespace kassay {
namespace {

using Escape = std::pair<std::string_view, std::string_view>;

// For JSON text that stands in a script element.
constexpr std::array<Escape, 5> kInScript{{{"<", "\\u003c"},
                                           {">", "\\u003e"},
                                           {"&", "\\u0026"},
                                           {"\u2028", "\\u2028"},
                                           {"\u2029", "\\u2029"}}};
// For text that stands in an element or a quoted attribute.
constexpr std::array<Escape, 5> kInMarkup{
    {{"<", "&lt;"}, {">", "&gt;"}, {"&", "&amp;"}, {"\"", "&quot;"}, {"'", "&#39;"}}};

std::string Escaped(std::string_view text, std::span<const Escape> escapes) {
  std::string out;
  out.reserve(text.size() + text.size() / 64);
  while (!text.empty()) {
    const auto found = std::ranges::find_if(
        escapes, [&](const Escape& escape) { return text.starts_with(escape.first); });
    const bool plain = found == escapes.end();
    out += plain ? text.substr(0, 1) : found->second;
    text.remove_prefix(plain ? 1 : found->first.size());
  }
  return out;
}

// 'sha256-...' as a Content-Security-Policy names an inline style or script (CSP 3, 2.3.1).
std::string CspHash(std::string_view content) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(),  // NOLINT
         digest.data());
  std::array<unsigned char, 4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1> text{};
  EVP_EncodeBlock(text.data(), digest.data(), digest.size());
  return "'sha256-" + std::string(reinterpret_cast<const char*>(text.data())) + "'";  // NOLINT
}

// The page, its @NAME@ places filled in one pass: what is put in is never looked at again.
std::string Page(const std::string& title, const std::string& verdict, const std::string& data) {
  const std::map<std::string, std::string, std::less<>> values{
      {"CSP", "default-src 'none'; script-src " + CspHash(assets::kScript) + "; style-src " +
                  CspHash(assets::kStyle) + "; base-uri 'none'; form-action 'none'"},
      {"GENERATOR", "kassay " KASSAY_VERSION},
      {"TITLE", Escaped(title, kInMarkup)},
      {"VERDICT", Escaped(verdict, kInMarkup)},
      {"STYLE", std::string(assets::kStyle)},
      {"SCRIPT", std::string(assets::kScript)},
      {"DATA", data}};
  std::string out;
  std::string_view rest = assets::kPage;
  while (true) {
    const size_t begin = rest.find('@');
    const size_t end = begin == std::string_view::npos ? begin : rest.find('@', begin + 1);
    if (end == std::string_view::npos) break;
    const auto value = values.find(rest.substr(begin + 1, end - begin - 1));
    out += rest.substr(0, begin);
    if (value != values.end()) out += value->second;
    rest.remove_prefix(end + 1);
  }
  return out += rest;
}

Json RequirementJson(const RequirementText& requirement) {
  Json json = {{"id", requirement.id},
               {"suite", requirement.suite},
               {"feature", requirement.feature},
               {"text", requirement.text},
               {"source", requirement.source}};
  if (!requirement.untested.empty()) json["untested"] = requirement.untested;
  return json;
}

// Only what says something: most cases pass and have nothing to tell.
Json CaseJson(const RunResult& run, const CaseResult& result) {
  Json json = {{"suite", result.suite},
               {"case", result.case_name},
               {"profile", result.profile},
               {"verdict", ToString(result.verdict)},
               {"requirements", result.requirements},
               {"duration_ms", result.duration_ms},
               {"command", CommandThatRepeats(run, result)}};
  if (!result.reason.empty()) json["reason"] = result.reason;
  for (const Failure& failure : result.failures) json["failures"].push_back(JsonOf(failure));
  for (const Evidence& evidence : result.evidence) {
    json["evidence"].push_back(Json::array({evidence.key, evidence.value}));
  }
  for (const Measure& measure : result.measures) {
    json["measures"].push_back(Json::array({measure.name, measure.Text()}));
  }
  if (!result.kernel_log.empty()) json["kernel_log"] = result.kernel_log;
  if (!result.console.empty()) json["console"] = result.console;
  if (!result.waiver.empty()) json["waiver"] = result.waiver;
  if (result.erratum) json["erratum"] = JsonOf(*result.erratum);
  if (result.attempts != 1) {
    json["attempts"] = result.attempts;
    json["passes"] = result.passes;
  }
  return json;
}

// {"a":1,"list":[item,item],...}, escaped for a script element, where each item is escaped and
// forgotten before the next is made: a hundred thousand cases are never held as one tree.
class Document {
 public:
  // The fields of an object come first.
  explicit Document(const Json& fields) : out_(Escaped(DumpJson(fields), kInScript)) {
    out_.pop_back();
  }
  // Adds the object that `json`, the text of one, holds: its fields become the document's.
  void Splice(std::string_view json) {
    const size_t first = json.find('{');
    const size_t last = json.rfind('}');
    out_ += "," + Escaped(json.substr(first + 1, last - first - 1), kInScript);
  }
  template <typename List, typename WriteOne>
  void AddList(const char* name, const List& list, WriteOne write_one) {
    out_ += std::string(",\"") + name + "\":[";
    const char* separator = "\n";
    for (const auto& item : list) {
      out_ += std::exchange(separator, ",\n");
      out_ += Escaped(DumpJson(write_one(item)), kInScript);
    }
    out_ += "]";
  }
  [[nodiscard]] std::string Take() && { return std::move(out_) + "}"; }

 private:
  std::string out_;
};

// With what `json`, a comparison or a matrix, says.
std::string DataOf(const std::string& json, const HtmlContext& context) {
  Document document({{"kassay_version", KASSAY_VERSION}, {"findings", context.findings}});
  document.Splice(json);
  document.AddList("requirements", context.requirements, RequirementJson);
  return std::move(document).Take();
}

}  // namespace

std::string HtmlOfRun(const RunResult& run, const HtmlContext& context) {
  const std::string verdict =
      context.verdict.empty() ? std::string(ToString(OutcomeOf(run))) : context.verdict;
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
  document.AddList("features", run.features, JsonOf<FeatureResult>);
  document.AddList("requirements", context.requirements, RequirementJson);
  document.AddList("cases", run.cases,
                   [&](const CaseResult& result) { return CaseJson(run, result); });
  return Page(DisplayName(run.kernel) + ": " + verdict, verdict, std::move(document).Take());
}

std::string HtmlOfComparison(const Comparison& comparison, const HtmlContext& context) {
  return Page(DisplayName(comparison.before) + " against " + DisplayName(comparison.after),
              Summary(comparison), DataOf(ToJson(comparison), context));
}

std::string HtmlOfMatrix(const Matrix& matrix, const HtmlContext& context) {
  return Page(std::to_string(matrix.kernels.size()) + " kernels against features",
              "kernels against features", DataOf(ToJson(matrix), context));
}

}  // namespace kassay
