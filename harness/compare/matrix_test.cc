#include "harness/compare/matrix.h"

#include <gmock/gmock.h>

namespace kassay {
namespace {

using ::testing::HasSubstr;

BaselineCase Case(const std::string& id, const std::string& requirement, Verdict verdict) {
  BaselineCase c;
  c.id = id;
  c.requirements = {requirement};
  c.verdict = verdict;
  return c;
}

std::vector<Baseline> TwoKernels() {
  Baseline old;
  old.kernel.spec = "debian:6.19.14";
  old.features = {{"filter", "io", FeatureStatus::kAbsent, "older kernel"}};
  old.cases = {Case("io.A.One", "IO-1", Verdict::kAbsent),
               Case("io.A.Two", "IO-2", Verdict::kPass)};
  Baseline fresh;
  fresh.kernel.spec = "debian:7.0.13";
  fresh.features = {{"filter", "io", FeatureStatus::kNonconformant, ""}};
  fresh.cases = {Case("io.A.One", "IO-1", Verdict::kPass), Case("io.A.Two", "IO-2", Verdict::kPass),
                 Case("io.A.Three", "IO-1", Verdict::kFail)};
  return {old, fresh};
}

TEST(Matrix, AFeatureCountsTheRequirementsThatHold) {
  const Matrix matrix = MatrixOf(TwoKernels(), {{"IO-1", "filter"}, {"IO-2", "filter"}});
  ASSERT_EQ(matrix.features.size(), 1U);
  const MatrixFeature& feature = matrix.features[0];
  EXPECT_EQ(feature.cells[0].state, "absent");
  EXPECT_EQ(feature.cells[0].holds, 1U);
  EXPECT_EQ(feature.cells[0].total, 1U);
  EXPECT_EQ(feature.cells[1].holds, 1U);
  EXPECT_EQ(feature.cells[1].total, 2U);
  ASSERT_EQ(feature.requirements.size(), 2U);
  EXPECT_EQ(feature.requirements.at("IO-1")[1].state, "fail");  // the worst of its two cases
  EXPECT_EQ(matrix.kernels[0].verdict, "conformant");
  EXPECT_EQ(matrix.kernels[1].verdict, "nonconformant");
}

TEST(Matrix, RequirementsOfNoKnownFeatureStandUnderTheirSuite) {
  const Matrix matrix = MatrixOf(TwoKernels(), {{"IO-1", "filter"}});
  ASSERT_EQ(matrix.features.size(), 2U);
  EXPECT_EQ(matrix.features[1].id, "io");
  EXPECT_EQ(matrix.features[1].cells[1].state, "pass");
}

TEST(Matrix, AKernelThatDidNotRunAFeatureHasAnEmptyCell) {
  auto kernels = TwoKernels();
  kernels[0].features.clear();
  kernels[0].cases.clear();
  const Matrix matrix = MatrixOf(kernels, {{"IO-1", "filter"}, {"IO-2", "filter"}});
  EXPECT_FALSE(matrix.features[0].cells[0].ran);
  EXPECT_EQ(matrix.kernels[0].verdict, "could not test");
  EXPECT_THAT(ToJson(matrix), HasSubstr("null"));
}

TEST(Matrix, TheTableHasOneColumnAKernelAndRequirementsOnDemand) {
  const Matrix matrix = MatrixOf(TwoKernels(), {{"IO-1", "filter"}, {"IO-2", "filter"}});
  EXPECT_THAT(ToTable(matrix, false), HasSubstr("filter   absent          nonconformant 1/2"));
  EXPECT_THAT(ToTable(matrix, true), HasSubstr("  IO-1"));
  EXPECT_THAT(ToMarkdown(matrix, false), HasSubstr("| `filter` | absent |"));
}

}  // namespace
}  // namespace kassay
