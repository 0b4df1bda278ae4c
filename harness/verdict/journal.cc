#include "harness/verdict/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "harness/base/file.h"
#include "harness/base/text/json_fields.h"
#include "harness/result/json_identity.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

using End = GuestOutcome::End;

// In the order of the enumeration.
constexpr std::array<std::string_view, 6> kEnds{"exited",      "signalled", "timed out",
                                                "kernel died", "silent",    "lied"};

std::string_view ToString(End end) { return kEnds.at(static_cast<size_t>(end)); }

std::optional<End> EndFromString(std::string_view text) {
  const auto* const found = std::ranges::find(kEnds, text);
  if (found == kEnds.end()) return std::nullopt;
  return static_cast<End>(found - kEnds.begin());
}

}  // namespace

static void Describe(JsonFields& fields, GuestOutcome& outcome) {
  fields.Enum("end", outcome.end, ToString, EndFromString);
  fields("status", outcome.status);
  fields("detail", outcome.detail);
  fields("records", outcome.records);
  fields("output", outcome.output);
  fields("kernel_log", outcome.kernel_log);
  fields("taint_before", outcome.taint_before);
  fields("taint_after", outcome.taint_after);
  fields("console", outcome.console);
}

static void Describe(JsonFields& fields, RunPlanRecord& plan) {
  fields("kernel", plan.kernel);
  fields("kassay_version", plan.kassay_version);
  fields("suites_sha256", plan.suites_sha256);
  fields("started_at", plan.started_at);
  fields("suites", plan.suites);
  fields("filters", plan.filters);
  fields("isolation", plan.isolation);
  fields("boot", plan.boot);
  fields("profile", plan.profile);
  fields("repeat", plan.repeat);
  fields.Optional("asked", plan.asked);
}

static void Describe(JsonFields& fields, Attempt& attempt) {
  fields("duration_ms", attempt.duration_ms);
  fields.Optional("outcome", attempt.outcome);
  fields.Optional("error", attempt.error);
}

static void Describe(JsonFields& fields, MachineRecord& machine) {
  fields("qemu_version", machine.qemu_version);
  fields("accelerator", machine.accelerator);
  fields.Optional("cpu", machine.cpu);
  fields("boot", machine.boot);
  fields("command_line", machine.command_line);
  fields.Optional("firmware", machine.firmware);
}

namespace {

constexpr size_t kMaxJournalBytes = size_t{2} << 30;

void CheckCase(const JournalledCase& finished, std::string& problem) {
  if (problem.empty() && finished.attempts.empty()) problem = "a case without an attempt";
  for (const Attempt& attempt : finished.attempts) {
    if (problem.empty() && attempt.outcome.has_value() != attempt.error.empty())
      problem = "an attempt with both an outcome and an error, or with neither";
  }
}

// A later record of a profile replaces the earlier one, but machines that were there already ran
// cases too.
void TakeMachine(MachineRecord machine, MachineRecord& known) {
  if (!known.accelerator.empty() && known.accelerator != machine.accelerator)
    machine.accelerator = "mixed";
  known = std::move(machine);
}

// Takes an event up, or says what is wrong with it.
void Take(const Json& json, bool first, JournalContent& content, std::string& problem) {
  JsonFields fields(json, "", problem);
  std::string type;
  fields("type", type);
  if (problem.empty() && first != (type == "run"))
    problem = first ? "does not begin with the run" : "a second run";
  if (!problem.empty()) return;
  // What follows an end is a run that was taken up again.
  content.ended = type == "end";
  if (!content.ended) content.ended_at.clear();
  if (type == "run") {
    int format = 0;
    fields("format", format);
    if (problem.empty() && format != kJournalFormat)
      problem = fmt::format("journal format {} is not known to this kassay", format);
    fields("plan", content.plan);
  } else if (type == "machine") {
    std::string profile;
    fields("profile", profile);
    MachineRecord machine;
    fields("machine", machine);
    TakeMachine(machine, content.machines[profile]);
  } else if (type == "probe") {
    std::string suite;
    fields("suite", suite);
    fields("outcome", content.probes[suite]);
  } else if (type == "case") {
    JournalledCase& finished = content.cases.emplace_back();
    fields("suite", finished.suite);
    fields("case", finished.name);
    fields("attempts", finished.attempts);
    CheckCase(finished, problem);
  } else if (type == "note") {
    fields("text", content.notes.emplace_back());
  } else if (type == "end") {
    fields("at", content.ended_at);
    fields("interrupted", content.interrupted);
  } else {
    problem = "an event of an unknown type";
  }
}

// One run a folder at a time.
Result<UniqueFd> OpenLocked(const fs::path& path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_WRONLY | O_APPEND | O_CLOEXEC, 0644));
  if (!fd.IsOpen()) return FailErrno("cannot write " + path.string());
  if (::flock(fd.Get(), LOCK_EX | LOCK_NB) != 0)
    return Fail(path.string() + " is in use by another run", ErrorKind::kUsage);
  return fd;
}

}  // namespace

