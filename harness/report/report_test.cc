#include <gmock/gmock.h>

#include <pugixml.hpp>
#include <sstream>

#include "harness/report/junit.h"
#include "harness/report/ktap.h"
#include "harness/report/posture.h"
#include "harness/report/printable.h"
#include "harness/report/progress.h"
#include "harness/report/repeat_command.h"
#include "harness/report/table.h"

namespace kassay {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::Each;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Ne;
using ::testing::Not;
using ::testing::StartsWith;

CaseResult Case(const std::string& name, Verdict verdict, const std::string& reason = "") {
  CaseResult result;
  result.suite = "io_uring";
  result.case_name = name;
  result.requirements = {"IOU-051"};
  result.features = {"lists"};
  result.verdict = verdict;
  result.reason = reason;
  result.duration_ms = 1234;
  result.passes = verdict == Verdict::kPass ? 1 : 0;
  return result;
}

RunResult Sample() {
  RunResult run;
  run.kernel.spec = "debian:7.0.13";
  run.kernel.release = "7.0.13+deb13-cloud-amd64";
  run.environment.qemu_version = "7.2.22";
  run.environment.accelerator = "tcg";
  run.environment.boot = "direct";
  run.environment.isolation = "case";
  run.features = {{.feature = "lists", .status = FeatureStatus::kNonconformant},
                  {.feature = "filters",
                   .status = FeatureStatus::kDisabled,
                   .reason = "CONFIG_IO_URING_BPF is not set"}};
  CaseResult known = Case("Exec.Keeps", Verdict::kFail, "known: fixed in 7.1.8: x");
  known.erratum = ErratumMatch{"IOU-051", "7.1.8", "lost", "changelog"};
  known.failures = {{"suites/io_uring/exec.cc", 12, "Expected <\"&> \x1b[31m"}};
  run.cases = {Case("Ring.Allows", Verdict::kPass),
               known,
               Case("Ring.Hangs", Verdict::kTimeout, "no end within 30 s"),
               Case("Ring.Panics", Verdict::kCrash, "Kernel panic - not syncing: #1"),
               Case("Ring.Left", Verdict::kAbsent, "EINVAL"),
               Case("Ring.Unmet", Verdict::kUnmet, "the race was never hit"),
               Case("Ring.Broken", Verdict::kError, "QEMU went away")};
  return run;
}

TEST(Table, CountsAndNamesWhatIsThere) {
  const std::string text = TableOf(Sample(), {});
  EXPECT_THAT(text, EndsWith(": 7 cases: 1 pass, 1 fail, 1 crash, 1 timeout, 1 absent, 1 unmet, "
                             "1 error (1 known); 1 of 1 requirements tested\n"));
  EXPECT_THAT(text, ContainsRegex("lists +nonconformant +1 +1 +1 +1 +1 +1 +1\n"));
  EXPECT_THAT(text, ContainsRegex("filters +disabled +- +- +- +- +- +- +-  CONFIG"));
  RunResult one;
  one.cases = {Case("A.B", Verdict::kPass)};
  EXPECT_THAT(TableOf(one, {}), EndsWith(": 1 case: 1 pass; 1 of 1 requirements tested\n"));
}

TEST(Table, UnexplainedCasesComeFirst) {
  const std::string text = TableOf(Sample(), {});
  std::vector<size_t> places;
  for (const char* name : {"Ring.Hangs", "Ring.Panics", "Ring.Broken", "Exec.Keeps"})
    places.push_back(text.find(std::string("io_uring.") + name));
  EXPECT_THAT(places, Each(Ne(std::string::npos)));
  EXPECT_TRUE(std::is_sorted(places.begin(), places.end()));
}

TEST(Table, SaysWhatWhyAndHowToRepeat) {
  const std::string text = TableOf(Sample(), {.out_dir = "out/x"});
  EXPECT_THAT(text, HasSubstr("known: fixed in 7.1.8"));
  EXPECT_THAT(text,
              HasSubstr("kassay run --kernel debian:7.0.13 --suite io_uring --case Exec.Keeps"));
  EXPECT_THAT(text, HasSubstr("CONFIG_IO_URING_BPF is not set"));
  EXPECT_THAT(text, HasSubstr("unmet: the race was never hit"));
  EXPECT_THAT(text, HasSubstr("results: out/x\n"));
  EXPECT_THAT(text, HasSubstr("\ndebian:7.0.13: nonconformant: 7 cases"));
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  EXPECT_THAT(TableOf(Sample(), {.colours = true}), HasSubstr("\033[31m"));
}

TEST(Table, TextFromTheGuestCannotDriveTheTerminal) {
  RunResult run = Sample();
  run.cases[2].reason = "\x1b]0;owned\x07 \xff\nnext line";
  const std::string text = TableOf(run, {});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("?]0;owned? ? next line"));
}

