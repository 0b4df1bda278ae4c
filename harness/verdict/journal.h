// The event journal of a run: RESULT_DIR/journal.jsonl, one JSON object a line, on disk (fsync) as
// each thing happens. A run that was killed is taken up again from it and loses at most the cases
// under way; a verdict can be computed again from it.
//
//   {"type":"run","format":1,"plan":{...}}            the first line: what was asked for
//   {"type":"probe","suite":..,"outcome":{...}}       what a suite's probe did
//   {"type":"case","result":{...},"outcomes":[{...}]} a case that is finished, each attempt
//   {"type":"note","text":..}                         a finding about the surroundings
//   {"type":"end","interrupted":false}                the run came to its end
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"
#include "harness/result/run_result.h"
#include "harness/target/guest.h"

namespace kassay {

inline constexpr int kJournalFormat = 1;
inline constexpr const char* kJournalName = "journal.jsonl";

// What was asked for, and of what: everything that must be the same when a run is taken up again.
struct RunPlanRecord {
  KernelIdentity kernel;
  std::string kassay_version;
  std::string suite_sha256;
  std::string started_at;  // RFC 3339, UTC
  std::vector<std::string> suites;
  std::vector<std::string> filters;
  std::string isolation;  // "case" or "suite"
  std::string boot;       // "direct", "bzimage", or empty: what the profile says
  std::string profile;    // override of every suite's profile; empty for none
  int repeat = 1;
};

struct JournalledCase {
  CaseResult result;
  std::vector<GuestOutcome> outcomes;  // one an attempt; none for a case that was not run
};

struct JournalContent {
  RunPlanRecord plan;
  std::vector<std::pair<std::string, GuestOutcome>> probes;  // by suite
  std::vector<JournalledCase> cases;
  std::vector<std::string> notes;
  bool ended = false;             // the run came to its end, not interrupted
  std::uint64_t whole_bytes = 0;  // up to the end of the last whole line
};

// Reads a journal. A last line that is cut off is what a killed run leaves and is passed over;
// anything else that is wrong is an error with its line.
[[nodiscard]] Result<JournalContent> ParseJournal(std::string_view text);
[[nodiscard]] Result<JournalContent> ReadJournal(const std::filesystem::path& run_dir);

class Journal {
 public:
  // Begins a journal in a folder (made if needed) that has none yet; its first line is on disk.
  [[nodiscard]] static Result<Journal> Begin(const std::filesystem::path& run_dir,
                                             const RunPlanRecord& plan);
  // Goes on after the last whole line of what ReadJournal gave.
  [[nodiscard]] static Result<Journal> Continue(const std::filesystem::path& run_dir,
                                                const JournalContent& content);

  // Thread-safe; each is on disk when the call returns, except for cases that were not run: what
  // they say costs nothing to find out again.
  [[nodiscard]] Status AddProbe(const std::string& suite, const GuestOutcome& outcome);
  [[nodiscard]] Status AddCase(const JournalledCase& finished);
  [[nodiscard]] Status AddNote(const std::string& text);
  [[nodiscard]] Status End(bool interrupted);

 private:
  Journal(UniqueFd fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}
  [[nodiscard]] Status Append(const std::string& line, bool sync = true);

  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
  UniqueFd fd_;
  std::filesystem::path path_;
};

}  // namespace kassay
