// A QEMU process with its monitor, its console and the conversation with its agent.
#pragma once

#include <chrono>
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
#include "harness/vm/boot.h"
#include "harness/vm/boot_failure.h"
#include "harness/vm/machine_arguments.h"
#include "harness/vm/qmp.h"
#include "harness/vm/tail_buffer.h"

namespace kassay {

class LiveMachine final : public Guest, private Carrier {
 public:
  using Carrier::Clock;

  struct Setup {
    QemuBinary qemu;
    // With the descriptors of its files; those of monitor, console and agent are made here.
    MachineArguments arguments;
    int state = -1;  // a device state to load; inherited as well
    std::optional<UserIdentity> user;
  };
  // Starts QEMU and returns at once; with `state`, loading it is under way.
  [[nodiscard]] static Result<std::unique_ptr<LiveMachine>> Start(const Setup& setup);

  // Fails when QEMU or the kernel ends, or the limit passes, before the agent says hello.
  [[nodiscard]] BootResult<protocol::Hello> WaitForHello(Clock::duration limit);

  [[nodiscard]] Result<GuestOutcome> Run(
      const GuestCommand& command,
      const std::function<void(const std::string&)>& on_record) override;

  // A monitor command and its answer. `passed_fd` travels along (for getfd).
  [[nodiscard]] Result<nlohmann::json> Execute(const std::string& command,
                                               const nlohmann::json& arguments,
                                               Clock::duration limit, int passed_fd = -1);

  // Lets the guest run for a while, its console read meanwhile.
  [[nodiscard]] Status Idle(Clock::duration time);
  // Waits for QEMU to end by itself.
  [[nodiscard]] bool WaitForExit(Clock::duration limit);

 private:
  LiveMachine(ChildProcess process, UniqueFd agent, const Architecture& architecture)
      : architecture_(architecture), agent_(std::move(agent)), process_(std::move(process)) {}

  // The agent's surroundings.
  [[nodiscard]] Status Wait(const pollfd& agent, Clock::time_point deadline) override;
  [[nodiscard]] bool IsLoaded() const override { return !loading_ || loaded_; }
  [[nodiscard]] bool IsOver() const override { return exit_ || !stop_reason_.empty(); }
  [[nodiscard]] Result<std::optional<GuestOutcome::End>> CutShort(
      Clock::time_point deadline) override;

  [[nodiscard]] Status SendMonitor(const std::string& command, const nlohmann::json& arguments,
                                   int id, int passed_fd = -1);
  // Waits until something happens, at the latest until `deadline`, and takes it in. `agent` only
  // wakes it. An Error is an interrupt or a broken monitor.
  [[nodiscard]] Status Pump(Clock::time_point deadline, const pollfd& agent = {-1, 0, 0});
  void TakeConsole();
  [[nodiscard]] Status TakeMonitor();
  void OnMonitorEvent(const QmpMessage& event);
  void TakeExit();
  [[nodiscard]] Error LoadError() const;
  [[nodiscard]] std::string Explain(GuestOutcome::End end);
  [[nodiscard]] std::string WhereItHangs();
  [[nodiscard]] std::string QemuSays() const;
  // For a boot that failed: "WHAT; its console ends with: ...".
  [[nodiscard]] Error BootError(const std::string& what) const;
  [[nodiscard]] BootFailure WhyNoHello(Clock::duration limit) const;

  const Architecture& architecture_;
  AgentSession agent_;
  UniqueFd monitor_;
  UniqueFd console_socket_;
  UniqueFd errors_;
  QmpReader qmp_;
  std::map<int, QmpMessage> answers_;
  int next_id_ = 100;
  TailBuffer console_{std::size_t{256} << 10};
  TailBuffer qemu_output_{std::size_t{16} << 10};
  bool loading_ = false;
  bool loaded_ = false;
  std::string load_fault_;
  std::string stop_reason_;
  std::string shutdown_reason_;
  std::optional<WaitStatus> exit_;
  std::optional<Clock::time_point> panic_seen_;
  bool spent_ = false;
  ChildProcess process_;  // last: it goes first
};

}  // namespace kassay