TEST(Printable, KeepsUtf8AndCutsAtCharacters) {
  EXPECT_EQ(PrintableLine("a\xc3\xa4"
                          "b"),
            "a\xc3\xa4"
            "b");
  EXPECT_EQ(PrintableLine("\xc3\xa4\xc3\xa4", 3), "\xc3\xa4...");
  EXPECT_EQ(PrintableLine("\xed\xa0\x80"), "???");  // a surrogate
  EXPECT_EQ(PrintableLine("\xc0\x80"), "??");       // overlong
  EXPECT_EQ(PrintableLine("\xc2\x9b"
                          "31m"),
            "?31m");  // C1 control: CSI
  EXPECT_EQ(PrintableLine("a\u2028b\u2029c"), "a?b?c");
  EXPECT_EQ(XmlText("a\x01\r\nb"), "a\xef\xbf\xbd\nb");
  EXPECT_EQ(XmlText("\xef\xbf\xbf"), "\xef\xbf\xbd");
}

TEST(JUnit, IsWellFormedAndCounts) {
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(JUnitOf(Sample()).c_str()));
  const pugi::xml_node root = document.child("testsuites");
  EXPECT_EQ(root.attribute("tests").as_int(), 7);
  EXPECT_EQ(root.attribute("failures").as_int(), 3);
  EXPECT_EQ(root.attribute("errors").as_int(), 1);
  EXPECT_FALSE(root.attribute("skipped")) << "Jenkins' xUnit plugin refuses it";
  const pugi::xml_node suite = root.child("testsuite");
  EXPECT_EQ(suite.attribute("skipped").as_int(), 2);
  EXPECT_STREQ(suite.attribute("name").value(), "io_uring");
  const pugi::xml_node failed = suite.find_child_by_attribute("testcase", "name", "Keeps");
  EXPECT_STREQ(failed.attribute("classname").value(), "io_uring.Exec");
  EXPECT_STREQ(failed.attribute("time").value(), "1.234");
  EXPECT_STREQ(failed.child("failure").attribute("message").value(), "known: fixed in 7.1.8: x");
  // What GoogleTest said is there, escaped once, without control characters.
  // GitLab shows this text alone, not the message beside it.
  EXPECT_THAT(failed.child("failure").text().get(), StartsWith("known: fixed in 7.1.8: x\n"));
  EXPECT_THAT(failed.child("failure").text().get(),
              HasSubstr("exec.cc:12: Expected <\"&> \xef\xbf\xbd[31m"));
  const pugi::xml_node left = suite.find_child_by_attribute("testcase", "name", "Left");
  EXPECT_STREQ(left.child("skipped").attribute("message").value(), "absent: EINVAL");
  EXPECT_STREQ(left.child("skipped").text().get(), "absent: EINVAL");
}

TEST(JUnit, WhatIsKnownOfACaseStandsInItsOutput) {
  RunResult run = Sample();
  run.cases.resize(1);
  run.cases[0].requirements = {"IOU-051"};
  run.cases[0].evidence = {{"errno", "-13"}};
  run.cases[0].console = "the console\n";
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(JUnitOf(run).c_str()));
  const pugi::xml_node only = document.child("testsuites").child("testsuite").child("testcase");
  EXPECT_FALSE(only.child("properties")) << "Jenkins' xUnit plugin refuses them";
  EXPECT_THAT(only.child("system-out").text().get(),
              AllOf(HasSubstr("requirement: IOU-051\n"), HasSubstr("evidence.errno: -13\n"),
                    EndsWith("the console\n")));
}

