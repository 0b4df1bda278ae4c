// Each form of `kassay report` held to what its readers demand of it:
//
//   form              validator                                             kind
//   html              its data is JSON of every case; in Chromium: html_browser_test.cc
//   table             printable lines, the last counts every case           rules
//   junit             xmllint, results/schema/junit.xsd                     schema
//   junit-properties  xmllint, results/schema/junit-properties.xsd          schema
//   ktap              the kernel's document (testing/ktap_reader.h)         grammar
//   kcidb             valijson, results/schema/kcidb-5.3.schema.json        schema
//   github            a runner's reading of workflow commands               grammar
//   posture           cmark-gfm: one table, nothing but text in its cells   parser
//   gitlab            valijson, results/schema/gitlab-codequality.schema.json
//
// and each validator refuses what is wrong. The real consumers are asked by ci/validators.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <set>
#include <sstream>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "harness/base/file.h"
#include "harness/base/process/program.h"
#include "harness/cli/report_formats.h"
#include "harness/report/html/testing/sample_run.h"
#include "harness/report/printable.h"
#include "harness/report/testing/ktap_reader.h"
#include "harness/report/testing/worst_run.h"

namespace kassay::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What is wrong with a text, "" if nothing is.
using Check = std::string (*)(const std::string& text, const RunResult& run);

std::string Expect(const char* what, size_t seen, size_t wanted) {
  return seen == wanted ? "" : fmt::format("{}: {}, should be {}\n", what, seen, wanted);
}

// The run's findings and errors: what is shown beside code.
size_t Shown(const RunResult& run) {
  return static_cast<size_t>(std::ranges::count_if(run.cases, [](const CaseResult& result) {
    return IsNonconformant(result.verdict) || result.verdict == Verdict::kError;
  }));
}

std::string ByJsonSchema(const char* name, const std::string& text) {
  const json schema_json =
      json::parse(ReadFile(fs::path(KASSAY_SOURCE_DIR "/results/schema") / name).value());
  const json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return "not JSON";
  valijson::Schema schema;
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(schema_json), schema);
  valijson::Validator validator;
  valijson::ValidationResults results;
  validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(document), &results);
  std::string problems;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) problems += error.description + "\n";
  return problems;
}

// What a program makes of the text as a file, or how it refuses it.
Result<std::string> Read(std::vector<std::string> argv, const std::string& text) {
  const fs::path file = fs::path(::testing::TempDir()) / "report";
  KASSAY_CHECK(WriteFileAtomically(file, text));
  argv.push_back(file.string());
  KASSAY_TRY(const ProgramOutcome outcome,
             RunProgram({.argv = std::move(argv)}, {.time = std::chrono::seconds(60)}));
  if (outcome.ending.Succeeded()) return outcome.standard_output;
  return Fail(outcome.ending.Words() + ": " + outcome.standard_error.substr(0, 2000));
}

std::string ByXmlSchema(const char* name, const std::string& text, const RunResult& run) {
  const auto valid = Read({"xmllint", "--nonet", "--noout", "--schema",
                           std::string(KASSAY_SOURCE_DIR "/results/schema/") + name},
                          text);
  if (!valid) return valid.error().message;
  pugi::xml_document document;
  if (!document.load_string(text.c_str())) return "pugixml does not read it";
  Tally seen;
  for (const pugi::xpath_node& node : document.select_nodes("//testcase")) {
    if (node.node().child("failure") || node.node().child("error")) {
      ++seen.failed;
    } else {
      ++(node.node().child("skipped") ? seen.skipped : seen.ok);
    }
  }
  // JUnit knows no expected failure: what is waived is skipped.
  const Tally wanted = TallyOf(run.cases);
  const auto passes =
      static_cast<size_t>(std::ranges::count(run.cases, Verdict::kPass, &CaseResult::verdict));
  const pugi::xml_node root = document.child("testsuites");
  return Expect("passed", seen.ok, passes) + Expect("failed", seen.failed, wanted.failed) +
         Expect("skipped", seen.skipped, wanted.skipped + wanted.ok - passes) +
         Expect("tests", root.attribute("tests").as_uint(), run.cases.size()) +
         Expect("failures and errors",
                root.attribute("failures").as_uint() + root.attribute("errors").as_uint(),
                wanted.failed);
}

