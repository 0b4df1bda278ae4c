// One program in a live machine: from the request to the outcome, whatever the kernel does.
#include <openssl/rand.h>

#include <algorithm>

#include "harness/vm/console.h"
#include "harness/vm/live_machine.h"
#include "harness/vm/transcript.h"

namespace kassay {
namespace {

using Json = nlohmann::json;
using End = GuestOutcome::End;
using std::chrono::seconds;

// Beyond a program's limit: for the agent to kill what is left, to read the kernel log, and for a
// host that is busy with other machines.
constexpr seconds kGrace{10};
// A saved state loads in a fraction of a second.
constexpr seconds kLoadLimit{60};
// From the console's word of a panic until the machine resets.
constexpr seconds kPanicGrace{5};

Result<protocol::RunRequest> MakeRequest(const GuestCommand& command) {
  protocol::RunRequest request;
  request.argv = command.argv;
  request.limit_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(command.limit.count(), 0));
  request.log_name = command.log_name.substr(0, kMaxCaseNameBytes);
  const bool fits = !command.argv.empty() && command.argv.size() <= protocol::kMaxArguments &&
                    std::all_of(command.argv.begin(), command.argv.end(),
                                [](const std::string& argument) {
                                  return argument.size() <= protocol::kMaxArgumentBytes &&
                                         argument.find('\0') == std::string::npos;
                                }) &&
                    request.limit_ms <= protocol::kMaxLimitMs;
  if (!fits) return Fail("a command that is too long for a guest", ExitCode::kUsage);
  request.wall_clock_ns = static_cast<std::uint64_t>(
      std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count());
  if (::RAND_bytes(reinterpret_cast<unsigned char*>(request.entropy.data()),
                   static_cast<int>(request.entropy.size())) != 1)
    return Fail("no random bytes for the guest");
  return request;
}

}  // namespace

Result<GuestOutcome> LiveMachine::Run(const GuestCommand& command,
                                      const std::function<void(const std::string&)>& on_record) {
  if (spent_) return Fail("the machine is dead since its last run");
  KASSAY_TRY(const protocol::RunRequest request, MakeRequest(command));
  if (!loading_ || loaded_) KASSAY_CHECK(Pump(Clock::now()));
  console_.Clear();
  panic_seen_.reset();
  Transcript transcript(on_record);
  Status truth;
  agent_sink_ = [&](std::string_view bytes) {
    if (truth) truth = transcript.Append(bytes);
  };
  to_agent_ += protocol::Encode(request);
  SendPending();

  auto deadline = Clock::now() + (LoadPending() ? kLoadLimit : command.limit + kGrace);
  std::optional<End> cut_short;
  while (!transcript.Finished() && truth && !cut_short) {
    const bool was_loading = LoadPending();
    auto until = deadline;
    if (panic_seen_) until = std::min(until, *panic_seen_ + kPanicGrace);
    KASSAY_CHECK(Pump(until));
    if (was_loading && !LoadPending()) deadline = Clock::now() + command.limit + kGrace;
    if (transcript.Finished() || !truth) break;
    KASSAY_TRY(cut_short, Verdict(deadline));
  }
  agent_sink_ = nullptr;
  GuestOutcome outcome = transcript.Take();
  if (!truth) {
    outcome.end = End::kLied;
    outcome.detail = "the guest broke the protocol: " + truth.error().message;
  } else if (cut_short) {
    outcome.end = *cut_short;
    outcome.detail = Explain(*cut_short);
  }
  outcome.console = console_.Text();
  if (!truth || cut_short) {
    spent_ = true;
    process_.Kill();
  }
  return outcome;
}

Error LiveMachine::LoadError() const {
  return {"QEMU could not load the snapshot" +
          (load_fault_.empty() ? "" : " (" + load_fault_ + ")") + QemuSays()};
}

Result<std::optional<End>> LiveMachine::Verdict(Clock::time_point deadline) {
  const auto now = Clock::now();
  if (LoadPending() && (exit_ || !load_fault_.empty() || now >= deadline)) {
    spent_ = true;
    return Fail(LoadError());
  }
  if (!panic_seen_ && !PanicLine(console_.Raw()).empty()) panic_seen_ = now;
  if (exit_) {
    // A guest's reset or power-off ends QEMU in good order; anything else is QEMU's own affair.
    if (shutdown_reason_.empty() && !panic_seen_)
      return Fail("QEMU " + exit_->Words() + QemuSays());
    return std::optional(End::kKernelDied);
  }
  if (!stop_reason_.empty()) return Fail("QEMU stopped the machine by itself" + QemuSays());
  if (panic_seen_ && now >= *panic_seen_ + kPanicGrace) return std::optional(End::kKernelDied);
  if (now < deadline) return std::optional<End>();
  return std::optional(DistressLine(console_.Raw()).empty() ? End::kSilent : End::kKernelDied);
}

std::string LiveMachine::Explain(End end) {
  if (const std::string panic = PanicLine(console_.Raw()); !panic.empty()) return panic;
  if (end == End::kSilent)
    return "no answer " + std::to_string(kGrace.count()) + " s after the limit" + WhereItHangs();
  if (const std::string distress = DistressLine(console_.Raw()); !distress.empty())
    return "the kernel no longer answers after: " + distress;
  if (shutdown_reason_ == "guest-reset")
    return "the machine was reset without a panic (triple fault, or something asked for a reboot)";
  return "the machine was powered off";
}

// The place of each CPU, for whoever looks for the hang; from QEMU, as the guest says nothing.
std::string LiveMachine::WhereItHangs() {
  const auto registers =
      Execute("human-monitor-command", {{"command-line", "info registers -a"}}, seconds(2));
  if (!registers || !registers->is_string()) return {};
  const auto text = registers->get<std::string>();
  std::string places;
  int cpu = 0;
  for (std::size_t at = text.find("RIP="); at != std::string::npos && cpu < 64;
       at = text.find("RIP=", at + 1)) {
    const std::size_t end = text.find(' ', at);
    places += "; CPU " + std::to_string(cpu++) + " at " + text.substr(at + 4, end - at - 4);
    if (text.find("HLT=1", at) < text.find('\n', at)) places += " (idle)";
  }
  return places;
}

}  // namespace kassay
