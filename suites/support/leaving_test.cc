// A case that is left early is left: no caller of what left it can go on. Run on a real suite
// executable, whose records are what the harness would see.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "harness/base/process/program.h"
#include "harness/protocol/records.h"
#include "harness/protocol/suite_program.h"

namespace kassay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string RecordsOf(const std::string& case_name) {
  std::string records;
  Result<Stream> stream = MakeStream([&records](std::string_view bytes) {
    records += bytes;
    return true;
  });
  EXPECT_TRUE(stream) << stream.error().message;
  const Command suite{
      .argv = {KASSAY_LEAVING_SUITE, "--gtest_filter=" + case_name},
      .environment = {{kRecordFdVariable, std::to_string(stream->pipe.writing.Get())}}};
  std::vector<Stream> streams;
  streams.push_back(*std::move(stream));
  const auto outcome = RunProgram(suite, {.time = std::chrono::minutes(1)}, std::move(streams));
  EXPECT_TRUE(outcome) << outcome.error().message;
  return records;
}

auto LeftAs(const std::string& verdict, const std::string& reason) {
  return AllOf(HasSubstr(R"("type":"leave")"), HasSubstr("\"verdict\":\"" + verdict + "\""),
               HasSubstr("\"reason\":\"" + reason + "\""), HasSubstr("case_end"),
               Not(HasSubstr("failure")));
}

TEST(Leaving, EndsTheCaseFromAHelper) {
  EXPECT_THAT(RecordsOf("InHelper.*"), LeftAs("unmet", "from a helper"));
}

TEST(Leaving, EndsTheCaseFromSetUpBeforeItsBody) {
  EXPECT_THAT(RecordsOf("InSetUp.*"), LeftAs("unmet", "from SetUp"));
}

TEST(Leaving, UnwindsWhatTheCaseHolds) {
  EXPECT_THAT(RecordsOf("InBody.*"),
              AllOf(LeftAs("absent", "from the body"), HasSubstr(R"("key":"unwound")")));
}

TEST(Leaving, IsAFailureInAChildProcess) {
  EXPECT_THAT(RecordsOf("InChildProcess.*"),
              AllOf(HasSubstr(R"("type":"failure")"), Not(HasSubstr(R"("type":"leave")"))));
}

TEST(Measures, AreRecordsOfTheirOwnKindAndBounded) {
  const std::string records = RecordsOf("InEnd.*");
  EXPECT_THAT(records, HasSubstr(R"("name":"returned after","value":17,"unit":"ms"})"));
  EXPECT_THAT(records, HasSubstr(std::string(kMaxMeasureNameBytes, 'n') +
                                 R"( [cut: 10000 bytes in all]","value":"3 of 4"})"));
  EXPECT_THAT(records, Not(HasSubstr(std::string(kMaxMeasureNameBytes + 1, 'n'))));
}

TEST(Leaving, IsNotSeenInACaseThatRuns) {
  EXPECT_THAT(RecordsOf("Nowhere.*"),
              AllOf(HasSubstr(R"("passed":true)"), Not(HasSubstr("leave"))));
}

}  // namespace
}  // namespace kassay
