// A suite whose cases leave themselves in every place from where that can be done, and go on to a
// failed assertion that must never be reached. leaving_test.cc runs it.
#include <unistd.h>

#include "suites/support/case.h"
#include "suites/support/child.h"

namespace kassay {
namespace {

void LeavesDeepDown(const char* reason) { KASSAY_UNMET(reason); }

class InHelper : public ::testing::Test {
 protected:
  static void Holds() { LeavesDeepDown("from a helper"); }
};

KASSAY_CASE_F(InHelper, DoesNotGoOn, Cites("X-1")) {
  Holds();
  ADD_FAILURE() << "went on";
}

class InSetUp : public ::testing::Test {
 protected:
  void SetUp() override {
    LeavesDeepDown("from SetUp");
    ADD_FAILURE() << "went on";
  }
};

KASSAY_CASE_F(InSetUp, DoesNotBegin, Cites("X-1")) { ADD_FAILURE() << "began"; }

KASSAY_CASE(InBody, UnwindsWhatItHolds, Cites("X-1")) {
  struct Tells {
    ~Tells() { RecordEvidence("unwound", "yes"); }
  };
  const Tells held;
  if (getpid() > 0) KASSAY_ABSENT("from the body");
  ADD_FAILURE() << "went on";
}

KASSAY_CASE(InChildProcess, IsAFailure, Cites("X-1")) {
  EXPECT_THAT(InChild([] {
                LeavesDeepDown("from a child");
                return 0;
              }),
              Returned(0));
}

KASSAY_CASE(InEnd, MeasuresUntilThen, Cites("X-1")) {
  RecordMeasure("returned after", 17, "ms");
  RecordMeasure(std::string(10'000, 'n'), "3 of 4");
}

KASSAY_CASE(Nowhere, Passes, Cites("X-1")) { EXPECT_GT(getpid(), 0); }

}  // namespace
}  // namespace kassay