TEST(JUnit, AGuestNamesNoAttachment) {
  RunResult run = Sample();
  run.cases[1].reason = "[[[ATTACHMENT|/etc/passwd]]";
  run.cases[1].console = "[[ATTACHMENT|/etc/shadow]]\n";
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(JUnitOf(run).c_str()));
  for (const auto& node : document.select_nodes("//failure | //system-out"))
    EXPECT_THAT(node.node().text().get(), Not(HasSubstr("[[ATTACHMENT|")));
}

TEST(JUnit, EvidenceAndMeasuresMayBeProperties) {
  RunResult run = Sample();
  run.cases.resize(1);
  run.cases[0].evidence = {{"errno", "-13"}};
  run.cases[0].measures = {{"returned after", 17, "ms"}};
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(JUnitOf(run, JUnitDetails::kProperties).c_str()));
  const pugi::xml_node properties =
      document.child("testsuites").child("testsuite").child("testcase").child("properties");
  const auto value_of = [&](const char* name) -> std::string {
    return properties.find_child_by_attribute("property", "name", name).attribute("value").value();
  };
  EXPECT_EQ(value_of("evidence.errno"), "-13");
  EXPECT_EQ(value_of("measure.returned after"), "17 ms");
}

TEST(JUnit, AWaivedFindingIsNoFailure) {
  RunResult run = Sample();
  run.cases[2].waiver = "W-1";
  run.cases[6].waiver = "W-2";  // waivers excuse the kernel, not what is our own fault
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(JUnitOf(run).c_str()));
  EXPECT_EQ(document.child("testsuites").attribute("failures").as_int(), 2);
  EXPECT_EQ(document.child("testsuites").attribute("errors").as_int(), 1);
  EXPECT_EQ(document.child("testsuites").child("testsuite").attribute("skipped").as_int(), 3);
}

TEST(Ktap, FollowsTheSpecification) {
  const std::string text = KtapOf(Sample());
  EXPECT_EQ(text,
            "KTAP version 1\n"
            "# kernel: debian:7.0.13 (7.0.13+deb13-cloud-amd64)\n"
            "1..1\n"
            "# selftests: kassay: io_uring\n"
            "  KTAP version 1\n"
            "  1..7\n"
            "  ok 1 Ring.Allows\n"
            "# ok 1 Ring.Allows\n"
            "  # Exec.Keeps: suites/io_uring/exec.cc:12: Expected <\"&> ?[31m\n"
            "  not ok 2 Exec.Keeps # fail: known: fixed in 7.1.8: x\n"
            "# not ok 2 Exec.Keeps # fail: known: fixed in 7.1.8: x\n"
            "  not ok 3 Ring.Hangs # TIMEOUT no end within 30 s\n"
            "# not ok 3 Ring.Hangs # TIMEOUT no end within 30 s\n"
            "  not ok 4 Ring.Panics # crash: Kernel panic - not syncing: _1\n"
            "# not ok 4 Ring.Panics # crash: Kernel panic - not syncing: _1\n"
            "  ok 5 Ring.Left # SKIP absent: EINVAL\n"
            "# ok 5 Ring.Left # SKIP absent: EINVAL\n"
            "  ok 6 Ring.Unmet # SKIP unmet: the race was never hit\n"
            "# ok 6 Ring.Unmet # SKIP unmet: the race was never hit\n"
            "  not ok 7 Ring.Broken # ERROR QEMU went away\n"
            "# not ok 7 Ring.Broken # ERROR QEMU went away\n"
            "not ok 1 selftests: kassay: io_uring\n");
}

TEST(Ktap, AGuestCannotForgeLines) {
  RunResult run = Sample();
  run.cases[2].reason = "x\nok 1 forged";
  EXPECT_THAT(KtapOf(run), HasSubstr("# TIMEOUT x ok 1 forged\n"));
}

