#include "harness/verdict/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/base/text/json_fields.h"
#include "harness/result/json_identity.h"
#include "harness/verdict/outcome_json.h"

namespace kassay {
namespace fs = std::filesystem;

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
}

static void Describe(JsonFields& fields, Attempt& attempt) {
  fields("duration_ms", attempt.duration_ms);
  fields.Optional("outcome", attempt.outcome);
  fields.Optional("error", attempt.error);
}

static void Describe(JsonFields& fields, MachineRecord& machine) {
  fields("qemu_version", machine.qemu_version);
  fields("accelerator", machine.accelerator);
  fields("boot", machine.boot);
  fields("command_line", machine.command_line);
}

static void Describe(JsonFields& fields, JournalledCase& finished) {
  fields.Constant("type", std::string("case"));
  fields("suite", finished.suite);
  fields("case", finished.name);
  fields("attempts", finished.attempts);
}

namespace {

// The other lines.
struct RunEvent {
  RunPlanRecord plan;
};
struct MachineEvent {
  std::string profile;
  MachineRecord machine;
};
struct ProbeEvent {
  std::string suite;
  GuestOutcome outcome;
};
struct NoteEvent {
  std::string text;
};
struct EndEvent {
  std::string at;
  bool interrupted = false;
};

void Describe(JsonFields& fields, RunEvent& event) {
  fields.Constant("type", std::string("run"));
  fields.Constant("format", kJournalFormat);
  fields("plan", event.plan);
}

void Describe(JsonFields& fields, MachineEvent& event) {
  fields.Constant("type", std::string("machine"));
  fields("profile", event.profile);
  fields("machine", event.machine);
}

void Describe(JsonFields& fields, ProbeEvent& event) {
  fields.Constant("type", std::string("probe"));
  fields("suite", event.suite);
  fields("outcome", event.outcome);
}

void Describe(JsonFields& fields, NoteEvent& event) {
  fields.Constant("type", std::string("note"));
  fields("text", event.text);
}

void Describe(JsonFields& fields, EndEvent& event) {
  fields.Constant("type", std::string("end"));
  fields("at", event.at);
  fields("interrupted", event.interrupted);
}

constexpr size_t kMaxJournalBytes = size_t{2} << 30;

class JournalParser {
 public:
  Result<JournalContent> Parse(std::string_view text) {
    size_t at = 0;
    while (at < text.size()) {
      const size_t end = text.find('\n', at);
      if (end == std::string_view::npos) break;  // cut off: the run was killed amid a write
      ++line_;
      TakeLine(text.substr(at, end - at));
      if (!problem_.empty())
        return Fail(fmt::format("line {}: {}", line_, problem_), ErrorKind::kUsage);
      at = end + 1;
    }
    if (line_ == 0) return Fail("is empty", ErrorKind::kUsage);
    content_.whole_bytes = at;
    return std::move(content_);
  }

 private:
  void TakeLine(std::string_view text) {
    const auto json = ParseJson(text);
    if (!json) {
      problem_ = json.error().message;
      return;
    }
    JsonReader reader(*json, "", problem_);
    std::string type;
    reader.Get("type", type);
    if (problem_.empty() && (line_ == 1) != (type == "run"))
      problem_ = line_ == 1 ? "does not begin with the run" : "a second run";
    if (problem_.empty() && type == "run") CheckFormat(reader);
    if (problem_.empty()) Take(type, *json);
  }

  void CheckFormat(JsonReader& reader) {
    int format = 0;
    reader.Get("format", format);
    if (problem_.empty() && format != kJournalFormat)
      problem_ = fmt::format("journal format {} is not known to this kassay", format);
  }

  template <typename Event>
  Event Read(const Json& json) {
    return ReadJson<Event>(json, "", problem_);
  }

  void Take(const std::string& type, const Json& json) {
    // What follows an end is a run that was taken up again.
    content_.ended = type == "end";
    if (type == "run") {
      content_.plan = Read<RunEvent>(json).plan;
    } else if (type == "machine") {
      auto event = Read<MachineEvent>(json);
      content_.machines[event.profile] = std::move(event.machine);
    } else if (type == "probe") {
      auto event = Read<ProbeEvent>(json);
      content_.probes[event.suite] = std::move(event.outcome);
    } else if (type == "case") {
      TakeCase(json);
    } else if (type == "note") {
      content_.notes.push_back(Read<NoteEvent>(json).text);
    } else if (type == "end") {
      auto event = Read<EndEvent>(json);
      content_.interrupted = event.interrupted;
      content_.ended_at = std::move(event.at);
    } else {
      problem_ = "an event of an unknown type";
    }
    if (!content_.ended) content_.ended_at.clear();
  }

  void TakeCase(const Json& json) {
    const JournalledCase& finished = content_.cases.emplace_back(Read<JournalledCase>(json));
    if (!problem_.empty()) return;
    if (finished.attempts.empty()) problem_ = "a case without an attempt";
    for (const Attempt& attempt : finished.attempts) {
      if (attempt.outcome.has_value() == attempt.error.empty()) continue;
      problem_ = "an attempt with both an outcome and an error, or with neither";
    }
  }

  size_t line_ = 0;
  std::string problem_;
  JournalContent content_;
};

// One run a folder at a time.
Result<UniqueFd> OpenLocked(const fs::path& path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_WRONLY | O_APPEND | O_CLOEXEC, 0644));
  if (!fd.IsOpen()) return FailErrno("cannot write " + path.string());
  if (::flock(fd.Get(), LOCK_EX | LOCK_NB) != 0)
    return Fail(path.string() + " is in use by another run", ErrorKind::kUsage);
  return fd;
}

}  // namespace

Result<JournalContent> ParseJournal(std::string_view text) { return JournalParser().Parse(text); }

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
  KASSAY_CHECK(journal.Append(DumpJson(JsonOf(RunEvent{plan}))));
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
  return Append(DumpJson(JsonOf(MachineEvent{profile, machine})));
}

Status Journal::AddProbe(const std::string& suite, const GuestOutcome& outcome) {
  return Append(DumpJson(JsonOf(ProbeEvent{suite, outcome})));
}

Status Journal::AddCase(const JournalledCase& finished) {
  return Append(DumpJson(JsonOf(finished)));
}

Status Journal::AddNote(const std::string& text) {
  return Append(DumpJson(JsonOf(NoteEvent{text})));
}

Status Journal::End(const std::string& at, bool interrupted) {
  return Append(DumpJson(JsonOf(EndEvent{at, interrupted})));
}

}  // namespace kassay
