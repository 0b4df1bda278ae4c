#include "harness/report/html/html.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace kassay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHostile =
    "</script><script>alert(1)</script><!--<script>\xe2\x80\xa8 & \" ' @DATA@ \x01";

RunResult HostileRun() {
  RunResult run;
  run.kernel.spec = std::string("debian:") + kHostile;
  run.kernel.release = kHostile;
  run.suites = {"s"};
  CaseResult result;
  result.suite = "s";
  result.case_name = "A.B";
  result.verdict = Verdict::kFail;
  result.requirements = {"R-1"};
  result.reason = kHostile;
  result.console = kHostile;
  result.kernel_log = {kHostile};
  result.failures = {{"f.cc", 1, kHostile}};
  result.evidence = {{kHostile, kHostile}};
  result.measures = {{kHostile, kHostile, kHostile}, {"rounds", 40, ""}};
  run.cases = {result};
  return run;
}

size_t Count(const std::string& text, std::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

std::string DataOf(const std::string& page) {
  const std::string begin = "id=\"kassay-data\">";
  const size_t from = page.find(begin) + begin.size();
  return page.substr(from, page.find("</script>", from) - from);
}

TEST(Html, HostileTextNeverEndsTheDataOrBecomesMarkup) {
  const std::string page = HtmlOfRun(HostileRun(), {});
  EXPECT_EQ(Count(page, "</script"), 2U);
  EXPECT_EQ(Count(page, "<!--"), 0U);
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  const std::string data = DataOf(page);
  EXPECT_EQ(data.find_first_of("<>&"), std::string::npos);
  EXPECT_EQ(data.find("\xe2\x80\xa8"), std::string::npos);
}

TEST(Html, HostileTextComesThroughAsItWas) {
  const auto json = nlohmann::json::parse(DataOf(HtmlOfRun(HostileRun(), {})));
  EXPECT_EQ(json["kernel"]["release"], kHostile);
  EXPECT_EQ(json["cases"][0]["console"], kHostile);
  EXPECT_EQ(json["cases"][0]["evidence"][0][1], kHostile);
  EXPECT_EQ(json["cases"][0]["measures"][0][0], kHostile);
  EXPECT_EQ(json["cases"][0]["measures"][1][1], "40");
}

TEST(Html, HasNoExternalResourceAndAPolicyThatNamesItsOwnScript) {
  const std::string page = HtmlOfRun(HostileRun(), {});
  for (const char* outside : {"http://", "https://", "src=", "@import", "url("}) {
    EXPECT_THAT(page, Not(HasSubstr(outside))) << outside;
  }
  EXPECT_THAT(page, HasSubstr("default-src 'none'; script-src 'sha256-"));
  EXPECT_EQ(Count(page, "unsafe"), 0U);
}

TEST(Html, SaysWhatTheRequirementIsAndHowToRepeat) {
  HtmlContext context;
  context.requirements = {{"R-1", "s", "f", "It must hold.", "io_uring/x.c:f", ""}};
  RunResult run = HostileRun();
  run.kernel.spec = "debian:7.0.13";
  run.environment.boot = "mixed";
  EXPECT_THAT(CommandThatRepeats(run, run.cases[0]), Not(HasSubstr("--boot")));
  run.environment.boot = "bzimage";
  const auto json = nlohmann::json::parse(DataOf(HtmlOfRun(run, context)));
  EXPECT_EQ(json["requirements"][0]["text"], "It must hold.");
  EXPECT_EQ(json["cases"][0]["command"],
            "kassay run --kernel debian:7.0.13 --suite s --case A.B --boot bzimage");
  EXPECT_EQ(json["verdict"], "nonconformant");
}

TEST(Html, AComparisonAndAMatrixAreDataToo) {
  const Baseline side = BaselineOf(HostileRun());
  const auto comparison =
      nlohmann::json::parse(DataOf(HtmlOfComparison(Compare(Baseline{}, side), {})));
  EXPECT_EQ(comparison["kind"], "comparison");
  EXPECT_EQ(comparison["cases"][0]["after"]["reason"], kHostile);
  const auto matrix = nlohmann::json::parse(DataOf(HtmlOfMatrix(MatrixOf({side}, {}), {})));
  EXPECT_EQ(matrix["kind"], "matrix");
  EXPECT_EQ(matrix["kernels"].size(), 1U);
}

}  // namespace
}  // namespace kassay