std::string JUnit(const std::string& text, const RunResult& run) {
  return ByXmlSchema("junit.xsd", text, run);
}
std::string JUnitProperties(const std::string& text, const RunResult& run) {
  return ByXmlSchema("junit-properties.xsd", text, run);
}

std::string Ktap(const std::string& text, const RunResult& run) {
  const KtapReader reader(text);
  const Tally wanted = TallyOf(run.cases);
  std::string problems;
  for (const std::string& problem : reader.problems) problems += problem + "\n";
  return problems + Expect("ok", reader.ok, wanted.ok) +
         Expect("not ok", reader.not_ok, wanted.failed) +
         Expect("skipped", reader.skipped, wanted.skipped) +
         Expect("told as ok", reader.told_ok, wanted.ok) +
         Expect("told as not ok", reader.told_not_ok, wanted.failed) +
         Expect("told as skipped", reader.told_skipped, wanted.skipped);
}

std::string Kcidb(const std::string& text, const RunResult& run) {
  std::string problems = ByJsonSchema("kcidb-5.3.schema.json", text);
  if (!problems.empty()) return problems;
  if (text.find("\\u0000") != std::string::npos) problems = "a zero character: jsonb has none\n";
  return problems + Expect("tests", json::parse(text)["tests"].size(), run.cases.size());
}

std::string GitLab(const std::string& text, const RunResult& run) {
  const std::string problems = ByJsonSchema("gitlab-codequality.schema.json", text);
  if (!problems.empty()) return problems;
  const json list = json::parse(text);
  std::set<std::string> fingerprints;
  for (const json& finding : list) fingerprints.insert(finding["fingerprint"]);
  return Expect("findings", list.size(), Shown(run)) +
         Expect("fingerprints", fingerprints.size(), Shown(run));
}

// As a runner reads a log: a line is a command if it begins with "::", name and properties end at
// the next "::", values are escaped.
std::string GitHub(const std::string& text, const RunResult& run) {
  static const std::regex command("::(error|warning) ([^:]*)::.*");
  static const std::regex property("(file|line|title)=([^,:%]|%25|%0D|%0A|%3A|%2C)+");
  std::istringstream in(text);
  std::string problems;
  size_t count = 0;
  for (std::string line; std::getline(in, line); ++count) {
    const std::string head = line.substr(0, line.find("::", 2) + 2);  // std::regex hates long lines
    std::smatch match;
    if (!std::regex_match(head, match, command) || line.find('\r') != std::string::npos) {
      problems += "no command: " + line.substr(0, 200) + "\n";
      continue;
    }
    std::istringstream properties(match[2].str());
    for (std::string part; std::getline(properties, part, ',');) {
      if (!std::regex_match(part, property)) problems += "no property: " + part + "\n";
      if (part.starts_with("line=") && std::stoi(part.substr(5)) < 1)
        problems += "no line of a file: " + part + "\n";
    }
  }
  return problems + Expect("commands", count, Shown(run));
}

std::string Posture(const std::string& text, const RunResult& run) {
  const auto read = Read({"cmark-gfm", "--extension", "table", "--to", "xml"}, text);
  if (!read) return read.error().message;
  pugi::xml_document document;
  if (!document.load_string(read->c_str())) return "cmark-gfm wrote no XML";
  const auto count = [&](const char* path) { return document.select_nodes(path).size(); };
  const auto options =
      static_cast<size_t>(std::ranges::count_if(run.cases, [](const CaseResult& result) {
        return std::ranges::count(result.evidence, "posture.option", &Evidence::key) > 0;
      }));
  return Expect("tables", count("//table"), 1) + Expect("rows", count("//table_row"), options) +
         Expect("cells", count("//table_cell"), 5 * (options + 1)) +
         Expect("other than text in cells", count("//table_cell/*[not(self::text)]"), 0);
}

std::string Table(const std::string& text, const RunResult& run) {
  std::string problems;
  std::istringstream in(text);
  std::string last;
  for (std::string line; std::getline(in, line); last = line) {
    if (PrintableLine(line, line.size()) != line) problems += "not printable: " + line + "\n";
  }
  if (last.find(fmt::format(": {} cases: ", run.cases.size())) == std::string::npos)
    problems += "the last line does not count the cases: " + last + "\n";
  return problems;
}

