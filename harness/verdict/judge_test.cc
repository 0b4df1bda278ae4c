#include "harness/verdict/judge.h"

#include <gmock/gmock.h>

#include "harness/verdict/case_records.h"
#include "harness/verdict/complaint.h"

namespace kassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using End = GuestOutcome::End;

const std::string kStart = R"({"type":"case_start","case":"Ring.Denies"})";
const std::string kPassed = R"({"type":"case_end","case":"Ring.Denies","passed":true})";
const std::string kFailed = R"({"type":"case_end","case":"Ring.Denies","passed":false})";
const std::string kFailure =
    R"({"type":"failure","case":"Ring.Denies","file":"suites/ring/ring.cc","line":12,)"
    R"("message":"Value of: x\n  Actual: 0"})";

GuestOutcome Passing() {
  GuestOutcome outcome;
  outcome.end = End::kExited;
  outcome.records = {kStart, kPassed};
  return outcome;
}

ListedCase Listed() {
  ListedCase listed;
  listed.name = "Ring.Denies";
  listed.requirements = {"R-1"};
  return listed;
}

CaseResult JudgeAs(const ListedCase& listed, const GuestOutcome& outcome) {
  return Judge({"ring", "stock", &listed}, outcome);
}
CaseResult JudgeIt(const GuestOutcome& outcome) { return JudgeAs(Listed(), outcome); }
CaseResult JudgeAll(const std::vector<Attempt>& attempts) {
  const ListedCase listed = Listed();
  return Judge({"ring", "stock", &listed}, attempts);
}
CaseResult JudgeAsProbe(const GuestOutcome& outcome) {
  const ListedCase listed = Listed();
  return JudgeProbe({"ring", "stock", &listed}, outcome);
}

TEST(Judge, PassesWhatBeganEndedAndPassed) {
  const CaseResult result = JudgeIt(Passing());
  EXPECT_EQ(result.verdict, Verdict::kPass) << result.reason;
  EXPECT_EQ(result.Id(), "ring.Ring.Denies");
  EXPECT_EQ(result.profile, "stock");
  EXPECT_THAT(result.requirements, ElementsAre("R-1"));
  EXPECT_EQ(result.reason, "");
  EXPECT_EQ(result.passes, 1);
}

TEST(Judge, NothingIsPassedWithoutItsRecords) {
  GuestOutcome outcome = Passing();
  outcome.records.clear();
  outcome.output = "error while loading shared libraries: liburing.so.2\n";
  outcome.status = 127;
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kError);
  EXPECT_THAT(JudgeIt(outcome).reason, HasSubstr("exit code 127; last words: error while loading"));
  outcome = Passing();
  outcome.records = {kStart};
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kError);
  EXPECT_THAT(JudgeIt(outcome).reason, StartsWith("the program ended amid it"));
  outcome = Passing();
  outcome.status = 1;
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kError);
}

TEST(Judge, AFailedAssertionIsAFailWithItsPlace) {
  GuestOutcome outcome = Passing();
  outcome.records = {kStart, kFailure, kFailed};
  outcome.status = 1;
  const CaseResult result = JudgeIt(outcome);
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_EQ(result.reason, "suites/ring/ring.cc:12: Value of: x; Actual: 0");
  EXPECT_THAT(result.failures, SizeIs(1));
  // A failure counts whatever the program says afterwards.
  outcome.records = {kStart, kFailure, kPassed};
  outcome.status = 0;
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kFail);
  outcome.records = {kStart, kFailed};
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kFail);
}

TEST(Judge, ALongExpressionMakesRoomForWhatWasSeen) {
  GuestOutcome outcome = Passing();
  outcome.records = {
      kStart,
      R"({"type":"failure","case":"Ring.Denies","file":"f.cc","line":1,"message":"Value of: )" +
          std::string(200, 'x') + R"(\nExpected: a\n  Actual: b"})",
      kFailed};
  EXPECT_EQ(JudgeIt(outcome).reason, "f.cc:1: Expected: a; Actual: b");
}

