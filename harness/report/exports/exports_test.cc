#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "harness/base/file.h"
#include "harness/report/exports/annotations.h"
#include "harness/report/exports/kcidb.h"

namespace kassay {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

CaseResult Case(const std::string& name, Verdict verdict) {
  CaseResult result;
  result.suite = "s";
  result.case_name = name;
  result.requirements = {"R-1", "R-2"};
  result.verdict = verdict;
  result.reason = verdict == Verdict::kPass ? "" : "reason\n::error ::owned, 100%";
  return result;
}

RunResult SampleRun() {
  RunResult run;
  run.kernel.release = "7.0.13";
  run.kernel.version = "7.0.13";
  run.started_at = "2026-11-24T06:00:00Z";
  run.cases = {Case("A.Pass", Verdict::kPass),     Case("A.Fail/0", Verdict::kFail),
               Case("A.Crash", Verdict::kCrash),   Case("A.Timeout", Verdict::kTimeout),
               Case("A.Absent", Verdict::kAbsent), Case("A.Unmet", Verdict::kUnmet),
               Case("A.Error", Verdict::kError)};
  run.cases[1].measures = {{"returned after", 17, "ms"}};
  run.cases[1].failures = {{"suites/s/a,b.cc", 12, "Expected: x\nActual: y"}};
  run.cases[2].console = std::string("zero \0 byte\n", 12) + std::string(40'000, 'x') + "\nlast";
  run.cases[3].erratum = ErratumMatch{"R-1", "7.1.8", "t", "s"};
  return run;
}

// Every problem that the schema's validator finds.
std::string Problems(const json& document) {
  const json schema_json =
      json::parse(ReadFile(KASSAY_SOURCE_DIR "/results/schema/kcidb-5.3.schema.json").value());
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

TEST(Kcidb, KeepsToTheSchema) {
  RunResult run = SampleRun();
  const json document = json::parse(KcidbOf(run, "my_ci").value());
  EXPECT_EQ(Problems(document), "");
  EXPECT_EQ(document["builds"][0]["architecture"], "x86_64");
  run.kernel.architecture = "aarch64";
  EXPECT_EQ(json::parse(KcidbOf(run, "my_ci").value())["builds"][0]["architecture"], "aarch64");
  json wrong = document;
  wrong["tests"][0]["status"] = "FINE";
  EXPECT_NE(Problems(wrong), "");
}

TEST(Kcidb, EachVerdictHasItsStatus) {
  const json tests = json::parse(KcidbOf(SampleRun(), "my_ci").value())["tests"];
  const std::vector<std::string> expected = {"PASS", "FAIL", "FAIL", "FAIL",
                                             "SKIP", "MISS", "ERROR"};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(tests[i]["status"], expected[i]) << i;
  EXPECT_EQ(tests[1]["path"], "kassay.s.A.Fail_0");
  EXPECT_EQ(tests[1]["misc"]["measures"]["returned after"], "17 ms");
  EXPECT_EQ(tests[2]["log_excerpt"].get<std::string>().substr(0, 4), "last");
  EXPECT_EQ(tests[3]["misc"]["known_bug"]["fixed"], "7.1.8");
}

TEST(Kcidb, AnOriginOfTheWrongFormIsRefused) {
  EXPECT_FALSE(KcidbOf(SampleRun(), ""));
  EXPECT_FALSE(KcidbOf(SampleRun(), "My-CI"));
}

TEST(Kcidb, HoldsNoZeroCharacter) {
  RunResult run = SampleRun();
  const std::string zero("a\0b", 3);
  run.cases[1].reason = zero;
  run.cases[1].evidence = {{zero, zero}};
  run.cases[1].measures = {{zero, zero, ""}};
  EXPECT_THAT(KcidbOf(run, "my_ci").value(), Not(HasSubstr("\\u0000")));
}

// GoogleTest knows no place of what was thrown.
TEST(GitLab, AFailureWithoutAPlaceStandsInTheCatalogue) {
  RunResult run = SampleRun();
  run.cases[1].failures[0].line = -1;
  EXPECT_EQ(json::parse(GitLabCodeQualityOf(run))[0]["location"],
            json::parse(R"({"path": "suites/s/requirements.toml", "lines": {"begin": 1}})"));
  EXPECT_THAT(GitHubAnnotationsOf(run), HasSubstr("::error title=R-1 R-2 s.A.Fail/0%3A fail::"));
}

TEST(GitHub, GuestTextCannotBeginACommand) {
  const std::string text = GitHubAnnotationsOf(SampleRun());
  EXPECT_THAT(text, HasSubstr("::error file=suites/s/a%2Cb.cc,line=12,title=R-1 R-2 "
                              "s.A.Fail/0%3A fail::7.0.13: reason%0A::error ::owned, 100%25"));
  EXPECT_THAT(text, Not(HasSubstr("\n::error ::owned")));
  EXPECT_THAT(text, HasSubstr("::warning title=R-1 R-2 s.A.Timeout"));
  EXPECT_THAT(text, Not(HasSubstr("A.Absent")));
}

TEST(GitLab, HasAStableFingerprintAndAPlace) {
  const json list = json::parse(GitLabCodeQualityOf(SampleRun()));
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[0]["location"]["path"], "suites/s/a,b.cc");
  EXPECT_EQ(list[0]["location"]["lines"]["begin"], 12);
  EXPECT_EQ(list[1]["severity"], "blocker");
  EXPECT_EQ(list[2]["severity"], "minor");
  RunResult later = SampleRun();
  later.started_at = "2027-01-01T00:00:00Z";
  EXPECT_EQ(json::parse(GitLabCodeQualityOf(later))[0]["fingerprint"], list[0]["fingerprint"]);
}

}  // namespace
}  // namespace kassay
