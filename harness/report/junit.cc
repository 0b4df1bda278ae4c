#include "harness/report/junit.h"

#include <fmt/format.h>

#include <map>
#include <pugixml.hpp>
#include <sstream>
#include <utility>
#include <vector>

#include "harness/report/printable.h"
#include "harness/report/repeat_command.h"

namespace kassay {
namespace {

std::string Seconds(std::int64_t milliseconds) {
  return fmt::format("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
}

void Set(pugi::xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name) = XmlText(value).c_str();
}

// For an element. Jenkins and GitLab take "[[ATTACHMENT|path]]" in a case's output for a file that
// they shall show; a guest names no files of theirs.
std::string ElementText(const std::string& text) {
  constexpr std::string_view kAttachment = "[[ATTACHMENT|";
  std::string out = XmlText(text);
  for (size_t at = out.find(kAttachment); at != std::string::npos; at = out.find(kAttachment, at))
    out[out.find('|', at)] = ':';
  return out;
}

void AddProperty(pugi::xml_node properties, const char* name, const std::string& value) {
  if (value.empty()) return;
  const pugi::xml_node property = properties.append_child("property");
  Set(property, "name", name);
  Set(property, "value", value);
}

std::string Details(const RunResult& run, const CaseResult& result) {
  // GitLab shows an element's text and not its message where it has both.
  std::string text = result.reason.empty() ? "" : result.reason + "\n";
  for (const Failure& failure : result.failures)
    text += fmt::format("{}:{}: {}\n", failure.file, failure.line, failure.message);
  if (result.erratum) {
    text += fmt::format(
        "known bug of {}: {} (fixed: {}; {})\n", result.erratum->id, result.erratum->text,
        result.erratum->fixed.empty() ? "not yet" : result.erratum->fixed, result.erratum->source);
  }
  for (const std::string& line : result.kernel_log) text += line + "\n";
  return text + "repeat: " + CommandThatRepeats(run, result) + "\n";
}

// The element that tells what came of a case; empty for a pass.
std::string ElementOf(const CaseResult& result) {
  if (result.verdict == Verdict::kPass) return "";
  const bool left = result.verdict == Verdict::kAbsent || result.verdict == Verdict::kUnmet;
  if (left || (IsNonconformant(result.verdict) && !result.waiver.empty())) return "skipped";
  return result.verdict == Verdict::kError ? "error" : "failure";
}

void AddVerdict(pugi::xml_node node, const RunResult& run, const CaseResult& result) {
  const std::string element = ElementOf(result);
  if (element.empty()) return;
  const std::string verdict(ToString(result.verdict));
  pugi::xml_node child = node.append_child(element.c_str());
  if (element == "skipped") {
    const std::string waived = result.waiver.empty() ? "" : ", waived by " + result.waiver;
    const std::string message = verdict + waived + ": " + result.reason;
    Set(child, "message", message);
    child.text().set(ElementText(message).c_str());
    return;
  }
  Set(child, "type", verdict);
  Set(child, "message", result.reason);
  child.text().set(ElementText(Details(run, result)).c_str());
}

// What a reader of a case would want beside its verdict, as names and values.
std::vector<std::pair<std::string, std::string>> FactsOf(const CaseResult& result) {
  std::vector<std::pair<std::string, std::string>> facts;
  for (const std::string& id : result.requirements) facts.emplace_back("requirement", id);
  if (result.erratum) facts.emplace_back("erratum", result.erratum->id);
  for (const Evidence& evidence : result.evidence)
    facts.emplace_back("evidence." + XmlText(evidence.key), evidence.value);
  for (const Measure& measure : result.measures)
    facts.emplace_back("measure." + XmlText(measure.name), measure.Text());
  return facts;
}

void AddCase(pugi::xml_node suite, const RunResult& run, const CaseResult& result,
             JUnitDetails details) {
  pugi::xml_node node = suite.append_child("testcase");
  const size_t dot = result.case_name.find('.');
  Set(node, "classname", result.suite + "." + result.case_name.substr(0, dot));
  Set(node, "name", dot == std::string::npos ? result.case_name : result.case_name.substr(dot + 1));
  Set(node, "time", Seconds(result.duration_ms));
  std::string out;
  if (details == JUnitDetails::kProperties) {
    pugi::xml_node properties = node.append_child("properties");
    for (const auto& [name, value] : FactsOf(result)) AddProperty(properties, name.c_str(), value);
  } else {
    for (const auto& [name, value] : FactsOf(result)) out += fmt::format("{}: {}\n", name, value);
  }
  out += result.console;
  AddVerdict(node, run, result);
  if (!out.empty()) node.append_child("system-out").text().set(ElementText(out).c_str());
}

// Skipped ones are an attribute of a test suite alone.
void SetCounts(pugi::xml_node node, const std::vector<const CaseResult*>& cases,
               bool with_skipped) {
  std::map<std::string, int> counts;
  std::int64_t milliseconds = 0;
  for (const CaseResult* result : cases) {
    ++counts[ElementOf(*result)];
    milliseconds += result->duration_ms;
  }
  Set(node, "tests", std::to_string(cases.size()));
  Set(node, "failures", std::to_string(counts["failure"]));
  Set(node, "errors", std::to_string(counts["error"]));
  if (with_skipped) Set(node, "skipped", std::to_string(counts["skipped"]));
  Set(node, "time", Seconds(milliseconds));
}

}  // namespace

std::string JUnitOf(const RunResult& run, JUnitDetails details) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  pugi::xml_node root = document.append_child("testsuites");
  Set(root, "name", "kassay " + NameOf(run.kernel));
  std::map<std::string, std::vector<const CaseResult*>> suites;
  std::vector<const CaseResult*> all;
  for (const CaseResult& result : run.cases) {
    suites[result.suite].push_back(&result);
    all.push_back(&result);
  }
  SetCounts(root, all, /*with_skipped=*/false);
  for (const auto& [name, cases] : suites) {
    pugi::xml_node suite = root.append_child("testsuite");
    Set(suite, "name", name);
    SetCounts(suite, cases, /*with_skipped=*/true);
    Set(suite, "timestamp", run.started_at);
    pugi::xml_node properties = suite.append_child("properties");
    AddProperty(properties, "kernel", NameOf(run.kernel));
    AddProperty(properties, "kernel.release", run.kernel.release);
    AddProperty(properties, "kernel.image_sha256", run.kernel.image_sha256);
    AddProperty(properties, "qemu", run.environment.qemu_version);
    AddProperty(properties, "accelerator", run.environment.accelerator);
    AddProperty(properties, "cpu", run.environment.CpuModel());
    for (const CaseResult* result : cases) AddCase(suite, run, *result, details);
  }
  std::ostringstream out;
  document.save(out, " ");
  return out.str();
}

}  // namespace kassay
