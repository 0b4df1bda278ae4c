#include "harness/vectors/vector_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kassay {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPrompt =
    R"({"vsId":1,"algorithm":"ML-DSA","mode":"sigVer","revision":"FIPS204",
 "testGroups":[
  {"tgId":1,"testType":"AFT","parameterSet":"ML-DSA-44","signatureInterface":"external","preHash":"pure",
   "tests":[{"tcId":1,"pk":"0102","message":"aa","context":"","signature":"FF"},
            {"tcId":2,"pk":"0102","message":"aa","context":"00","signature":"ff"}]},
  {"tgId":2,"parameterSet":"ML-DSA-65","signatureInterface":"external","preHash":"preHash",
   "tests":[{"tcId":3,"pk":"01","message":"","context":"","hashAlg":"SHA2-256","signature":""}]},
  {"tgId":3,"parameterSet":"ML-DSA-87","signatureInterface":"internal","externalMu":false,"pk":"09",
   "tests":[{"tcId":4,"message":"0000bb","signature":"00"},{"tcId":5,"message":"0100bb","signature":"00"}]},
  {"tgId":4,"parameterSet":"ML-DSA-87","signatureInterface":"internal","externalMu":true,
   "tests":[{"tcId":6,"pk":"09","mu":"00","signature":"00"}]}]})";

TEST(AcvpPrompt, TellsWhatTheKernelCannotCarry) {
  const auto file = ParseVectorFile(kPrompt);
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->vectors.size(), 6U);
  EXPECT_EQ(file->vectors[0].id, "tg1/tc1");
  EXPECT_EQ(file->vectors[0].set, "ML-DSA-44");
  EXPECT_EQ(file->vectors[0].public_key, "\x01\x02");
  EXPECT_EQ(file->vectors[0].signature, "\xff");
  EXPECT_EQ(file->vectors[0].uncarried, "");
  EXPECT_FALSE(file->vectors[0].valid.has_value());
  EXPECT_EQ(file->vectors[1].uncarried, "a non-empty context");
  EXPECT_EQ(file->vectors[2].uncarried, "HashML-DSA");
  EXPECT_EQ(file->vectors[3].uncarried, "");
  EXPECT_EQ(file->vectors[3].message, "\xbb") << "the empty context's prefix is the kernel's own";
  EXPECT_EQ(file->vectors[3].public_key, "\x09");
  EXPECT_THAT(file->vectors[4].uncarried, HasSubstr("encoded message"));
  EXPECT_THAT(file->vectors[5].uncarried, HasSubstr("mu"));
}

TEST(AcvpResults, AreMatchedByGroupAndCase) {
  auto prompt = ParseVectorFile(kPrompt);
  const auto results = ParseVectorFile(
      R"([{"acvVersion":"1.0"},{"vsId":1,"testGroups":[{"tgId":1,"tests":[{"tcId":1,"testPassed":true},
          {"tcId":2,"testPassed":false}]},{"tgId":2,"tests":[{"tcId":3,"testPassed":false}]}]}])");
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_THAT(results->vectors, IsEmpty());
  EXPECT_EQ(ApplyResults(prompt->vectors, results->results), 3U);
  EXPECT_EQ(prompt->vectors[0].valid, true);
  EXPECT_EQ(prompt->vectors[1].valid, false);
  EXPECT_EQ(prompt->vectors[2].valid, false);
  EXPECT_FALSE(prompt->vectors[3].valid.has_value());
}

// Two vector sets number their groups alike.
TEST(AcvpResults, AreThoseOfTheSameVectorSetAlone) {
  auto prompt = ParseVectorFile(kPrompt);
  const auto other = ParseVectorFile(
      R"({"vsId":2,"testGroups":[{"tgId":1,"tests":[{"tcId":1,"testPassed":true}]}]})");
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ(ApplyResults(prompt->vectors, other->results), 6U);
}

TEST(AcvpPrompt, DoesNotGuessTheInterface) {
  const auto file = ParseVectorFile(
      R"({"vsId":1,"testGroups":[{"tgId":1,"parameterSet":"ML-DSA-44",
          "tests":[{"tcId":1,"pk":"01","message":"aa","signature":"ff"}]}]})");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_THAT(file->vectors.at(0).uncarried, HasSubstr("does not name"));
}

