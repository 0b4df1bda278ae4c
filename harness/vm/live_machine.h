// A QEMU process with its monitor, its console and the conversation with its agent.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/process/child_process.h"
#include "harness/protocol/message.h"
#include "harness/target/guest.h"
#include "harness/vm/agent_session.h"
#include "harness/vm/machine_arguments.h"
#include "harness/vm/qmp.h"
#include "harness/vm/tail_buffer.h"

namespace kassay {

// Why a boot did not come up: the kind for the program, the message for a person.
struct BootFailure {
  enum class Kind {
    kHarness,       // not the machine's doing: no room, an image that cannot be booted, the monitor
    kInterrupted,   // Ctrl-C
    kEmulatorDied,  // QEMU failed, or stopped the machine
    kMachineReset,  // the machine reset itself, and the kernel did not say why
    kKernelDied,    // the console says that the kernel panicked
    kNoOutput,      // the limit passed, and the console stayed empty
    kNoAgent,       // the limit passed after the kernel had spoken
    kBadAgent,      // the agent broke the protocol or speaks another version of it
  };
  Kind kind = Kind::kHarness;
  Error error;          // what happened, QEMU's words and the console's last lines
  std::string console;  // its last part, 256 KiB at least if there was so much

  // The kernel is to blame, not its surroundings.
  [[nodiscard]] bool IsTheKernels() const {
    return kind == Kind::kMachineReset || kind == Kind::kKernelDied || kind == Kind::kNoOutput ||
           kind == Kind::kNoAgent;
  }

  BootFailure(Kind what, Error why, std::string_view said)
      : kind(what), error(std::move(why)), console(said) {}
  // What is no machine's doing. NOLINTNEXTLINE(google-explicit-constructor): as KASSAY_TRY needs it
  BootFailure(Error why)
      : kind(why.kind == ErrorKind::kInterrupted ? Kind::kInterrupted : Kind::kHarness),
        error(std::move(why)) {}
};

template <typename T>
using BootResult = tl::expected<T, BootFailure>;

class LiveMachine final : public Guest, private Carrier {
 public:
  using Carrier::Clock;

  // Starts QEMU and returns at once; with a state among the descriptors, loading it is under way.
  // `arguments` has the descriptors of files; those of monitor, console and agent are made here.
  [[nodiscard]] static Result<std::unique_ptr<LiveMachine>> Start(const std::filesystem::path& qemu,
                                                                  MachineArguments arguments);

  // Until the state that it was started with is in it and it runs; QEMU's own words otherwise.
  [[nodiscard]] Status WaitUntilLoaded(Clock::duration limit);

  // Fails when QEMU or the kernel ends, or the limit passes, before the agent says hello.
  [[nodiscard]] BootResult<protocol::Hello> WaitForHello(Clock::duration limit);

  [[nodiscard]] Result<GuestOutcome> Run(
      const GuestCommand& command,
      const std::function<void(const std::string&)>& on_record) override;

  // Lets the guest run for a while, its console read meanwhile.
  [[nodiscard]] Status Idle(Clock::duration time);
  // Writes the state of the devices into an open file, and ends the machine.
  [[nodiscard]] Status SaveTo(int state);

 private:
  LiveMachine(ChildProcess process, UniqueFd agent, const Architecture& architecture)
      : architecture_(architecture), agent_(std::move(agent)), process_(std::move(process)) {}

  // The agent's surroundings.
  [[nodiscard]] Status Wait(const pollfd& agent, Clock::time_point deadline) override;
  [[nodiscard]] bool IsOver() const override { return exit_ || !stop_reason_.empty(); }
  [[nodiscard]] Result<std::optional<GuestOutcome::End>> CutShort(
      Clock::time_point deadline) override;

  [[nodiscard]] Status SendMonitor(const std::string& command, const nlohmann::json& arguments,
                                   int id, int passed_fd = -1);
  // A monitor command and its answer. `passed_fd` travels along (for getfd).
  [[nodiscard]] Result<nlohmann::json> Execute(const std::string& command,
                                               const nlohmann::json& arguments,
                                               Clock::duration limit, int passed_fd = -1);
  // Waits until something happens, at the latest until `deadline`, and takes it in. `agent` only
  // wakes it. An Error is an interrupt or a broken monitor.
  [[nodiscard]] Status Pump(Clock::time_point deadline, const pollfd& agent = {-1, 0, 0});
  [[nodiscard]] Status TakeMonitor();
  [[nodiscard]] std::string Explain(GuestOutcome::End end);
  [[nodiscard]] std::string WhereItHangs();
  [[nodiscard]] std::string QemuSays() const;
  // For a boot that failed: "WHAT; its console ends with: ...".
  [[nodiscard]] Error BootError(const std::string& what) const;
  [[nodiscard]] BootFailure WhyNoHello(Clock::duration limit) const;

  const Architecture& architecture_;
  AgentSession agent_;
  UniqueFd monitor_;
  UniqueFd console_pipe_;
  UniqueFd errors_;
  QmpReader qmp_;
  std::map<int, QmpMessage> answers_;
  static constexpr int kFirstId = 100;  // those below it are of Start()
  int next_id_ = kFirstId;
  TailBuffer console_{std::size_t{256} << 10};
  TailBuffer qemu_output_{std::size_t{16} << 10};
  bool loaded_ = true;
  std::string load_fault_;
  std::string stop_reason_;
  std::string shutdown_reason_;
  std::optional<WaitStatus> exit_;
  std::optional<Clock::time_point> panic_seen_;
  bool spent_ = false;
  ChildProcess process_;  // last: it goes first
};

}  // namespace kassay