GuestOutcome AsJournalled(const GuestOutcome& outcome) {
  const auto json = ParseJson(DumpJson(JsonOf(outcome)));
  std::string problem;
  return json ? ReadJson<GuestOutcome>(*json, "", problem) : outcome;
}

Result<JournalContent> ParseJournal(std::string_view text) {
  JournalContent content;
  size_t line = 0;
  size_t at = 0;
  // What follows the last line end is cut off: the run was killed amid a write.
  for (size_t end = 0; (end = text.find('\n', at)) != std::string_view::npos; at = end + 1) {
    ++line;
    const auto json = ParseJson(text.substr(at, end - at));
    std::string problem = json ? "" : json.error().message;
    if (json) Take(*json, line == 1, content, problem);
    if (!problem.empty()) return Fail(fmt::format("line {}: {}", line, problem), ErrorKind::kUsage);
  }
  if (line == 0) return Fail("is empty", ErrorKind::kUsage);
  content.whole_bytes = at;
  return content;
}

Result<JournalContent> ReadJournal(const fs::path& run_dir) {
  const fs::path path = run_dir / kJournalName;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    return Fail(run_dir.string() + " holds no run: there is no " + kJournalName + " in it",
                ErrorKind::kUsage);
  }
  KASSAY_TRY(const std::string text, ReadFile(path, kMaxJournalBytes));
  auto content = ParseJournal(text);
  if (!content) return Fail(content.error().Within(path.string()));
  return content;
}

Result<Journal> Journal::Begin(const fs::path& run_dir, const RunPlanRecord& plan) {
  std::error_code error;
  fs::create_directories(run_dir, error);
  if (error) {
    return Fail(fmt::format("cannot make the result folder {}: {}; choose another with --out",
                            run_dir.string(), error.message()));
  }
  const fs::path path = run_dir / kJournalName;
  if (fs::exists(path, error)) {
    return Fail(fmt::format("{} holds a run already: go on with --resume {}, or choose another "
                            "folder with --out",
                            run_dir.string(), run_dir.string()),
                ErrorKind::kUsage);
  }
  auto fd = OpenLocked(path, O_CREAT | O_EXCL);
  if (!fd) return Fail(fd.error().message + "; choose another folder with --out", fd.error().kind);
  Journal journal(std::move(*fd), path);
  KASSAY_CHECK(journal.Append(
      DumpJson({{"type", "run"}, {"format", kJournalFormat}, {"plan", JsonOf(plan)}})));
  return journal;
}

Result<Journal> Journal::Continue(const fs::path& run_dir, const JournalContent& content) {
  const fs::path path = run_dir / kJournalName;
  KASSAY_TRY(UniqueFd fd, OpenLocked(path, 0));
  if (::ftruncate(fd.Get(), static_cast<off_t>(content.whole_bytes)) != 0)
    return FailErrno("cannot cut " + path.string());
  return Journal(std::move(fd), path);
}

Status Journal::Append(const std::string& line) {
  const std::lock_guard<std::mutex> lock(*mutex_);
  const std::string whole = line + "\n";
  std::string_view left = whole;
  while (!left.empty()) {
    const ssize_t put = ::write(fd_.Get(), left.data(), left.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return FailErrno("write " + path_.string());
    left.remove_prefix(static_cast<size_t>(put));
  }
  if (::fdatasync(fd_.Get()) != 0) return FailErrno("write " + path_.string());
  return {};
}

Status Journal::AddMachine(const std::string& profile, const MachineRecord& machine) {
  return Append(
      DumpJson({{"type", "machine"}, {"profile", profile}, {"machine", JsonOf(machine)}}));
}

Status Journal::AddProbe(const std::string& suite, const GuestOutcome& outcome) {
  return Append(DumpJson({{"type", "probe"}, {"suite", suite}, {"outcome", JsonOf(outcome)}}));
}

Status Journal::AddCase(const JournalledCase& finished) {
  Json attempts = Json::array();
  for (const Attempt& attempt : finished.attempts) attempts.push_back(JsonOf(attempt));
  return Append(DumpJson({{"type", "case"},
                          {"suite", finished.suite},
                          {"case", finished.name},
                          {"attempts", std::move(attempts)}}));
}

Status Journal::AddNote(const std::string& text) {
  return Append(DumpJson({{"type", "note"}, {"text", text}}));
}

Status Journal::End(const std::string& at, bool interrupted) {
  return Append(DumpJson({{"type", "end"}, {"at", at}, {"interrupted", interrupted}}));
}

}  // namespace kassay
