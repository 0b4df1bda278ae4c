// A run as bad for its readers as one can be: every verdict, waived or not, with texts that a
// guest would choose to be misread, and many cases.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "harness/result/run_result.h"

namespace kassay {

inline constexpr std::array<Verdict, 7> kEveryVerdict{
    Verdict::kPass,   Verdict::kFail,  Verdict::kCrash, Verdict::kTimeout,
    Verdict::kAbsent, Verdict::kUnmet, Verdict::kError};

// What a consumer that knows only these shall count.
struct Tally {
  size_t ok = 0;  // a waived finding is no failure
  size_t failed = 0;
  size_t skipped = 0;
  friend bool operator==(const Tally&, const Tally&) = default;
};

inline Tally TallyOf(const std::vector<CaseResult>& cases) {
  Tally tally;
  for (const CaseResult& result : cases) {
    const bool waived = IsNonconformant(result.verdict) && !result.waiver.empty();
    if (result.verdict == Verdict::kPass || waived) {
      ++tally.ok;
    } else if (result.verdict == Verdict::kAbsent || result.verdict == Verdict::kUnmet) {
      ++tally.skipped;
    } else {
      ++tally.failed;
    }
  }
  return tally;
}

inline std::vector<std::string> HostileTexts() {
  using std::string_literals::operator""s;
  return {
      "",
      "element #0 # SKIP later # TODO",
      "x\nok 1 forged\r\nnot ok 2 forged\rok 3",
      "x\u2028ok 1 forged\u2029not ok 2 forged\u0085ok 3",  // splitlines() of Python
      "x\v ok 1 forged\fok 2\x1cok 3\x1dok 4\x1eok 5",      // and these
      "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
      "reboot: System halted, List of all partitions:",
      "KTAP version 1\n1..1\nBail out! # Subtest: x",
      "</failure></testcase>]]><!-- & \" ' <![CDATA[",
      "not UTF-8: \xff\xfe \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82",
      "zero: \0 noncharacters: \xef\xbf\xbe \xef\xbf\xbf"s,
      "\x1b]0;owned\x07\x1b[2J \u202e right to left",
      "100%0A::error ::forged\n::stop-commands::x\n##[error]forged",
      "| a | b |\n| --- | --- |\n[x](javascript:alert) <img src=x onerror=alert(1)> `$(reboot)`",
      "_emphasis_ __strong__ ~~struck~~ &lt;b&gt; &#124; http://x/ ![x](y) CONFIG_X_Y",
      "[[ATTACHMENT|/etc/passwd]] \\# \\",
      std::string(397, 'x') + "\U0001f427\U0001f427",  // cut in the midst of a character?
      std::string(5'000, 'y'),
  };
}

// `copies` of each verdict with each of those texts, waived ones beside; half of the copies in each
// of two suites, and a third suite of which nothing ran.
inline RunResult WorstRun(int copies = 1) {
  RunResult run;
  run.kernel = {.spec = "image:/tmp/a,b #c",
                .release = "7.0.13 # SKIP",
                .version = "7.0.13",
                .image_sha256 = std::string(64, 'a')};
  run.environment = {.kassay_version = "0.1.0",
                     .qemu_version = "7.2.22 (Debian)",
                     .accelerator = "tcg",
                     .boot = "direct",
                     .isolation = "case"};
  run.suites = {"even", "left", "odd"};
  run.started_at = "2026-11-24T06:00:00Z";
  run.finished_at = "2026-11-24T06:01:40Z";
  const std::vector<std::string> texts = HostileTexts();
  const auto add = [&](const std::string& suite, Verdict verdict, size_t text, bool waived,
                       int copy) {
    CaseResult result;
    result.suite = suite;
    result.case_name = "Worst." + std::string(ToString(verdict)) + (waived ? "Waived" : "") + "/" +
                       std::to_string(text) + "_" + std::to_string(copy);
    result.requirements = {"W-001", "W-002"};
    result.verdict = verdict;
    result.duration_ms = 1234 + copy;
    const std::string& words = texts[text];
    if (waived) result.waiver = "WAIVER # SKIP 1";
    if (verdict != Verdict::kPass) {
      result.reason = words;
      // GoogleTest knows no place of what was thrown.
      result.failures = {
          text % 2 == 0 ? Failure{"suites/a,b:c.cc", 12, words} : Failure{"", -1, words},
          Failure{"Subtest: " + words, 1, words}};
      result.console = words + "\n";
      result.kernel_log = {words};
    }
    result.evidence = {{"key " + words, words},
                       {"posture.option", "CONFIG_" + std::to_string(run.cases.size())},
                       {"posture.configured", text % 3 == 0 ? "on" : "off"},
                       {"posture.running", words},
                       {"posture.why", words}};
    result.measures = {{"took " + words, "1 of 2", words}};
    if (verdict == Verdict::kCrash) result.erratum = ErratumMatch{"W-001", "7.1.8", words, words};
    run.cases.push_back(result);
  };
  for (int copy = 0; copy < copies; ++copy) {
    for (const Verdict verdict : kEveryVerdict) {
      for (size_t text = 0; text < texts.size(); ++text) {
        add(copy % 2 == 0 ? "even" : "odd", verdict, text, /*waived=*/false, copy);
        if (IsNonconformant(verdict))
          add(copy % 2 == 0 ? "even" : "odd", verdict, text, /*waived=*/true, copy);
      }
    }
  }
  for (size_t text = 0; text < texts.size(); ++text)
    add("left", Verdict::kAbsent, text, /*waived=*/false, 0);
  run.features = {{.feature = "worst", .suite = "even", .title = texts[8], .reason = texts[3]}};
  run.notes = texts;
  return run;
}

}  // namespace kassay