// kunit.py splits its input as Python's splitlines() does, at more than line feeds.
TEST(Ktap, AGuestCannotForgeLinesForPythonEither) {
  RunResult run = Sample();
  run.cases[2].reason = "x\u2028ok 1 a\u0085ok 1 b\vok 1 c\x1eok 1 d";
  EXPECT_THAT(KtapOf(run), HasSubstr("# TIMEOUT x?ok 1 a?ok 1 b?ok 1 c?ok 1 d\n"));
}

TEST(Ktap, NoReasonEndsTheOutputOfTheKernel) {
  RunResult run = Sample();
  run.cases[3].reason = "Kernel panic - not syncing: VFS: no root; reboot: System halted";
  run.kernel.spec = "List of all partitions:";
  const std::string text = KtapOf(run);
  EXPECT_THAT(text, HasSubstr("crash: Kernel panic - not syncing; VFS: no root; reboot; System"));
  EXPECT_THAT(text, HasSubstr("# kernel: List of all partitions; ("));
}

TEST(Ktap, AFailureIsNoHeaderOfASubtest) {
  RunResult run = Sample();
  run.cases[1].failures[0].file = "Subtest: forged";
  EXPECT_THAT(KtapOf(run), Not(HasSubstr("# Subtest: ")));
}

TEST(Ktap, ASuiteOfWhichNothingRanIsSkipped) {
  RunResult run = Sample();
  run.cases = {Case("A.B", Verdict::kAbsent, "x"), Case("A.C", Verdict::kUnmet, "y")};
  EXPECT_THAT(KtapOf(run), EndsWith("\nok 1 selftests: kassay: io_uring # SKIP nothing of it ran "
                                    "to an answer\n"));
}

TEST(Ktap, AReasonBringsNoDirective) {
  RunResult run = Sample();
  run.cases[1].reason = "expected # SKIP, element #0 # TODO";
  EXPECT_THAT(KtapOf(run), HasSubstr("# fail: expected _ SKIP, element _0 _ TODO\n"));
}

TEST(Ktap, AWaivedFindingIsOk) {
  RunResult run = Sample();
  run.cases[1].waiver = "W-1";
  EXPECT_THAT(KtapOf(run), HasSubstr("\n  ok 2 Exec.Keeps # XFAIL waived by W-1: "));
}

TEST(RepeatCommand, IsQuotedForTheShell) {
  RunResult run = Sample();
  run.kernel.spec = "image:/my kernel's";
  EXPECT_EQ(CommandThatRepeats(run, run.cases[0]),
            "kassay run --kernel 'image:/my kernel'\\''s' --suite io_uring --case Ring.Allows");
}

TEST(RepeatCommand, HasAllThatDecidesOverTheRun) {
  RunResult run = Sample();
  run.kernel.spec = "/src/bzImage";
  run.environment.boot = "bzimage";
  run.environment.isolation = "suite";
  run.asked = {{"accel", "tcg"},     {"config", "/src/.config"}, {"headers", "/src/headers"},
               {"limit-scale", "2"}, {"modules", "/src/lib"},    {"profile", "mine"},
               {"repeat", "3"}};
  EXPECT_EQ(CommandThatRepeats(run, run.cases[0]),
            "kassay run --kernel /src/bzImage --suite io_uring --case Ring.Allows --boot bzimage "
            "--isolation suite --accel tcg --config /src/.config --headers /src/headers "
            "--limit-scale 2 --modules /src/lib --profile mine --repeat 3");
}

TEST(RepeatCommand, HasTheCpuModelThatWasAskedFor) {
  RunResult run = Sample();
  run.asked = {{"accel", "kvm"}, {"cpu", "max,+svm"}};
  EXPECT_THAT(CommandThatRepeats(run, run.cases[0]), EndsWith(" --accel kvm --cpu max,+svm"));
  EXPECT_THAT(TableOf(run, {}), HasSubstr("QEMU 7.2.22, tcg, CPU max, boot direct"));
}