std::string Html(const std::string& text, const RunResult& run) {
  constexpr std::string_view kOpen = "<script type=\"application/json\" id=\"kassay-data\">";
  const size_t begin = text.find(kOpen);
  const size_t end = text.find("</script>", begin);
  if (begin == std::string::npos || end == std::string::npos) return "no data in the page";
  const json data =
      json::parse(text.substr(begin + kOpen.size(), end - begin - kOpen.size()), nullptr, false);
  if (data.is_discarded()) return "the page's data is no JSON";
  return Expect("cases in the page", data["cases"].size(), run.cases.size());
}

struct Validator {
  const char* format;
  Check check;
  const char* program;  // what it takes, and its package; null: nothing
  const char* package;
  // A change of the text that must be refused: the first of these words becomes the other.
  const char* word;
  const char* other;
};

const std::vector<Validator> kValidators{
    {"html", Html, nullptr, nullptr, "\"cases\":[", "\"cases\":[{},"},
    {"table", Table, nullptr, nullptr, " cases: ", " cases\x1b[2J: "},
    {"junit", JUnit, "xmllint", "libxml2-utils", "<testcase ", "<testcase file=\"x\" "},
    {"junit-properties", JUnitProperties, "xmllint", "libxml2-utils", "<property ", "<properti "},
    {"ktap", Ktap, nullptr, nullptr, "  not ok 2 ", "  not ok 3 "},
    {"kcidb", Kcidb, nullptr, nullptr, "\"FAIL\"", "\"FAILED\""},
    {"github", GitHub, nullptr, nullptr, "::warning ", "::warning\n::warning "},
    {"posture", Posture, "cmark-gfm", "cmark-gfm", "| yes ", "| <b> "},
    {"gitlab", GitLab, nullptr, nullptr, "\"minor\"", "\"fatal\""},
};

std::string Written(const char* format, const RunResult& run) {
  const auto found = FindReportFormat(format);
  const auto text = found ? (*found)->write(run, {}) : Result<std::string>(Fail("no such form"));
  EXPECT_TRUE(text) << text.error().message;
  return text.value_or("");
}

// Something of everything, as a run leaves it.
RunResult PlainRun() {
  RunResult run = SampleRun();
  run.cases.push_back(SampleCase("posture", "Option.A", "HRD-100", Verdict::kPass));
  run.cases.back().evidence = {{"posture.option", "CONFIG_A"},
                               {"posture.configured", "on"},
                               {"posture.running", "on"},
                               {"posture.why", "it matters"}};
  return run;
}

class Formats : public ::testing::TestWithParam<Validator> {
 protected:
  void SetUp() override {
    if (GetParam().program == nullptr) return;
    if (!RunProgram({.argv = {GetParam().program, "--version"}}))
      GTEST_SKIP() << "no " << GetParam().program << " here: apt-get install "
                   << GetParam().package;
  }
};

TEST_P(Formats, APlainRunIsValid) {
  const RunResult run = PlainRun();
  EXPECT_EQ(GetParam().check(Written(GetParam().format, run), run), "");
}

TEST_P(Formats, TheWorstRunIsValid) {
  const RunResult run = WorstRun(2);
  EXPECT_EQ(GetParam().check(Written(GetParam().format, run), run), "");
}

TEST_P(Formats, AWrongDocumentIsRefused) {
  const RunResult run = PlainRun();
  std::string text = Written(GetParam().format, run);
  const size_t at = text.rfind(GetParam().word);
  ASSERT_NE(at, std::string::npos) << "nothing to change in:\n" << text;
  text.replace(at, std::string_view(GetParam().word).size(), GetParam().other);
  EXPECT_NE(GetParam().check(text, run), "");
}

INSTANTIATE_TEST_SUITE_P(Report, Formats, ::testing::ValuesIn(kValidators), [](const auto& param) {
  std::string name = param.param.format;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(ReportFormats, EachHasAValidator) {
  std::vector<std::string> formats;
  for (const ReportFormat& format : ReportFormats()) formats.emplace_back(format.name);
  std::vector<std::string> validated;
  for (const Validator& validator : kValidators) validated.emplace_back(validator.format);
  EXPECT_EQ(formats, validated) << "a form without a validator, or the other way round";
}

TEST(ReportFormats, AnotherNameIsRefused) { EXPECT_FALSE(FindReportFormat("xunit")); }

}  // namespace
}  // namespace kassay::cli
