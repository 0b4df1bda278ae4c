// The page in a real browser: hostile text stays text, the script runs under its own policy, search
// and addresses work. Skipped, with the reason, where there is no Chromium.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "harness/base/file.h"
#include "harness/base/process/program.h"
#include "harness/report/html/testing/sample_run.h"
#include "harness/report/testing/worst_run.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Chromium() {
  for (const char* path :
       {"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"}) {
    if (fs::exists(path)) return path;
  }
  return "";
}

size_t Count(const std::string& text, std::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

class Browser : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Chromium().empty()) GTEST_SKIP() << "no Chromium here: apt-get install chromium";
    const char* kept = std::getenv("KASSAY_KEEP_PAGES");  // NOLINT(concurrency-mt-unsafe)
    keep_ = kept != nullptr;
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        keep_ ? fs::path(kept) : fs::path(::testing::TempDir()) / "kassay-page" / test->name();
    fs::create_directories(folder_);
  }
  void TearDown() override {
    if (!keep_ && !folder_.empty()) fs::remove_all(folder_);
  }

  // The document as it stands once the page's script has run. `address` is what follows the '#'.
  std::string Dom(const std::string& name, const std::string& page,
                  const std::string& address = "") {
    const fs::path file = folder_ / name;
    EXPECT_TRUE(WriteFileAtomically(file, page));
    const auto shown =
        RunProgram({.argv = {Chromium(), "--headless", "--no-sandbox", "--disable-gpu",
                             "--disable-quic", "--no-first-run", "--disable-background-networking",
                             "--disable-component-update", "--disable-sync",
                             "--user-data-dir=" + (folder_ / "profile").string(), "--dump-dom",
                             "file://" + file.string() + (address.empty() ? "" : "#" + address)}},
                   {.time = std::chrono::seconds(90), .output_bytes = size_t{64} << 20});
    EXPECT_TRUE(shown) << shown.error().message;
    const std::string dom = shown ? shown->standard_output : "";
    fs::remove_all(folder_ / "profile");
    // What the script made stands in <main> and <dialog>; the data and the script follow.
    return dom.substr(0, dom.find("<script type=\"application/json\""));
  }

  bool keep_ = false;
  fs::path folder_;
};

TEST_F(Browser, ARunShowsTheVerdictAndWhatIsWrong) {
  const std::string dom = Dom("run.html", HtmlOfRun(SampleRun(), SampleContext()));
  EXPECT_THAT(dom, HasSubstr(">Does not conform<"));
  EXPECT_THAT(dom, HasSubstr("known bug, fixed in 7.1.8"));
  EXPECT_THAT(dom, HasSubstr("waived by W-2026-01"));
  EXPECT_THAT(dom, HasSubstr("CONFIG_CRYPTO_MLDSA is not set"));
  EXPECT_THAT(dom, HasSubstr("8 requirements"));
}

TEST_F(Browser, TheWorstRunIsShown) {
  const std::string dom = Dom("worst.html", HtmlOfRun(WorstRun(), SampleContext()));
  EXPECT_THAT(dom, HasSubstr(">Does not conform<"));
  EXPECT_THAT(dom, HasSubstr("Kernel panic - not syncing: VFS: Unable to mount root fs"));
  EXPECT_THAT(dom, Not(HasSubstr("<img")));
}

TEST_F(Browser, HostileTextStaysText) {
  RunResult run = SampleRun();
  run.kernel.package_version.clear();
  run.kernel.release = kHostileText;
  run.cases[4].reason = kHostileText;
  const std::string dom =
      Dom("hostile.html", HtmlOfRun(run, SampleContext()), "io_uring.Filter.LongProgram");
  EXPECT_THAT(dom, HasSubstr("&lt;img src=x onerror=alert(1)&gt;"));
  EXPECT_THAT(dom, Not(HasSubstr("<img")));
  EXPECT_THAT(dom, Not(HasSubstr("<title>owned")));
  EXPECT_THAT(dom, HasSubstr("<dialog id=\"detail\" aria-label=\"Details\" open"));
}

