// The event journal of a run: RESULT_DIR/journal.jsonl, one JSON object a line, on disk (fsync) as
// each thing happens. A run that was killed is taken up again from it and loses at most the cases
// under way; a verdict can be computed again from it.
//
//   {"type":"run","format":3,"plan":{...}}               the first line: what was asked for
//   {"type":"machine","profile":..,"machine":{...}}      what the machines of a profile are
//   {"type":"probe","suite":..,"outcome":{...}}          what a suite's probe did
//   {"type":"case","suite":..,"case":..,"attempts":[..]} what a finished case did; no verdict: it
//                                                        is computed (conclude.h)
//   {"type":"note","text":..}                            a finding about the surroundings
//   {"type":"end","at":..,"interrupted":false}           the run came to its end
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/unique_fd.h"
#include "harness/result/run_result.h"
#include "harness/target/guest.h"

namespace kassay {

inline constexpr int kJournalFormat = 3;
inline constexpr const char* kJournalName = "journal.jsonl";

// What was asked for, and of what: everything that must be the same when a run is taken up again.
struct RunPlanRecord {
  KernelIdentity kernel;
  std::string kassay_version;
  std::map<std::string, std::string> suites_sha256;  // as in Environment
  std::string started_at;                            // RFC 3339, UTC
  std::vector<std::string> suites;
  std::vector<std::string> filters;
  std::string isolation;  // "case" or "suite"
  std::string boot;       // "direct", "bzimage", or empty: what the profile says
  std::string profile;    // override of every suite's profile; empty for none
  int repeat = 1;
  Asked asked;
};

// One time that a case ran, or could not.
struct Attempt {
  std::int64_t duration_ms = 0;  // wall clock on the host, restore included
  std::optional<GuestOutcome> outcome;
  std::string error;  // the harness's own fault; empty if there is an outcome
};

struct JournalledCase {
  std::string suite;
  std::string name;
  std::vector<Attempt> attempts;  // at least one

  [[nodiscard]] std::string Id() const { return suite + "." + name; }
};

// The machines of a profile, word for word as Environment has it.
struct MachineRecord {
  std::string qemu_version;
  std::string accelerator;  // "mixed" where the machines of a profile were of both kinds
  std::string cpu;          // empty in journals from before it was recorded
  std::string boot;
  std::string command_line;
  std::optional<Firmware> firmware{};
  friend bool operator==(const MachineRecord&, const MachineRecord&) = default;
};

struct JournalContent {
  RunPlanRecord plan;
  std::map<std::string, MachineRecord> machines;  // by profile
  std::map<std::string, GuestOutcome> probes;     // by suite
  std::vector<JournalledCase> cases;
  std::vector<std::string> notes;
  bool ended = false;             // the last event is an end: nothing was killed amid it
  bool interrupted = false;       // ... which Ctrl-C brought about
  std::string ended_at;           // RFC 3339, UTC; empty unless `ended`
  std::uint64_t whole_bytes = 0;  // up to the end of the last whole line
};

// The outcome as its journal line will give it back: bytes that are not UTF-8 replaced. Verdicts
// are made from this form, so that whoever reads the journal comes to the same.
[[nodiscard]] GuestOutcome AsJournalled(const GuestOutcome& outcome);

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

  // Thread-safe; each is on disk when the call returns.
  [[nodiscard]] Status AddMachine(const std::string& profile, const MachineRecord& machine);
  [[nodiscard]] Status AddProbe(const std::string& suite, const GuestOutcome& outcome);
  [[nodiscard]] Status AddCase(const JournalledCase& finished);
  [[nodiscard]] Status AddNote(const std::string& text);
  [[nodiscard]] Status End(const std::string& at, bool interrupted);

 private:
  Journal(UniqueFd fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}
  [[nodiscard]] Status Append(const std::string& line);

  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
  UniqueFd fd_;
  std::filesystem::path path_;
};

}  // namespace kassay