TEST(Judge, AFailureBeforeLeavingIsNotForgotten) {
  GuestOutcome outcome = Passing();
  outcome.records = {
      kStart, kFailure,
      R"({"type":"leave","case":"Ring.Denies","verdict":"unmet","reason":"no memory"})", kFailed};
  outcome.status = 1;
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kFail);
}

TEST(Judge, LeavesWithTheReasonThatTheCaseGave) {
  GuestOutcome outcome = Passing();
  outcome.records = {
      kStart, R"({"type":"leave","case":"Ring.Denies","verdict":"absent","reason":"EINVAL"})",
      kPassed};
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kAbsent);
  EXPECT_EQ(JudgeIt(outcome).reason, "EINVAL");
  outcome.records[1] = R"({"type":"leave","case":"Ring.Denies","verdict":"unmet","reason":"x"})";
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kUnmet);
  outcome.records[1] = R"({"type":"leave","case":"Ring.Denies","verdict":"pass","reason":"x"})";
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kError);
  outcome.records[1] = R"({"type":"leave","case":"Ring.Denies","verdict":"absent","reason":""})";
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kError);
}

TEST(Judge, EvidenceIsKept) {
  GuestOutcome outcome = Passing();
  outcome.records = {
      kStart, R"({"type":"evidence","case":"Ring.Denies","key":"errno","value":"-13"})", kPassed};
  EXPECT_THAT(JudgeIt(outcome).evidence, ElementsAre(Evidence{"errno", "-13"}));
}

TEST(Judge, MeasuresAreKeptApartFromEvidence) {
  GuestOutcome outcome = Passing();
  outcome.records = {
      kStart,
      R"({"type":"measure","case":"Ring.Denies","name":"returned after","value":17,"unit":"ms"})",
      R"({"type":"measure","case":"Ring.Denies","name":"counted","value":"3 of 4"})", kPassed};
  const CaseResult result = JudgeIt(outcome);
  EXPECT_THAT(result.measures,
              ElementsAre(Measure{"returned after", 17, "ms"}, Measure{"counted", "3 of 4", ""}));
  EXPECT_THAT(result.evidence, IsEmpty());
}

TEST(Judge, AMeasureThatIsNoneIsAnError) {
  for (const char* value :
       {R"("value":1.5)", R"("value":null)", R"("value":[1])", R"("value":18446744073709551615)",
        R"("value":1,"unit":2)", R"("valu":1)"}) {
    GuestOutcome outcome = Passing();
    outcome.records = {
        kStart,
        std::string(R"({"type":"measure","case":"Ring.Denies","name":"took",)") + value + "}",
        kPassed};
    const CaseResult result = JudgeIt(outcome);
    EXPECT_EQ(result.verdict, Verdict::kError) << value;
    EXPECT_THAT(result.reason, HasSubstr("measure/")) << value;
  }
}

TEST(Judge, RecordsThatAreNotTheCasesOwnAreAnError) {
  const auto reason_with = [](const std::string& record) {
    GuestOutcome outcome = Passing();
    outcome.records = {kStart, record, kPassed};
    const CaseResult result = JudgeIt(outcome);
    EXPECT_EQ(result.verdict, Verdict::kError) << record;
    return result.reason;
  };
  EXPECT_THAT(reason_with(R"({"type":"case_start","case":"Ring.Allows"})"),
              HasSubstr("another case: 'Ring.Allows'"));
  EXPECT_THAT(reason_with(kStart), HasSubstr("began twice"));
  EXPECT_THAT(reason_with(kPassed), HasSubstr("after the case ended"));
  EXPECT_THAT(reason_with("hello"), HasSubstr("not JSON: hello"));
  EXPECT_THAT(reason_with(R"({"type":"case_pass","case":"Ring.Denies"})"),
              HasSubstr("unknown type 'case_pass'"));
  EXPECT_THAT(reason_with("[]"), HasSubstr("not an object"));
  EXPECT_THAT(reason_with(R"({"type":"failure","case":"Ring.Denies","file":"x","line":"1"})"),
              HasSubstr("failure/line is not a whole number"));
  GuestOutcome outcome = Passing();
  outcome.records = {kPassed};
  EXPECT_THAT(JudgeIt(outcome).reason, HasSubstr("before the case began"));
  outcome.records.assign(5000, kStart);
  EXPECT_THAT(JudgeIt(outcome).reason, HasSubstr("more than 4096 records"));
}

