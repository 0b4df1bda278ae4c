#include "harness/verdict/journal.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "harness/base/file.h"

namespace kassay {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    std::string name = ::testing::TempDir() + "/journal-XXXXXX";
    dir_ = ::mkdtemp(name.data());
    plan_.kernel.spec = "debian:7.0.13";
    plan_.kernel.image_sha256 = "ab";
    plan_.suites = {"io_uring"};
    plan_.filters = {"Ring.*"};
    plan_.isolation = "case";
    plan_.repeat = 2;
    outcome_.end = GuestOutcome::End::kTimedOut;
    outcome_.records = {"{}"};
    outcome_.taint_after = std::uint64_t{1} << 63;
    outcome_.console = "boot\r\n\x1b[0m";
    finished_ = {"io_uring", "Ring.Denies", {{12, outcome_, ""}, {3, std::nullopt, "no QEMU"}}};
  }
  ~JournalTest() override { fs::remove_all(dir_); }

  fs::path dir_;
  RunPlanRecord plan_;
  GuestOutcome outcome_;
  JournalledCase finished_;
};

TEST_F(JournalTest, GivesBackWhatWasWritten) {
  auto journal = Journal::Begin(dir_ / "run", plan_);
  ASSERT_TRUE(journal) << journal.error().message;
  ASSERT_TRUE(journal->AddProbe("io_uring", outcome_));
  ASSERT_TRUE(journal->AddCase(finished_));
  ASSERT_TRUE(journal->AddNote("emulation"));
  ASSERT_TRUE(journal->AddMachine("stock", {"7.2", "tcg", "max,+svm", "direct", "console=ttyS0"}));
  ASSERT_TRUE(journal->End("2026-01-02T03:04:05Z", false));
  const auto content = ReadJournal(dir_ / "run");
  ASSERT_TRUE(content) << content.error().message;
  EXPECT_EQ(content->plan.kernel.spec, "debian:7.0.13");
  EXPECT_THAT(content->plan.filters, ElementsAre("Ring.*"));
  EXPECT_EQ(content->plan.repeat, 2);
  ASSERT_THAT(content->probes, SizeIs(1));
  EXPECT_EQ(content->probes.begin()->first, "io_uring");
  EXPECT_EQ(content->machines.at("stock"),
            (MachineRecord{"7.2", "tcg", "max,+svm", "direct", "console=ttyS0"}));
  ASSERT_THAT(content->cases, SizeIs(1));
  EXPECT_EQ(content->cases[0].Id(), "io_uring.Ring.Denies");
  ASSERT_THAT(content->cases[0].attempts, SizeIs(2));
  EXPECT_EQ(content->cases[0].attempts[0].duration_ms, 12);
  EXPECT_EQ(content->cases[0].attempts[1].error, "no QEMU");
  EXPECT_FALSE(content->cases[0].attempts[1].outcome);
  ASSERT_TRUE(content->cases[0].attempts[0].outcome);
  const GuestOutcome& back = *content->cases[0].attempts[0].outcome;
  EXPECT_EQ(back.end, GuestOutcome::End::kTimedOut);
  EXPECT_EQ(back.taint_after, std::uint64_t{1} << 63);
  EXPECT_EQ(back.console, outcome_.console);
  EXPECT_THAT(content->notes, ElementsAre("emulation"));
  EXPECT_TRUE(content->ended);
  EXPECT_FALSE(content->interrupted);
  EXPECT_EQ(content->ended_at, "2026-01-02T03:04:05Z");
}

TEST_F(JournalTest, MachinesOfTwoKindsAreBothRemembered) {
  auto journal = Journal::Begin(dir_ / "run", plan_);
  ASSERT_TRUE(journal) << journal.error().message;
  for (const char* accelerator : {"kvm", "tcg"})
    ASSERT_TRUE(journal->AddMachine("stock", {"7.2", accelerator, "max", "direct", "quiet"}));
  ASSERT_TRUE(journal->AddMachine("trust", {"7.2", "tcg", "max", "direct", "quiet"}));
  const auto content = ReadJournal(dir_ / "run");
  ASSERT_TRUE(content) << content.error().message;
  EXPECT_EQ(content->machines.at("stock").accelerator, "mixed");
  EXPECT_EQ(content->machines.at("trust").accelerator, "tcg");
}

