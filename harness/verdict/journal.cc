#include "harness/verdict/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/result/json_identity.h"
#include "harness/verdict/outcome_json.h"

namespace kassay {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMaxJournalBytes = size_t{2} << 30;

Json ToJsonObject(const RunPlanRecord& plan) {
  return {{"kernel", kassay::ToJsonObject(plan.kernel)},
          {"kassay_version", plan.kassay_version},
          {"suite_sha256", plan.suite_sha256},
          {"started_at", plan.started_at},
          {"suites", plan.suites},
          {"filters", plan.filters},
          {"isolation", plan.isolation},
          {"boot", plan.boot},
          {"profile", plan.profile},
          {"repeat", plan.repeat}};
}

RunPlanRecord ReadPlan(const Json& json, const std::string& place, std::string& problem) {
  RunPlanRecord plan;
  JsonReader reader(json, place, problem);
  if (const Json* kernel = reader.Find("kernel"))
    plan.kernel = ReadKernelIdentity(*kernel, reader.PlaceOf("kernel"), problem);
  reader.Get("kassay_version", plan.kassay_version);
  reader.Get("suite_sha256", plan.suite_sha256);
  reader.Get("started_at", plan.started_at);
  reader.Get("suites", plan.suites);
  reader.Get("filters", plan.filters);
  reader.Get("isolation", plan.isolation);
  reader.Get("boot", plan.boot);
  reader.Get("profile", plan.profile);
  reader.Get("repeat", plan.repeat);
  return plan;
}

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
        return Fail(fmt::format("line {}: {}", line_, problem_), ExitCode::kUsage);
      at = end + 1;
    }
    if (line_ == 0) return Fail("is empty", ExitCode::kUsage);
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
    if (!problem_.empty()) return;
    if ((line_ == 1) != (type == "run")) {
      problem_ = line_ == 1 ? "does not begin with the run" : "a second run";
      return;
    }
    Take(type, reader);
  }

  void Take(const std::string& type, JsonReader& reader) {
    if (type == "run") {
      int format = 0;
      reader.Get("format", format);
      if (problem_.empty() && format != kJournalFormat)
        problem_ = fmt::format("journal format {} is not known to this kassay", format);
      if (const Json* plan = reader.Find("plan"))
        content_.plan = ReadPlan(*plan, "/plan", problem_);
    } else if (type == "probe") {
      auto& [suite, outcome] = content_.probes.emplace_back();
      reader.Get("suite", suite);
      if (const Json* field = reader.Find("outcome"))
        outcome = ReadGuestOutcome(*field, "/outcome", problem_);
    } else if (type == "case") {
      TakeCase(reader);
    } else if (type == "note") {
      reader.Get("text", content_.notes.emplace_back());
    } else if (type == "end") {
      bool interrupted = false;
      reader.Get("interrupted", interrupted);
      content_.ended = !interrupted;
    } else {
      problem_ = "an event of an unknown type";
    }
  }

  void TakeCase(JsonReader& reader) {
    JournalledCase& finished = content_.cases.emplace_back();
    if (const Json* field = reader.Find("result")) {
      auto result = CaseResultFromJson(DumpJson(*field));
      if (result) {
        finished.result = *std::move(result);
      } else {
        problem_ = result.error().message;
      }
    }
    reader.GetList("outcomes", finished.outcomes, ReadGuestOutcome);
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
    return Fail(path.string() + " is in use by another run", ExitCode::kUsage);
  return fd;
}

}  // namespace

Result<JournalContent> ParseJournal(std::string_view text) { return JournalParser().Parse(text); }

Result<JournalContent> ReadJournal(const fs::path& run_dir) {
  const fs::path path = run_dir / kJournalName;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    return Fail(run_dir.string() + " holds no run: there is no " + kJournalName + " in it",
                ExitCode::kUsage);
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
                ExitCode::kUsage);
  }
  auto fd = OpenLocked(path, O_CREAT | O_EXCL);
  if (!fd) return Fail(fd.error().message + "; choose another folder with --out", fd.error().code);
  Journal journal(std::move(*fd), path);
  const Json first = {{"type", "run"}, {"format", kJournalFormat}, {"plan", ToJsonObject(plan)}};
  KASSAY_CHECK(journal.Append(DumpJson(first)));
  return journal;
}

Result<Journal> Journal::Continue(const fs::path& run_dir, const JournalContent& content) {
  const fs::path path = run_dir / kJournalName;
  KASSAY_TRY(UniqueFd fd, OpenLocked(path, 0));
  if (::ftruncate(fd.Get(), static_cast<off_t>(content.whole_bytes)) != 0)
    return FailErrno("cannot cut " + path.string());
  return Journal(std::move(fd), path);
}

Status Journal::Append(const std::string& line, bool sync) {
  const std::lock_guard<std::mutex> lock(*mutex_);
  const std::string whole = line + "\n";
  std::string_view left = whole;
  while (!left.empty()) {
    const ssize_t put = ::write(fd_.Get(), left.data(), left.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return FailErrno("write " + path_.string());
    left.remove_prefix(static_cast<size_t>(put));
  }
  if (sync && ::fdatasync(fd_.Get()) != 0) return FailErrno("write " + path_.string());
  return {};
}

Status Journal::AddProbe(const std::string& suite, const GuestOutcome& outcome) {
  const Json event = {
      {"type", "probe"}, {"suite", suite}, {"outcome", kassay::ToJsonObject(outcome)}};
  return Append(DumpJson(event));
}

Status Journal::AddCase(const JournalledCase& finished) {
  Json outcomes = Json::array();
  for (const GuestOutcome& outcome : finished.outcomes)
    outcomes.push_back(kassay::ToJsonObject(outcome));
  // The result is JSON already; it is set in as it is.
  return Append(fmt::format(R"({{"type":"case","result":{},"outcomes":{}}})",
                            ToJsonLine(finished.result), DumpJson(outcomes)),
                !finished.outcomes.empty());
}

Status Journal::AddNote(const std::string& text) {
  return Append(DumpJson({{"type", "note"}, {"text", text}}));
}

Status Journal::End(bool interrupted) {
  return Append(DumpJson({{"type", "end"}, {"interrupted", interrupted}}));
}

}  // namespace kassay