TEST(Judge, AKilledProgramIsAFail) {
  GuestOutcome outcome = Passing();
  outcome.end = End::kSignalled;
  outcome.status = 11;
  outcome.records = {kStart};
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kFail);
  EXPECT_EQ(JudgeIt(outcome).reason, "the case's program was killed by SIGSEGV");
}

TEST(Judge, LimitsAndSilenceAreTimeouts) {
  GuestOutcome outcome = Passing();
  outcome.end = End::kTimedOut;
  outcome.records = {kStart};
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kTimeout);
  EXPECT_EQ(JudgeIt(outcome).reason, "no end within 30 s");
  outcome.end = End::kSilent;
  outcome.console = "last words";
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kTimeout);
  EXPECT_EQ(JudgeIt(outcome).console, "last words");
  outcome.console = "[   12.000000] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!\r\n";
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kCrash);
}

TEST(Judge, TheKernelsComplaintsMakeAPassACrash) {
  GuestOutcome outcome = Passing();
  outcome.kernel_log = {
      "<6>[   10.000000] kassay: ring.Ring.Denies",
      "<4>[   10.100000] WARNING: io_uring/cancel.c:12 at io_uring_cancel+0x1/0x2, CPU#0: ring/77",
      "<4>[   10.100001] Modules linked in:",
      "<1>[   10.200000] BUG: kernel NULL pointer dereference, address: 0000000000000008"};
  const CaseResult result = JudgeIt(outcome);
  EXPECT_EQ(result.verdict, Verdict::kCrash);
  EXPECT_EQ(
      result.reason,
      "WARNING: io_uring/cancel.c:12 at io_uring_cancel+0x1/0x2, CPU#0: ring/77 (and 1 more)");
  EXPECT_THAT(result.kernel_log, SizeIs(4));
  EXPECT_EQ(result.passes, 0);
}

TEST(Judge, NewTaintIsACrashUnlessTheCaseBringsIt) {
  GuestOutcome outcome = Passing();
  outcome.taint_before = TaintBits("E");
  outcome.taint_after = TaintBits("EW");
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kCrash);
  EXPECT_EQ(JudgeIt(outcome).reason, "the kernel is tainted: W");
  outcome.taint_after = outcome.taint_before;
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kPass);
  ListedCase listed = Listed();
  listed.allows_taint = "OE";
  outcome.taint_before = 0;
  outcome.taint_after = TaintBits("OE");
  EXPECT_EQ(JudgeAs(listed, outcome).verdict, Verdict::kPass);
  outcome.taint_after = TaintBits("OEF");
  EXPECT_EQ(JudgeAs(listed, outcome).reason, "the kernel is tainted: F");
}

TEST(Judge, AWarningIsNoCrashWhereTheCaseProvokesOne) {
  GuestOutcome outcome = Passing();
  outcome.kernel_log = {"<4>[    1.0] WARNING: mm/slub.c:1 at f+0x1/0x2"};
  outcome.taint_after = TaintBits("W");
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kCrash);
  ListedCase listed = Listed();
  listed.allows_taint = "W";
  EXPECT_EQ(JudgeAs(listed, outcome).verdict, Verdict::kPass);
  outcome.kernel_log.emplace_back("<4>[    1.1] BUG: unable to handle page fault");
  EXPECT_EQ(JudgeAs(listed, outcome).verdict, Verdict::kCrash);
}

TEST(Judge, ADeadKernelIsACrashWithItsPanic) {
  GuestOutcome outcome = Passing();
  outcome.end = End::kKernelDied;
  outcome.records = {kStart};
  outcome.console =
      "[    9.1] Oops: general protection fault\r\n[    9.2] Kernel panic - not syncing: Fatal "
      "exception\r\n";
  const CaseResult result = JudgeIt(outcome);
  EXPECT_EQ(result.verdict, Verdict::kCrash);
  EXPECT_EQ(result.reason, "Kernel panic - not syncing: Fatal exception");
  EXPECT_THAT(result.console, HasSubstr("Oops"));
}