// A run that was taken up again and killed has not come to its end.
TEST_F(JournalTest, WhatFollowsAnEndUndoesIt) {
  {
    auto journal = Journal::Begin(dir_, plan_);
    ASSERT_TRUE(journal && journal->End("2026-01-02T03:04:05Z", true));
  }
  EXPECT_TRUE(ReadJournal(dir_)->interrupted);
  {
    auto journal = Journal::Continue(dir_, *ReadJournal(dir_));
    ASSERT_TRUE(journal && journal->AddCase(finished_));
  }
  EXPECT_FALSE(ReadJournal(dir_)->ended);
  EXPECT_EQ(ReadJournal(dir_)->ended_at, "");
}

TEST_F(JournalTest, AnAttemptHasAnOutcomeOrAnError) {
  const auto with = [&](const std::vector<Attempt>& attempts) {
    std::filesystem::remove(dir_ / kJournalName);
    auto journal = Journal::Begin(dir_, plan_);
    EXPECT_TRUE(journal && journal->AddCase({"s", "A.B", attempts}));
    const auto content = ReadJournal(dir_);
    return content ? std::string("read") : content.error().message;
  };
  EXPECT_EQ(with({{1, outcome_, ""}}), "read");
  EXPECT_THAT(with({{1, outcome_, "x"}}), HasSubstr("line 2: an attempt with both"));
  EXPECT_THAT(with({{1, std::nullopt, ""}}), HasSubstr("or with neither"));
  EXPECT_THAT(with({}), HasSubstr("a case without an attempt"));
}

TEST_F(JournalTest, ACutOffLastLineIsPassedOverAndOverwritten) {
  {
    auto journal = Journal::Begin(dir_, plan_);
    ASSERT_TRUE(journal);
    ASSERT_TRUE(journal->AddCase(finished_));
  }
  std::ofstream(dir_ / kJournalName, std::ios::app) << R"({"type":"case","resu)";
  auto content = ReadJournal(dir_);
  ASSERT_TRUE(content) << content.error().message;
  EXPECT_THAT(content->cases, SizeIs(1));
  EXPECT_FALSE(content->ended);
  {
    auto journal = Journal::Continue(dir_, *content);
    ASSERT_TRUE(journal) << journal.error().message;
    ASSERT_TRUE(journal->AddCase(finished_));
  }
  content = ReadJournal(dir_);
  ASSERT_TRUE(content) << content.error().message;
  EXPECT_THAT(content->cases, SizeIs(2));
}

TEST_F(JournalTest, DamageAmidItIsNamedWithItsLine) {
  {
    auto journal = Journal::Begin(dir_, plan_);
    ASSERT_TRUE(journal && journal->AddCase(finished_) && journal->End("", false));
  }
  std::string text = ReadFile(dir_ / kJournalName).value();
  text.replace(text.find("\"timed out\""), 11, "\"dogged out!\"");
  EXPECT_THAT(ParseJournal(text).error().message, HasSubstr("line 2: "));
  EXPECT_THAT(ParseJournal("").error().message, HasSubstr("empty"));
  EXPECT_THAT(ParseJournal("{}\n").error().message, HasSubstr("line 1: /type is missing"));
  EXPECT_THAT(ParseJournal("{\"type\":\"note\",\"text\":\"x\"}\n").error().message,
              HasSubstr("does not begin with the run"));
}

TEST_F(JournalTest, AFolderHoldsOneRun) {
  ASSERT_TRUE(Journal::Begin(dir_, plan_));
  const auto again = Journal::Begin(dir_, plan_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(again.error().message, HasSubstr("--resume"));
}

TEST_F(JournalTest, TwoRunsDoNotWriteIntoOneFolderAtOnce) {
  const auto first = Journal::Begin(dir_, plan_);
  ASSERT_TRUE(first);
  const auto content = ReadJournal(dir_);
  ASSERT_TRUE(content);
  EXPECT_THAT(Journal::Continue(dir_, *content).error().message, HasSubstr("another run"));
}

TEST_F(JournalTest, AFolderThatCannotBeMadeIsAClearError) {
  std::ofstream(dir_ / "file") << "x";
  const auto journal = Journal::Begin(dir_ / "file" / "run", plan_);
  ASSERT_FALSE(journal);
  EXPECT_THAT(journal.error().message, HasSubstr("cannot make the result folder"));
  EXPECT_THAT(journal.error().message, HasSubstr("--out"));
}

TEST_F(JournalTest, BytesThatAreNotUtf8AreReplacedOnceAndForAll) {
  outcome_.console =
      "a\xff"
      "b";
  const GuestOutcome once = AsJournalled(outcome_);
  EXPECT_EQ(once.console,
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(AsJournalled(once).console, once.console);
}

}  // namespace
}  // namespace kassay