TEST(Wycheproof, TakesVerdictsAndContexts) {
  const auto file = ParseVectorFile(R"({"algorithm":"ML-DSA-65","schema":"mldsa_verify_schema.json",
    "numberOfTests":3,"testGroups":[{"type":"MlDsaVerify","publicKey":"0a","tests":[
     {"tcId":1,"comment":"","msg":"01","sig":"02","result":"valid","flags":[]},
     {"tcId":2,"comment":"","msg":"01","ctx":"","sig":"02","result":"invalid","flags":[]},
     {"tcId":3,"comment":"","msg":"01","ctx":"03","sig":"02","result":"valid","flags":[]}]}]})");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->vectors.size(), 3U);
  EXPECT_EQ(file->vectors[0].id, "group1/tc1");
  EXPECT_EQ(file->vectors[0].valid, true);
  EXPECT_EQ(file->vectors[1].valid, false);
  EXPECT_EQ(file->vectors[1].uncarried, "");
  EXPECT_EQ(file->vectors[2].uncarried, "a non-empty context");
}

struct Bad {
  const char* json;
  const char* complaint;
};
class BadVectorFile : public testing::TestWithParam<Bad> {};
TEST_P(BadVectorFile, IsRefusedWithItsPlace) {
  const auto file = ParseVectorFile(GetParam().json);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(file.error().message, HasSubstr(GetParam().complaint));
}
INSTANTIATE_TEST_SUITE_P(
    , BadVectorFile,
    testing::Values(
        Bad{"", "not JSON"}, Bad{"[]", "no vector file"}, Bad{"{}", "neither ACVP"},
        Bad{"[1,2]", "no vector file"},
        Bad{R"({"vsId":1,"mode":"keyGen","testGroups":[]})", "/mode is 'keyGen'"},
        Bad{R"({"vsId":1,"testGroups":1})", "/testGroups is not a list"},
        Bad{R"({"vsId":1,"testGroups":[{"tgId":1,"parameterSet":"ML-DSA-66","tests":[]}]})",
            "/testGroups/0/parameterSet is no parameter set"},
        Bad{R"({"vsId":1,"testGroups":[{"tgId":1,"tests":[{"tcId":1,"signature":"00"}]}]})",
            "/testGroups/0/parameterSet is missing"},
        Bad{R"({"vsId":1,"testGroups":[{"tgId":1,"parameterSet":"ML-DSA-44","tests":[{"tcId":1,"signature":"00","message":""}]}]})",
            "/testGroups/0/tests/0/pk is missing"},
        Bad{R"({"vsId":1,"testGroups":[{"tgId":1,"parameterSet":"ML-DSA-44","tests":[{"tcId":1,"pk":"0","signature":"00","message":""}]}]})",
            "/testGroups/0/tests/0/pk is not hexadecimal"},
        Bad{R"({"vsId":1,"testGroups":[{"tgId":1,"parameterSet":"ML-DSA-44","tests":[{"tcId":1,"pk":"00","signature":"zz","message":""}]}]})",
            "/testGroups/0/tests/0/signature is not hexadecimal"},
        Bad{R"({"vsId":1,"testGroups":[{"tgId":1,"tests":[{"tcId":1,"testPassed":true},{"tcId":1,"testPassed":false}]}]})",
            "/testGroups/0/tests/1/tcId has two verdicts"},
        Bad{R"({"format":"kassay-mldsa-vectors","version":1,"parameterSet":"ML-DSA-44","vectors":[{"id":"a\u001b[2J","verdict":"valid","publicKey":"","message":"","signature":""}]})",
            "/vectors/0/id is too long, or no line of text"},
        Bad{R"({"algorithm":"RSA","testGroups":[]})", "/algorithm is no parameter set"},
        Bad{R"({"algorithm":"ML-DSA-44","testGroups":[{"privateKey":"00","tests":[]}]})",
            "only *_verify files"},
        Bad{R"({"algorithm":"ML-DSA-44","testGroups":[{"publicKey":"00","tests":[{"tcId":1,"msg":"","sig":"","result":"maybe"}]}]})",
            "unknown value 'maybe'"},
        Bad{R"({"format":"kassay-mldsa-vectors","version":2,"parameterSet":"ML-DSA-44","vectors":[]})",
            "/version is newer"}));

}  // namespace
}  // namespace kassay