TEST(Judge, AnExpectedPanicIsTheOnlyPass) {
  ListedCase listed = Listed();
  listed.expects_panic = "panic - not syncing: dm-verity device corrupted";
  EXPECT_EQ(JudgeAs(listed, Passing()).verdict, Verdict::kFail);
  EXPECT_EQ(JudgeAs(listed, Passing()).reason, "the kernel lives, a panic was expected");
  GuestOutcome outcome = Passing();
  outcome.end = End::kKernelDied;
  outcome.records = {kStart};
  outcome.console = "Kernel panic - not syncing: dm-verity device corrupted\n";
  EXPECT_EQ(JudgeAs(listed, outcome).verdict, Verdict::kPass);
  outcome.console = "Kernel panic - not syncing: Attempted to kill init!\n";
  EXPECT_EQ(JudgeAs(listed, outcome).verdict, Verdict::kCrash);
  EXPECT_THAT(JudgeAs(listed, outcome).reason, HasSubstr("not the panic expected"));
  outcome.console = "Kernel panic - not syncing: dm-verity device corrupted\n";
  outcome.records = {kStart, kFailure};
  EXPECT_EQ(JudgeAs(listed, outcome).verdict, Verdict::kFail);
}

TEST(Judge, AnExpectedRestartIsKnownByItsWords) {
  ListedCase listed = Listed();
  listed.expects_panic = "Restarting system with command 'dm-verity device corrupted'";
  GuestOutcome outcome = Passing();
  outcome.end = End::kKernelDied;
  outcome.records = {kStart};
  outcome.console =
      "[    9.1] reboot: Restarting system with command 'dm-verity device corrupted'\r\n";
  EXPECT_EQ(JudgeAs(listed, outcome).verdict, Verdict::kPass);
  outcome.console = "[    9.1] reboot: Restarting system\r\n";
  EXPECT_EQ(JudgeAs(listed, outcome).verdict, Verdict::kCrash);
  outcome.console = "Kernel panic - not syncing: dm-verity device corrupted\n";
  EXPECT_EQ(JudgeAs(listed, outcome).verdict, Verdict::kCrash) << "a panic is no restart";
}

TEST(Judge, ALyingGuestIsAnError) {
  GuestOutcome outcome = Passing();
  outcome.end = End::kLied;
  outcome.detail = "a frame of 4 GiB";
  EXPECT_EQ(JudgeIt(outcome).verdict, Verdict::kError);
  EXPECT_EQ(JudgeIt(outcome).reason, "the guest broke the protocol: a frame of 4 GiB");
}

TEST(Judge, HugeLogsAreCutInTheMiddle) {
  GuestOutcome outcome = Passing();
  for (int i = 0; i < 2000; ++i)
    outcome.kernel_log.push_back("<6>[ 1.0] line " + std::to_string(i));
  const CaseResult result = JudgeIt(outcome);
  EXPECT_THAT(result.kernel_log, SizeIs(501));
  EXPECT_EQ(result.kernel_log[250], "[1500 lines left out]");
  EXPECT_THAT(result.kernel_log.back(), HasSubstr("line 1999"));
}

TEST(Judge, RepeatedRunsKeepTheWorstAndCount) {
  GuestOutcome failing = Passing();
  failing.records = {kStart, kFailure, kFailed};
  std::vector<Attempt> attempts = {{5, Passing(), ""}, {7, failing, ""}, {1, Passing(), ""}};
  const CaseResult result = JudgeAll(attempts);
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_EQ(result.attempts, 3);
  EXPECT_EQ(result.passes, 2);
  EXPECT_EQ(result.duration_ms, 13);
  // An attempt that the harness could not make counts as one.
  attempts[1] = {7, std::nullopt, "QEMU went away\nfor good"};
  const CaseResult broken = JudgeAll(attempts);
  EXPECT_EQ(broken.verdict, Verdict::kError);
  EXPECT_EQ(broken.reason, "QEMU went away");
  EXPECT_EQ(broken.attempts, 3);
  EXPECT_EQ(broken.passes, 2);
}