TEST_F(Browser, AnAddressOpensTheCaseWithItsEvidenceAndCommand) {
  const std::string dom = Dom("case.html", HtmlOfRun(SampleRun(), SampleContext()),
                              "io_uring.TaskList.SurvivesExecOnceARingWasUsed");
  const std::string pane = dom.substr(dom.find("<dialog"));
  EXPECT_THAT(pane, HasSubstr("execve keeps a task's restrictions"));
  EXPECT_THAT(pane, HasSubstr("suites/io_uring/exec.cc:88"));
  EXPECT_THAT(pane, HasSubstr("made before execve"));
  EXPECT_THAT(pane, HasSubstr("kassay run --kernel debian:7.0.13 --suite io_uring --case "
                              "TaskList.SurvivesExecOnceARingWasUsed"));
}

TEST_F(Browser, SearchAndChoiceNarrowTheList) {
  const std::string page = HtmlOfRun(SampleRun(), SampleContext());
  const std::string found = Dom("find.html", page, "find=iou-07");
  EXPECT_THAT(found, HasSubstr(">4 of 8 requirements<"));
  EXPECT_EQ(Count(found, "data-requirement=\"IOU-07"), 4U);
  EXPECT_EQ(Count(found, "data-requirement="), 4U);
  const std::string wrong = Dom("wrong.html", page, "show=wrong");
  EXPECT_EQ(Count(wrong, "data-requirement="), 2U);
  EXPECT_THAT(Dom("none.html", page, "find=nosuchthing"), HasSubstr(">0 of 8 requirements<"));
}

TEST_F(Browser, OptionsAreATableWithWhatDoesNotAgreeFirst) {
  RunResult run = SampleRun();
  EXPECT_THAT(Dom("without.html", HtmlOfRun(run, SampleContext())), Not(HasSubstr("Posture")));
  for (const char* option : {"CONFIG_A", "CONFIG_B"}) {
    CaseResult result =
        SampleCase("posture", std::string("Table.Agrees/") + option, "HRD-100",
                   option == std::string("CONFIG_B") ? Verdict::kFail : Verdict::kPass);
    result.evidence = {{"posture.option", option},
                       {"posture.configured", "off"},
                       {"posture.running", "on"},
                       {"posture.why", kHostileText}};
    run.cases.push_back(result);
  }
  const std::string dom = Dom("posture.html", HtmlOfRun(run, SampleContext()));
  EXPECT_THAT(dom, HasSubstr("0 on, 2 off, 0 not in this kernel."));
  EXPECT_THAT(dom, HasSubstr("does not agree with the configuration of 1."));
  EXPECT_LT(dom.find("data-option=\"CONFIG_B\""), dom.find("data-option=\"CONFIG_A\""));
  EXPECT_THAT(dom, Not(HasSubstr("<img")));
}

TEST_F(Browser, AComparisonAndAMatrixAreShown) {
  RunResult fixed = SampleRun();
  fixed.kernel.release = "7.2.12+deb13-cloud-amd64";
  fixed.kernel.spec = "debian:7.2.12";
  fixed.cases[1] = SampleCase("io_uring", fixed.cases[1].case_name, "IOU-051", Verdict::kPass);
  fixed.cases[2].verdict = Verdict::kFail;
  fixed.cases[2].reason = kHostileText;
  const Baseline before = BaselineOf(SampleRun());
  const Baseline after = BaselineOf(fixed);
  const std::string comparison =
      Dom("comparison.html", HtmlOfComparison(Compare(before, after), SampleContext()));
  EXPECT_THAT(comparison, HasSubstr(">Worse<"));
  EXPECT_THAT(comparison, HasSubstr("7.2.12+deb13-cloud-amd64"));
  EXPECT_THAT(comparison, Not(HasSubstr("<img")));
  const std::string matrix =
      Dom("matrix.html",
          HtmlOfMatrix(MatrixOf({before, after}, {{"IOU-070", "io_uring_bpf_filter"}}),
                       SampleContext()),
          "find=IOU-070");
  EXPECT_THAT(matrix, HasSubstr("data-row=\"IOU-070\""));
  EXPECT_THAT(matrix, HasSubstr("2 of 2 kernels not conformant"));
}

}  // namespace
}  // namespace kassay