TEST(Progress, ShowsDoneWrongAndTimeToGo) {
  auto now = std::chrono::steady_clock::time_point();
  std::ostringstream out;
  Progress progress(out, /*terminal=*/true, [&] { return now; });
  progress.Plan(10, 0);
  now += std::chrono::seconds(20);
  progress.Finished(Case("A.B", Verdict::kPass));
  CaseResult known = Case("A.C", Verdict::kFail, "known: x");
  known.erratum = ErratumMatch{};
  progress.Finished(known);
  EXPECT_THAT(out.str(), HasSubstr("2/10 cases, 1 failed (1 known), 1:20 min to go"));
  EXPECT_THAT(out.str(), HasSubstr("fail: io_uring.A.C: known: x\n"));
  progress.End();
  EXPECT_THAT(out.str(), ::testing::EndsWith("\r\033[K"));
}

TEST(Progress, IsSparingWhereNobodyWatches) {
  auto now = std::chrono::steady_clock::time_point();
  std::ostringstream out;
  Progress progress(out, /*terminal=*/false, [&] { return now; });
  progress.Plan(100, 0);
  for (int i = 0; i < 60; ++i) {
    now += std::chrono::seconds(1);
    progress.Finished(Case("A.B", Verdict::kPass));
  }
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
  EXPECT_THAT(text, Not(HasSubstr("\033")));
}

CaseResult Option(const std::string& option, const std::string& configured,
                  const std::string& running, Verdict verdict = Verdict::kPass) {
  CaseResult result = Case("Option/Table.Agrees/" + option, verdict);
  result.evidence = {{"posture.option", option},
                     {"posture.configured", configured},
                     {"posture.running", running},
                     {"posture.why", "it matters"}};
  return result;
}

TEST(Posture, SaysOfEachOptionWhatIsConfiguredAndWhatRuns) {
  RunResult run = Sample();
  EXPECT_EQ(PostureTableOf(run), "");
  run.cases.push_back(Option("CONFIG_A", "on", "on"));
  run.cases.push_back(Option("CONFIG_B", "off", "on", Verdict::kFail));
  run.cases.push_back(Option("CONFIG_C", "gone", "unseen: only the configuration tells"));
  run.cases.push_back(Option("CONFIG_D", "on (m)", "off"));
  run.cases.back().evidence.push_back({"posture.note", "d=0 overrides it"});
  const std::string table = PostureTableOf(run);
  EXPECT_THAT(table, HasSubstr("# Security-relevant options of 7.0.13+deb13-cloud-amd64\n"));
  EXPECT_THAT(table, HasSubstr("2 on, 1 off, 1 not in this kernel. The running system does not "
                               "agree with the configuration of 1.\n"));
  // What does not agree comes first.
  EXPECT_THAT(table, EndsWith(R"(
| option   | configured | running                      | agree?      | why it matters |
| -------- | ---------- | ---------------------------- | ----------- | -------------- |
| CONFIG_B | off        | on                           | NO          | it matters |
| CONFIG_A | on         | on                           | yes         | it matters |
| CONFIG_C | gone       | only the configuration tells | -           | it matters |
| CONFIG_D | on (m)     | off                          | set at boot | it matters (d=0 overrides it) |
)"));
}

TEST(Posture, TextOfTheGuestStaysInItsCell) {
  RunResult run;
  run.cases = {Option("CONFIG_<b>|x|", "on", "on\n| y |\x1b[31m")};
  const std::string table = PostureTableOf(run);
  EXPECT_THAT(table, HasSubstr("CONFIG\\_\\<b\\>\\|x\\|"));
  EXPECT_THAT(table, HasSubstr("on \\| y \\|?\\[31m"));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 7);
  run.cases = {Option("CONFIG_X_Y", "on", "_no_ emphasis, ~~no~~ &lt;b&gt;")};
  EXPECT_THAT(
      PostureTableOf(run),
      HasSubstr("| CONFIG_X_Y | on         | \\_no\\_ emphasis, \\~\\~no\\~\\~ \\&lt;b\\&gt;"));
}

}  // namespace
}  // namespace kassay