TEST(Judge, AProbeIsJudgedByWhatItDidToTheKernelAndByItsRecords) {
  GuestOutcome probe = Passing();
  probe.records = {R"({"type":"feature","feature":"f","present":true,"detail":""})"};
  EXPECT_EQ(JudgeAsProbe(probe).verdict, Verdict::kPass);
  GuestOutcome dead = probe;
  dead.end = GuestOutcome::End::kKernelDied;
  EXPECT_EQ(JudgeAsProbe(dead).verdict, Verdict::kCrash);
  GuestOutcome failed = probe;
  failed.status = 3;
  EXPECT_EQ(JudgeAsProbe(failed).verdict, Verdict::kError);
  // A record of a case is none of a probe.
  probe.records.push_back(kStart);
  EXPECT_EQ(JudgeAsProbe(probe).verdict, Verdict::kError);
  EXPECT_THAT(JudgeAsProbe(probe).reason, HasSubstr("records are wrong"));
}

Catalogue WithErratum(const std::string& affects, std::vector<std::string> cases = {}) {
  Catalogue catalogue;
  Requirement requirement;
  requirement.id = "R-1";
  Erratum erratum;
  erratum.affected = VersionCondition::Parse(affects).value();
  erratum.fixed = "7.1.8";
  erratum.text = "lost over execve";
  erratum.cases = std::move(cases);
  requirement.errata = {erratum};
  catalogue.requirements = {requirement};
  return catalogue;
}

TEST(Erratum, ExplainsAFailureOfAnAffectedVersionOnly) {
  GuestOutcome failing = Passing();
  failing.records = {kStart, kFailure, kFailed};
  const CaseResult failed = JudgeIt(failing);
  CaseResult result = failed;
  MatchErratum(result, WithErratum("<7.1.8"), {7, 0, 13});
  ASSERT_TRUE(result.erratum);
  EXPECT_EQ(result.erratum->id, "R-1");
  EXPECT_THAT(result.reason, StartsWith("known: fixed in 7.1.8: suites/ring"));
  result = failed;
  MatchErratum(result, WithErratum("<7.1.8"), {7, 1, 8});
  EXPECT_FALSE(result.erratum);
  EXPECT_EQ(result.reason, failed.reason);
  result = failed;
  MatchErratum(result, WithErratum("<7.1.8", {"Other.*"}), {7, 0, 13});
  EXPECT_FALSE(result.erratum);
  MatchErratum(result, WithErratum("<7.1.8", {"Ring.*"}), {7, 0, 13});
  EXPECT_TRUE(result.erratum);
  CaseResult passed = JudgeIt(Passing());
  MatchErratum(passed, WithErratum("<7.1.8"), {7, 0, 13});
  EXPECT_FALSE(passed.erratum);
}

TEST(ProbeRecords, AreRead) {
  const auto records =
      ReadProbeRecords({R"({"type":"feature","feature":"f","present":true,"detail":"EFAULT"})",
                        R"({"type":"feature","feature":"g","present":false,"detail":"EINVAL"})"});
  EXPECT_EQ(records.problem, "");
  ASSERT_THAT(records.features, SizeIs(2));
  EXPECT_TRUE(records.features[0].present);
  EXPECT_FALSE(records.features[1].present);
  EXPECT_EQ(records.features[1].detail, "EINVAL");
}

TEST(ProbeRecords, BreachesAreNamed) {
  const std::string f = R"({"type":"feature","feature":"f","present":true,"detail":""})";
  EXPECT_THAT(ReadProbeRecords({f, f}).problem, HasSubstr("'f' probed twice"));
  EXPECT_THAT(ReadProbeRecords({kStart}).problem, HasSubstr("'case_start' from a probe"));
  EXPECT_THAT(ReadProbeRecords({R"({"type":"feature","feature":"f","present":"yes"})"}).problem,
              HasSubstr("feature/present"));
}

}  // namespace
}  // namespace kassay
