// One program in a live machine: how the machine looks on while the agent runs it.
#include <algorithm>

#include "harness/vm/console.h"
#include "harness/vm/live_machine.h"

namespace kassay {
namespace {

using Json = nlohmann::json;
using End = GuestOutcome::End;
using std::chrono::seconds;

// From the console's word of a panic until the machine resets.
constexpr seconds kPanicGrace{5};

}  // namespace

Result<GuestOutcome> LiveMachine::Run(const GuestCommand& command,
                                      const std::function<void(const std::string&)>& on_record) {
  if (spent_) return Fail("the machine is dead since its last run");
  KASSAY_CHECK(Pump(Clock::now()));
  console_.Clear();
  panic_seen_.reset();
  KASSAY_TRY(GuestOutcome outcome, agent_.Run(*this, command, on_record));
  const bool cut_short = outcome.end == End::kKernelDied || outcome.end == End::kSilent;
  if (cut_short) outcome.detail = Explain(outcome.end);
  outcome.console = console_.Text();
  if (cut_short || outcome.end == End::kLied) {
    spent_ = true;
    process_.Kill();
  }
  return outcome;
}

Status LiveMachine::Wait(const pollfd& agent, Clock::time_point deadline) {
  return Pump(panic_seen_ ? std::min(deadline, *panic_seen_ + kPanicGrace) : deadline, agent);
}

Result<std::optional<End>> LiveMachine::CutShort(Clock::time_point deadline) {
  const auto now = Clock::now();
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
    return "no answer " + std::to_string(kAgentGrace.count()) + " s after the limit" +
           WhereItHangs();
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
  const std::string_view key = architecture_.program_counter;
  for (std::size_t at = text.find(key); at != std::string::npos && cpu < 64;
       at = text.find(key, at + 1)) {
    const std::size_t value = at + key.size();
    places += "; CPU " + std::to_string(cpu++) + " at " +
              text.substr(value, text.find(' ', value) - value);
    if (text.find(architecture_.halted, at) < text.find('\n', at)) places += " (idle)";
  }
  return places;
}

}  // namespace kassay
