// results/schema/run-result.schema.json describes what ToJson writes, and nothing less strict.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "harness/base/file.h"
#include "harness/result/run_result.h"

namespace kassay {
namespace {

using Json = nlohmann::json;

class SchemaTest : public ::testing::Test {
 protected:
  SchemaTest() {
    const auto text = ReadFile(KASSAY_RUN_RESULT_SCHEMA);
    EXPECT_TRUE(text) << text.error().message;
    const Json json = Json::parse(text.value_or("{}"));
    const valijson::adapters::NlohmannJsonAdapter adapter(json);
    valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(adapter, schema_);
    CaseResult failed;
    failed.suite = "io_uring";
    failed.case_name = "Exec.KeepsTheList";
    failed.verdict = Verdict::kFail;
    failed.requirements = {"IOU-051"};
    failed.features = {"io_uring_task_restrictions"};
    failed.failures = {{"suites/io_uring/exec.cc", 12, "no"}};
    failed.evidence = {{"errno", "0"}};
    failed.measures = {{"returned after", 17, "ms"}, {"counted", "3 of 4", ""}};
    failed.kernel_log = {"<6>[ 1.0] x"};
    failed.erratum = ErratumMatch{"IOU-051", "7.1.8", "lost", "changelog"};
    CaseResult passed = failed;
    passed.verdict = Verdict::kPass;
    passed.erratum.reset();
    run_.kernel.image_sha256 = std::string(64, 'a');
    run_.environment.isolation = "case";
    run_.environment.accelerator = "tcg";
    run_.environment.cpu = "max,+svm";
    run_.environment.command_lines = {{"stock", "console=ttyS0"}};
    run_.started_at = "2026-01-02T03:04:05Z";
    run_.features = {{.feature = "f", .status = FeatureStatus::kConformant}};
    run_.cases = {failed, passed};
    run_.notes = {"emulation"};
  }

  bool Allows(const Json& json) {
    const valijson::adapters::NlohmannJsonAdapter adapter(json);
    return valijson::Validator().validate(schema_, adapter, nullptr);
  }
  Json Written() { return Json::parse(ToJson(run_)); }

  valijson::Schema schema_;
  RunResult run_;
};

TEST_F(SchemaTest, AllowsWhatIsWritten) {
  EXPECT_TRUE(Allows(Written()));
  run_.kernel.architecture = "aarch64";
  run_.environment.accelerator = "mixed";
  run_.environment.cpu.clear();
  EXPECT_TRUE(Allows(Written()));
  EXPECT_FALSE(Allows(Json::parse(ToJson(RunResult())))) << "a run has an isolation";
}

TEST_F(SchemaTest, KnowsEveryFieldThatIsWritten) {
  // additionalProperties is false throughout: a new field without its line in the schema fails.
  Json json = Written();
  json["cases"][0]["more"] = 1;
  EXPECT_FALSE(Allows(json));
  json = Written();
  json["more"] = 1;
  EXPECT_FALSE(Allows(json));
}

TEST_F(SchemaTest, RefusesWhatTheReaderRefuses) {
  const auto refused = [&](const Json::json_pointer& at, const Json& value) {
    Json json = Written();
    json[at] = value;
    EXPECT_FALSE(RunResultFromJson(json.dump())) << at << " " << value;
    return !Allows(json);
  };
  EXPECT_TRUE(refused(Json::json_pointer("/cases/0/verdict"), "fine"));
  EXPECT_TRUE(refused(Json::json_pointer("/cases/0/failures/0/line"), "12"));
  EXPECT_TRUE(refused(Json::json_pointer("/cases/0/measures/0/value"), 1.5));
  EXPECT_TRUE(refused(Json::json_pointer("/cases/0/measures/0/unit"), 1));
  EXPECT_TRUE(refused(Json::json_pointer("/features/0/status"), "good"));
  EXPECT_TRUE(refused(Json::json_pointer("/format"), 2));
  EXPECT_TRUE(refused(Json::json_pointer("/interrupted"), "no"));
  EXPECT_TRUE(refused(Json::json_pointer("/cases/0/erratum"), "IOU-051"));
}

TEST_F(SchemaTest, EveryVerdictAndStatusIsInIt) {
  for (int i = 0; i <= static_cast<int>(Verdict::kError); ++i) {
    run_.cases[0].verdict = static_cast<Verdict>(i);
    EXPECT_TRUE(Allows(Written())) << ToString(run_.cases[0].verdict);
  }
  for (int i = 0; i <= static_cast<int>(FeatureStatus::kUntested); ++i) {
    run_.features[0].status = static_cast<FeatureStatus>(i);
    EXPECT_TRUE(Allows(Written())) << ToString(run_.features[0].status);
  }
}

}  // namespace
}  // namespace kassay
